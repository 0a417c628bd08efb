"""A real GNOME Keyring that is locked, hangs, asks, goes away, or is not there at all."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.errors import (
    SecretsAbsentError,
    SecretsLockedError,
)
from itsjustintv_desktop.engine.storage.secrets import (
    TWITCH_APP_TOKEN,
    TWITCH_CLIENT_SECRET,
    SecretStore,
)
from tests.engine.storage.secrets.conftest import HandClock, OpenStore
from tests.keyring_session import KeyringSession, private_keyring

URL = "https://discord.com/api/webhooks/1/the-secret-path"


@pytest.mark.fault(
    "keyring: locked",
    seen='the secrets are in a state "locked" that says to "Unlock" the keyring; then all goes on',
)
async def test_a_locked_keyring_is_a_named_state_that_ends_with_the_unlock(
    open_store: OpenStore, session: KeyringSession, clock: HandClock
) -> None:
    store = open_store()
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    await store.set_destination("d", url=URL)
    session.lock()

    restarted = open_store()
    locked = await restarted.unlock()  # there is no prompter on this bus: the question is dismissed at once
    assert (locked.status, locked.since) == ("locked", clock.time)
    assert "Unlock" in locked.message
    with pytest.raises(SecretsLockedError):
        await restarted.get(TWITCH_CLIENT_SECRET)
    with pytest.raises(SecretsLockedError):
        await restarted.set(TWITCH_CLIENT_SECRET, "new")
    with pytest.raises(SecretsLockedError):
        await restarted.destination("d")
    with pytest.raises(SecretsLockedError):
        await restarted.set_destination("d", url="http://new")
    clock.time += 60
    assert await restarted.refresh() == locked

    with capture_logs() as lines:
        for _ in range(3):
            await restarted.refresh()
    assert [line for line in lines if line["log_level"] != "debug"] == []

    session.unlock()
    with capture_logs() as lines:
        ready = await restarted.refresh()
    assert (ready.status, ready.message, ready.since) == ("ready", "", clock.time)
    assert [line for line in lines if line["log_level"] != "debug"] == [
        {"event": "secrets are ready", "log_level": "info"}
    ]
    assert await restarted.get(TWITCH_CLIENT_SECRET) == "kept"
    assert (await restarted.destination("d")).url == URL


async def test_a_keyring_that_was_never_unlocked_since_the_login(
    open_store: OpenStore, session: KeyringSession
) -> None:
    await open_store().set(TWITCH_CLIENT_SECRET, "kept")
    session.stop_daemon()
    session.start_daemon(unlocked=False)
    store = open_store()
    assert (await store.refresh()).status == "locked"
    session.unlock()
    assert (await store.refresh()).status == "ready"
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"


async def test_what_was_read_stays_readable_when_the_keyring_is_locked_later(
    open_store: OpenStore, session: KeyringSession
) -> None:
    store = open_store()
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    await store.set_destination("d", url=URL)
    session.lock()
    with pytest.raises(SecretsLockedError):
        await store.set(TWITCH_APP_TOKEN, "token")
    assert store.state.status == "locked"
    assert (await store.refresh()).status == "locked"
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"
    assert (await store.destination("d")).url == URL
    session.unlock()
    assert (await store.refresh()).status == "ready"
    await store.set(TWITCH_APP_TOKEN, "token")
    assert await open_store().get(TWITCH_APP_TOKEN) == "token"


@contextmanager
def silent_prompter() -> Iterator[None]:
    """Somebody who is to put the question to the person, and never comes back with an answer."""
    jeepney = importlib.import_module("jeepney")
    blocking = importlib.import_module("jeepney.io.blocking")
    bus = jeepney.DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    with closing(blocking.open_dbus_connection()) as connection:
        request = jeepney.new_method_call(bus, "RequestName", "su", ("org.gnome.keyring.SystemPrompter", 4))
        assert connection.send_and_get_reply(request).body == (1,)
        yield


@pytest.mark.fault(
    "keyring: its question is not answered",
    seen='the question "waits for you", is put once, and delays nothing else',
)
async def test_a_question_nobody_answers_delays_nothing_and_is_put_once(
    open_store: OpenStore, session: KeyringSession
) -> None:
    await open_store().set(TWITCH_CLIENT_SECRET, "kept")
    session.lock()
    store = open_store(deadline=0.3)
    with silent_prompter():
        waiting = await store.unlock()
        assert waiting.status == "locked"
        assert "waits for you" in waiting.message
        began = time.monotonic()
        for _ in range(50):
            with pytest.raises(SecretsLockedError):
                await store.get(TWITCH_CLIENT_SECRET)
        assert time.monotonic() - began < 10.0, "each waited for its deadline"
        assert (await store.refresh()) == waiting
    # The prompter is gone, so the question counts as dismissed; its result is taken, and then looked again.
    session.unlock()
    await until_ready(store)
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"


async def test_looking_again_puts_no_question(open_store: OpenStore, session: KeyringSession) -> None:
    session.lock()
    store = open_store(deadline=5.0)
    with silent_prompter():
        state = await store.refresh()
        assert state.status == "locked"
        assert "waits for you" not in state.message


@pytest.mark.fault(
    "keyring: it hangs",
    seen='the state "locked" until it answers',
)
async def test_a_keyring_that_hangs_is_locked_until_it_answers(open_store: OpenStore, session: KeyringSession) -> None:
    await open_store().set(TWITCH_CLIENT_SECRET, "kept")
    store = open_store(deadline=1.0)
    session.pause()
    assert (await store.unlock()).status == "locked"
    with pytest.raises(SecretsLockedError):
        await store.get(TWITCH_CLIENT_SECRET)
    session.resume()
    await until_ready(store)
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"


async def test_a_change_that_came_too_late_is_not_denied_afterwards(
    open_store: OpenStore, session: KeyringSession
) -> None:
    store = open_store(deadline=1.0)
    await store.set(TWITCH_APP_TOKEN, "old")
    session.pause()
    with pytest.raises(SecretsLockedError):
        await store.set(TWITCH_APP_TOKEN, "new")
    with pytest.raises(SecretsLockedError):
        await store.get(TWITCH_APP_TOKEN)
    session.resume()
    await until_ready(store)
    assert await store.get(TWITCH_APP_TOKEN) == await open_store().get(TWITCH_APP_TOKEN) == "new"


async def until_ready(store: SecretStore) -> None:
    async with asyncio.timeout(10):
        while (await store.refresh()).status != "ready":
            await asyncio.sleep(0.01)


@pytest.mark.fault(
    "keyring: its session ends and begins again",
    seen='the state "locked", then "ready"',
)
async def test_a_session_that_ends_and_begins_again(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    session.stop_daemon()
    with pytest.raises(SecretsLockedError):
        await store.get(TWITCH_APP_TOKEN)
    assert (await store.refresh()).status == "locked"
    session.start_daemon(unlocked=True)
    assert (await store.refresh()).status == "ready"
    assert await store.get(TWITCH_APP_TOKEN) is None


async def test_a_bus_that_dies_leaves_what_was_read(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    session.stop()
    with pytest.raises(SecretsLockedError):
        await store.get(TWITCH_APP_TOKEN)
    assert (await store.refresh()).status == "locked"
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"


async def test_no_keyring_is_a_named_state_and_nothing_is_written(
    open_store: OpenStore, data: Path, no_keyring: None
) -> None:
    store = open_store()
    state = await store.unlock()
    assert state.status == "absent"
    assert "passphrase" in state.message
    assert state.takes_passphrase
    with pytest.raises(SecretsAbsentError):
        await store.get(TWITCH_CLIENT_SECRET)
    with pytest.raises(SecretsAbsentError):
        await store.set(TWITCH_CLIENT_SECRET, "x")
    with pytest.raises(SecretsAbsentError):
        await store.set_destination("d", url=URL)
    assert list(data.iterdir()) == []


async def test_a_keyring_that_comes_later_is_found(
    open_store: OpenStore, no_keyring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    assert (await store.unlock()).status == "absent"
    with private_keyring() as environment:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", environment["DBUS_SESSION_BUS_ADDRESS"])
        assert (await store.refresh()).status == "ready"


@pytest.mark.parametrize(
    "backend",
    ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "keyrings.alt.file.PlaintextKeyring"],
)
async def test_what_is_no_safe_keyring_counts_as_none(
    open_store: OpenStore, session: KeyringSession, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    state = await open_store().unlock()
    assert state.status == "absent"
    assert backend in state.message


async def test_a_chain_of_keyrings_is_not_followed_but_the_best_safe_one_used(
    open_store: OpenStore, session: KeyringSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")
    await open_store().set(TWITCH_CLIENT_SECRET, "kept")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.SecretService.Keyring")
    assert await open_store().get(TWITCH_CLIENT_SECRET) == "kept"


async def test_a_keyring_switched_off_in_the_users_file_counts_as_none(
    open_store: OpenStore, session: KeyringSession
) -> None:
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "python_keyring"
    settings.mkdir(parents=True)
    (settings / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n")
    assert (await open_store().unlock()).status == "absent"


def test_a_hanging_question_does_not_keep_the_program_from_ending(session: KeyringSession, data: Path) -> None:
    script = f"""
import asyncio, pathlib
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.storage.secrets import SecretStore
async def main():
    store = SecretStore.open("keyring", vault=pathlib.Path({str(data)!r}) / "secrets.vault", passphrase=None,
                             clock=SystemClock(), deadline=0.1)
    print((await store.unlock()).status)
    await store.close()
asyncio.run(main())
"""
    session.pause()
    ended = subprocess.run([sys.executable, "-c", script], timeout=20, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("\nlocked\n")
