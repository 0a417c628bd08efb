"""The secret Twitch signs with: there without waiting, or named as missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from multidict import CIMultiDict
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Config, Twitch
from itsjustintv_desktop.engine.core.errors import MessageRefusedError, UsageError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.webhook_secret import LOOK_AGAIN_SECONDS, RETRY_SECONDS, WebhookSecret
from itsjustintv_desktop.engine.storage.secrets import SecretStore, SecretValues
from tests.support import signed
from tests.support.clock import FakeClock
from tests.support.holding import holding
from tests.support.waiting import until


class Rig:
    def __init__(self, folder: Path) -> None:
        self.vault = folder / "secrets.vault"
        self.clock = FakeClock()
        self.holder = holding()
        self.tasks = Tasks()
        self.stores: list[SecretStore] = []

    @property
    def config(self) -> Config:
        return self.holder.current.config

    @config.setter
    def config(self, made: Config) -> None:
        self.holder.current = ActiveConfig(made, {})

    def store(self, kind: str, passphrase: str | None = None) -> SecretStore:
        made = SecretStore.open(kind, vault=self.vault, passphrase=passphrase, clock=self.clock)  # type: ignore[arg-type]
        self.stores.append(made)
        return made

    def signing(self, store: SecretStore) -> WebhookSecret:
        return WebhookSecret(store, SecretValues(store, self.holder), self.clock)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    yield made
    await made.tasks.stop()
    for store in made.stores:
        await store.close()


async def test_before_it_was_looked_up_there_is_none(rig: Rig) -> None:
    signing = rig.signing(rig.store("memory"))
    assert list(signing.current()) == []
    assert signing.problem


async def test_one_in_the_config_is_used(rig: Rig) -> None:
    rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret="from-the-config"))
    signing = rig.signing(rig.store("memory"))
    await signing.keep()
    assert (list(signing.current()), signing.problem) == ([b"from-the-config"], None)


async def test_found_nowhere_it_is_made_and_stays_the_same(rig: Rig) -> None:
    store = rig.store("passphrase", "a long passphrase")
    first = rig.signing(store)
    await first.keep()
    (secret,) = first.current()
    assert 10 <= len(secret) <= 100
    assert secret.isascii()
    await store.close()
    again = rig.signing(rig.store("passphrase", "a long passphrase"))
    await again.keep()
    assert list(again.current()) == [secret]


async def test_while_it_is_locked_the_reason_is_named_and_it_comes_by_itself(rig: Rig) -> None:
    store = rig.store("passphrase")
    signing = rig.signing(store)
    task = rig.tasks.start("signing", signing.keep())
    await until(lambda: rig.clock.sleeping)
    for _ in range(3):
        assert rig.clock.sleeping == [RETRY_SECONDS]
        assert list(signing.current()) == []
        assert "passphrase" in (signing.problem or "")
        rig.clock.advance(RETRY_SECONDS)
        await until(lambda: rig.clock.sleeping == [RETRY_SECONDS])
    await store.unlock("a long passphrase")
    rig.clock.advance(RETRY_SECONDS)
    await until(task.done)
    assert len(signing.current()) == 1
    assert signing.problem is None


DAY = 86400.0
PASSPHRASE = "a long passphrase"


async def _kept(rig: Rig, written: str = "", *, on_disk: bool = False) -> WebhookSecret:
    """As at a start: with this secret in the config, else with the one in the store (one in memory stays the same)."""
    rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret=written))
    if on_disk or not rig.stores:
        rig.store("passphrase" if on_disk else "memory", PASSPHRASE)
    signing = rig.signing(rig.stores[-1])
    await signing.keep()
    return signing


async def test_one_changed_in_the_config_leaves_the_one_before_good_for_a_day(rig: Rig) -> None:
    await _kept(rig, "the-first-secret")
    rig.clock.advance(10 * DAY)
    signing = await _kept(rig, "the-second-secret")
    assert signing.primary == "the-second-secret"
    assert list(signing.current()) == [b"the-second-secret", b"the-first-secret"]
    rig.clock.advance(DAY - 1)
    again = await _kept(rig, "the-second-secret")
    assert list(again.current()) == list(signing.current()) == [b"the-second-secret", b"the-first-secret"]
    rig.clock.advance(1)
    assert list(signing.current()) == [b"the-second-secret"], "in a process that goes on"
    assert list((await _kept(rig, "the-second-secret")).current()) == [b"the-second-secret"], "and in a new one"


async def test_going_from_the_vault_to_the_config_and_back_counts_too(rig: Rig) -> None:
    made = (await _kept(rig)).primary
    assert made is not None
    signing = await _kept(rig, "of-the-config")
    assert list(signing.current()) == [b"of-the-config", made.encode()]
    signing = await _kept(rig)
    assert list(signing.current()) == [made.encode(), b"of-the-config"]


async def test_several_changes_within_a_day_are_all_good(rig: Rig) -> None:
    for number in range(4):
        await _kept(rig, f"secret-number-{number}")
    signing = await _kept(rig, "secret-number-4")
    assert list(signing.current()) == [f"secret-number-{number}".encode() for number in (4, 3, 2, 1)]


async def test_rotating_makes_a_new_one_that_outlives_the_process(rig: Rig) -> None:
    signing = await _kept(rig, on_disk=True)
    old = signing.primary
    await signing.rotate()
    assert old is not None
    assert signing.primary not in {old, None}
    assert list(signing.current()) == [str(signing.primary).encode(), old.encode()]
    again = await _kept(rig, on_disk=True)
    assert list(again.current()) == list(signing.current())
    rig.clock.advance(DAY)
    assert list(again.current()) == [str(signing.primary).encode()]


async def test_one_that_stands_in_the_config_is_not_rotated(rig: Rig) -> None:
    signing = await _kept(rig, "of-the-config")
    with pytest.raises(UsageError, match="webhook_secret"):
        await signing.rotate()
    assert list(signing.current()) == [b"of-the-config"]


async def test_in_memory_only_rotating_works_until_the_end(rig: Rig) -> None:
    signing = rig.signing(rig.store("memory"))
    await signing.keep()
    old = str(signing.primary).encode()
    await signing.rotate()
    assert list(signing.current()) == [str(signing.primary).encode(), old]


async def test_a_kill_in_the_middle_of_rotating_leaves_both_good(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    signing = await _kept(rig)
    old = str(signing.primary)
    write, written = WebhookSecret._write, 0

    async def cut(self: WebhookSecret, kept: object) -> None:
        nonlocal written
        written += 1
        if written == 2:
            raise KeyboardInterrupt
        await write(self, kept)  # type: ignore[arg-type]

    monkeypatch.setattr(WebhookSecret, "_write", cut)
    with pytest.raises(KeyboardInterrupt):
        await signing.rotate()
    monkeypatch.undo()
    again = await _kept(rig)
    assert again.primary != old
    assert list(again.current()) == [str(again.primary).encode(), old.encode()]


async def test_a_clock_set_back_makes_no_secret_good_for_longer(rig: Rig) -> None:
    await _kept(rig, "the-first-secret")
    await _kept(rig, "the-second-secret")
    rig.clock.jump(-300 * DAY)
    signing = await _kept(rig, "the-second-secret")
    assert len(signing.current()) == 2
    rig.clock.advance(DAY)
    assert list(signing.current()) == [b"the-second-secret"]


async def test_a_locked_vault_does_not_keep_a_written_secret_waiting(rig: Rig) -> None:
    await _kept(rig, "the-first-secret", on_disk=True)
    rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret="the-second-secret"))
    store = rig.store("passphrase")
    signing = rig.signing(store)
    task = rig.tasks.start("signing", signing.keep())
    await until(lambda: rig.clock.sleeping)
    assert list(signing.current()) == [b"the-second-secret"]
    assert signing.problem is None
    await store.unlock(PASSPHRASE)
    rig.clock.advance(LOOK_AGAIN_SECONDS)
    await until(task.done)
    assert list(signing.current()) == [b"the-second-secret", b"the-first-secret"]


async def test_what_is_kept_shows_no_secret(rig: Rig) -> None:
    await _kept(rig, "the-first-secret")
    signing = await _kept(rig, "the-second-secret")
    assert "secret" not in f"{signing._previous}{await signing._read()}"


async def test_what_was_signed_with_the_old_one_is_taken_for_a_day(rig: Rig) -> None:
    await _kept(rig, signed.SECRET)
    signing = await _kept(rig, "the-second-secret")
    judge = EventSubVerifier(signing.current, rig.clock, lambda: 0.0)

    def arrives() -> StreamEvent:
        message = signed.online(rig.clock.now())
        event = judge.judge(CIMultiDict((name, str(value)) for name, value in message.headers()), message.body)
        assert isinstance(event, StreamEvent)
        return event

    assert arrives().kind == "stream.online"
    rig.clock.advance(DAY - 1)
    assert arrives().kind == "stream.online"
    rig.clock.advance(1)
    with pytest.raises(MessageRefusedError, match="signature"):
        arrives()


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'no-bus'}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.mark.parametrize("kind", ["keyring", "memory", "passphrase"])
@pytest.mark.fault(
    "secrets: webhook_secret changed where there is no store",
    seen='the log: "good for a day, but only until the program ends"',
)
async def test_without_a_store_the_one_before_is_good_while_the_program_runs(
    rig: Rig, no_keyring: None, kind: str
) -> None:
    signing = rig.signing(rig.store(kind))
    judge = EventSubVerifier(signing.current, rig.clock, lambda: 0.0)
    rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret=signed.SECRET))
    task = rig.tasks.start("signing", signing.run())
    await until(lambda: list(signing.current()) == [signed.SECRET.encode()])

    async def changed(secret: str, *before: str) -> list[str]:
        rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret=secret))
        with capture_logs() as lines:
            signing.look_again()
            rig.clock.advance(LOOK_AGAIN_SECONDS)
            good = [each.encode() for each in (secret, *before)]
            await until(lambda: list(signing.current()) == good, what=f"{secret} and those before it are good")
        return [line["event"] for line in lines if line["log_level"] == "warning"]

    said = await changed("the-second-secret", signed.SECRET)
    assert said == ["the webhook secret used before is good for a day, but only until the program ends"]
    message = signed.online(rig.clock.now())
    judge.judge(CIMultiDict((name, str(value)) for name, value in message.headers()), message.body)
    await changed("the-third-secret", "the-second-secret", signed.SECRET)
    await changed("the-second-secret", "the-third-secret", signed.SECRET)
    rig.clock.advance(DAY)
    assert list(signing.current()) == [b"the-second-secret"]
    assert not task.done()
    assert not rig.vault.exists(), "nothing of it lies on disk"


async def test_what_was_known_while_it_was_locked_is_kept_as_soon_as_it_can_be(rig: Rig) -> None:
    store = rig.store("passphrase")
    signing = rig.signing(store)
    rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret="the-first-secret"))
    rig.tasks.start("signing", signing.run())
    await until(lambda: signing.primary == "the-first-secret" and rig.clock.sleeping)
    rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret="the-second-secret"))
    rig.clock.advance(LOOK_AGAIN_SECONDS)
    await until(lambda: signing.primary == "the-second-secret" and rig.clock.sleeping)
    await store.unlock(PASSPHRASE)
    rig.clock.advance(LOOK_AGAIN_SECONDS)
    await until(rig.vault.exists)
    await until(lambda: signing._lock.locked() is False)
    again = rig.signing(rig.store("passphrase", PASSPHRASE))
    await again.keep()
    assert list(again.current()) == [b"the-second-secret", b"the-first-secret"]
