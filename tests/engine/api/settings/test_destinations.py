"""Destinations kept in a real vault: saved, tried, shown, deleted; their addresses are nowhere but there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine.api.settings.destination_drafts import DestinationDraft
from itsjustintv_desktop.engine.api.settings.streamers import StreamerDraft
from itsjustintv_desktop.engine.core.errors import (
    ConfigChangedError,
    ConfigError,
    NotFoundError,
    SecretsError,
    UsageError,
)
from tests.engine.delivery import servers
from tests.engine.delivery.test_messages import discord, judging, slack
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until

ANOTHER = "another secret of these tests"


def files(running: Running) -> bytes:
    """Everything that lies on disk for somebody else to read."""
    folders = (running.paths.config.parent, running.paths.data)
    return b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())


def draft(running: Running, name: str = "friends", **details: object) -> DestinationDraft:
    address = f"{running.simulator.url}/receiver/{name}"
    return msgspec.convert({"name": name, "url": address, **details}, DestinationDraft)


async def test_a_new_destination_lies_in_the_vault_and_works_at_once(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    saved = await editing.destinations.save("", draft(with_vault, secret=ANOTHER))
    assert saved.state == "in_force"
    text = with_vault.paths.config.read_text(encoding="utf-8")
    assert '[destinations.friends]\nurl = "@keyring"\nsecret = "@keyring"' in text
    assert b"/receiver/friends" not in files(with_vault)
    assert ANOTHER.encode() not in files(with_vault)
    info = {one.draft.name: one for one in await editing.destinations.list()}["friends"]
    assert (info.address, info.host, info.signed, info.problem) == ("vault", "127.0.0.1", True, "")
    with_vault.simulator.receiver.expect("friends", secret=ANOTHER)
    alice = await editing.streamers.draft("alice")
    await editing.streamers.update("alice", msgspec.structs.replace(alice, destinations=("friends",)))
    await with_vault.simulator.go_live("alice")
    await with_vault.simulator.receiver.wait_for(1, "friends")
    await with_vault.settled()
    await with_vault.restart()
    assert (await with_vault.engine.secrets.destination("friends")).secret == ANOTHER


async def test_what_stood_in_the_clear_is_gone_from_the_file_and_its_backup(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    assert SECRET.encode() in files(with_vault)
    await editing.destinations.save("main", draft(with_vault, "main", secret=SECRET))
    assert SECRET.encode() not in files(with_vault)
    assert b"/receiver/main" not in files(with_vault)
    await with_vault.simulator.go_live("alice")
    await with_vault.simulator.receiver.wait_for(1, "main")
    assert with_vault.simulator.receiver.accepted("main")[0].verified
    await with_vault.settled()


async def test_a_corrected_address_takes_what_waits_along(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    await editing.destinations.save("main", draft(with_vault, "main", secret=""))
    with_vault.simulator.faults.set_receiver("main", status=410)
    await with_vault.simulator.go_live("alice")
    await with_vault.failed_once()
    await until(lambda: with_vault.engine.dispatcher.queues.shut(with_vault.clock.now()))
    saved = await editing.destinations.save(
        "main", DestinationDraft(name="main", url=f"{with_vault.simulator.url}/receiver/other")
    )
    assert saved.state == "in_force"
    (waiting,) = await with_vault.deliveries()
    await with_vault.engine.ledger.retry(waiting.id)
    await with_vault.simulator.receiver.wait_for(1, "other")
    await with_vault.settled()


async def test_settings_change_and_unsaid_ones_stay(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    made = draft(with_vault, secret=ANOTHER, headers={"X-One": "1"}, timeout=3.0, format="discord")
    await editing.destinations.save("", made)
    before = await editing.destinations.draft("friends")
    stored = {"url": None, "secret": None, "headers": None, "fingerprints": before.fingerprints}
    assert before == msgspec.structs.replace(made, **stored)
    await editing.destinations.save("friends", msgspec.structs.replace(before, format="", enabled=False))
    one = with_vault.engine.live.destinations["friends"]
    assert (one.enabled, one.timeout, one.headers, one.format_guessed) == (False, 3.0, {"X-One": "1"}, True)
    assert (await with_vault.engine.secrets.destination("friends")).secret == ANOTHER
    await editing.destinations.save("friends", msgspec.structs.replace(before, secret="", headers={}))
    assert (await with_vault.engine.secrets.destination("friends")).secret is None
    assert with_vault.engine.live.destinations["friends"].headers == {}


@pytest.mark.parametrize(
    ("details", "error"),
    [
        ({"url": ""}, UsageError),
        ({"url": "example.com"}, ConfigError),
        ({"signature": "standard-webhooks", "secret": "whsec_***"}, ConfigError),
        ({"name": "main"}, UsageError),
        ({"name": "https://x"}, UsageError),
        ({"timeout": 1000.0}, ConfigError),
        ({"headers": {"Host": "x"}}, ConfigError),
    ],
)
async def test_what_cannot_be_changes_nothing(
    with_vault: Running, details: dict[str, object], error: type[Exception]
) -> None:
    before = with_vault.paths.config.read_bytes()
    with pytest.raises(error) as caught:
        await with_vault.engine.api.settings.destinations.save("", draft(with_vault, **details))  # type: ignore[arg-type]
    assert "***" not in str(caught.value)
    assert with_vault.paths.config.read_bytes() == before
    kept = await with_vault.engine.secrets.destination("friends")
    assert (kept.url, kept.secret) == (None, None)


async def test_without_a_vault_it_says_so_and_nothing_changes(tmp_path: Path) -> None:
    environ = {"ITSJUSTINTV_SECRETS_STORE": "passphrase"}
    async with running_engine(tmp_path, environ=environ, secret=None, subscribe=False) as running:
        before = running.paths.config.read_bytes()
        with pytest.raises(SecretsError):
            await running.engine.api.settings.destinations.save("", draft(running))
        assert running.paths.config.read_bytes() == before
        saved = await running.engine.api.settings.destinations.save("", draft(running), in_config=True)
        assert saved.state == "in_force"
        assert "/receiver/friends" in running.paths.config.read_text(encoding="utf-8")


async def test_memory_says_that_it_does_not_last(running: Running) -> None:
    saved = await running.engine.api.settings.destinations.save("", draft(running))
    assert "memory" in saved.note


async def test_deleting_says_what_waits_and_is_undone_with_the_address(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    await editing.destinations.save("main", draft(with_vault, "main", secret=SECRET))
    with_vault.simulator.faults.set_receiver("main", status=503)
    await with_vault.simulator.go_live("alice")
    await with_vault.failed_once()
    use = await editing.destinations.use("main")
    assert (use.waiting, use.streamers) == (1, ("alice",))
    saved = await editing.destinations.delete("main")
    assert saved.state == "in_force"
    assert not (await editing.streamers.draft("alice")).destinations
    assert (await with_vault.engine.secrets.destination("main")).url is None
    assert (await editing.documents.undo(saved.undo)).state == "in_force"
    assert (await with_vault.engine.secrets.destination("main")).secret == SECRET
    assert (await editing.streamers.draft("alice")).destinations == ("main",)
    with pytest.raises(NotFoundError):
        await editing.destinations.delete("nobody")


async def test_a_test_goes_there_alone_and_leaves_no_trace(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    with_vault.simulator.receiver.expect("friends", secret=ANOTHER)
    result = await editing.preview.test(draft(with_vault, secret=ANOTHER))
    assert (result.ok, result.sentence) == (True, "It arrived.")
    (received,) = with_vault.simulator.receiver.accepted("friends")
    assert received.verified
    assert received.json["test"] is True
    assert received.json["streamer_login"] == "alice"
    assert await with_vault.deliveries() == []
    assert (await editing.preview.test("main")).ok
    assert len(with_vault.simulator.receiver.accepted("main")) == 1
    with_vault.simulator.faults.set_receiver("main", status=404)
    refused = await editing.preview.test("main")
    assert (refused.ok, refused.status) == (False, 404)
    assert "404" in refused.sentence
    with pytest.raises(UsageError):
        await editing.preview.test(DestinationDraft(name="new"))


async def test_the_preview_is_the_request_without_anything_secret(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    made = draft(with_vault, secret=ANOTHER, headers={"Authorization": "Bearer t0ken"})
    streamer = StreamerDraft(key="alice", login="alice", description="Come in")
    shown = await editing.preview.render(streamer, made)
    text = str(msgspec.json.encode(shown))
    for secret in (ANOTHER, "t0ken", "/receiver/friends"):
        assert secret not in text
    assert shown.sample
    names = [name for name, _ in shown.headers]
    await editing.preview.test(made, streamer)
    (received,) = with_vault.simulator.receiver.accepted("friends")
    assert set(names) <= set(received.headers)
    body = msgspec.json.decode(shown.body)
    assert set(body) == set(received.json)
    assert body["description"] == received.json["description"] == "Come in"
    for kind in ("discord", "slack"):
        other = await editing.preview.render(None, msgspec.structs.replace(made, format=kind))
        assert (other.format, other.summary.link) == (kind, "https://twitch.tv/alice")
        assert other.summary.title in other.body


async def test_the_preview_knows_the_last_stream(with_vault: Running) -> None:
    with_vault.simulator.state.get("alice").title = "Chess at night"
    await with_vault.simulator.go_live("alice")
    await with_vault.simulator.receiver.wait_for(1, "main")
    await with_vault.settled()
    shown = await with_vault.engine.api.settings.preview.render(StreamerDraft(key="alice", login="alice"), "main")
    assert (shown.sample, shown.summary.title) == (False, "Chess at night")


async def test_blanks_around_a_secret_are_no_part_of_it(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    await editing.destinations.save("", draft(with_vault, secret=f"\n{ANOTHER} "))
    assert (await with_vault.engine.secrets.destination("friends")).secret == ANOTHER
    with pytest.raises(UsageError, match="nothing but blanks"):
        await editing.destinations.save("friends", DestinationDraft(name="friends", secret=" \n"))
    # One that an earlier version kept with them.
    await with_vault.engine.secrets.set_destination("friends", secret=f" {ANOTHER}\n")
    _, secret = await with_vault.engine.dispatcher.address(with_vault.engine.live.destinations["friends"])
    assert secret == ANOTHER
    with_vault.simulator.receiver.expect("friends", secret=ANOTHER)
    assert (await editing.preview.test("friends")).ok


async def test_what_somebody_else_wrote_into_the_same_destination_is_not_overwritten(running: Running) -> None:
    editing = running.engine.api.settings
    base = await editing.destinations.draft("main")
    path = running.paths.config
    text = path.read_text(encoding="utf-8")
    by_hand = text.replace("[destinations.main]", '[destinations.main]\ntimeout = "7s"')
    assert by_hand != text
    path.write_text(by_hand, encoding="utf-8")
    with pytest.raises(ConfigChangedError, match=r"destinations\.main"):
        await editing.destinations.save("main", msgspec.structs.replace(base, enabled=False), base)
    assert path.read_text(encoding="utf-8") == by_hand
    theirs = msgspec.structs.replace(base, timeout=7.0)
    await editing.destinations.save("main", msgspec.structs.replace(theirs, enabled=False), theirs)
    assert await editing.destinations.draft("main") == msgspec.structs.replace(base, timeout=7.0, enabled=False)


BY_HAND = {
    "url": ('url = "@keyring"', 'url = "http://127.0.0.1:9/by-hand"'),
    "secret": ('secret = "@keyring"', 'secret = "written by hand in here"'),
    "headers": ('"before"', '"by hand"'),
}
TYPED: dict[str, object] = {"url": "http://127.0.0.1:9/mine", "secret": ANOTHER, "headers": {"A": "mine"}}


@pytest.mark.parametrize("field", ["url", "secret", "headers"])
async def test_what_was_written_by_hand_over_a_stored_one_is_not_overwritten(with_vault: Running, field: str) -> None:
    editing, path = with_vault.engine.api.settings, with_vault.paths.config
    await editing.destinations.save("", draft(with_vault, secret=SECRET, headers={"A": "before"}))
    base = await editing.destinations.draft("friends")
    assert (base.url, base.secret, base.headers) == (None, None, None), "nothing stored is in a draft"
    before = path.read_text(encoding="utf-8")
    by_hand = before.replace(*BY_HAND[field])
    assert by_hand != before
    path.write_text(by_hand, encoding="utf-8")
    mine = msgspec.structs.replace(base, **{field: TYPED[field]})
    with pytest.raises(ConfigChangedError, match=r"destinations\.friends"):
        await editing.destinations.save("friends", mine, base)
    assert path.read_text(encoding="utf-8") == by_hand
    theirs: DestinationDraft = await until(lambda: another(with_vault, base))
    await editing.destinations.save("friends", msgspec.structs.replace(theirs, **{field: TYPED[field]}), theirs)


async def another(running: Running, base: DestinationDraft) -> DestinationDraft | None:
    now = await running.engine.api.settings.destinations.draft("friends")
    return now if now != base else None


async def test_what_was_changed_in_the_vault_meanwhile_is_not_overwritten(with_vault: Running) -> None:
    editing, store = with_vault.engine.api.settings, with_vault.engine.secrets
    await editing.destinations.save("", draft(with_vault))
    base = await editing.destinations.draft("friends")
    theirs = f"{with_vault.simulator.url}/receiver/theirs"
    await store.set_destination("friends", url=theirs)
    with pytest.raises(ConfigChangedError, match=r"destinations\.friends"):
        await editing.destinations.save("friends", msgspec.structs.replace(base, url="http://127.0.0.1:9/mine"), base)
    assert (await store.destination("friends")).url == theirs


async def test_fingerprints_say_nothing_of_what_they_are_of(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    await editing.destinations.save("", draft(with_vault, secret=ANOTHER, headers={"A": ANOTHER}))
    base = await editing.destinations.draft("friends")
    assert set(base.fingerprints) == {"url", "secret", "headers"}
    assert len({*base.fingerprints.values()}) == 3
    assert all(len(each) == 32 for each in base.fingerprints.values())
    assert (await editing.destinations.draft("main")).fingerprints["url"] != base.fingerprints["url"]


def without(running: Running, name: str) -> str:
    """The file without that table, as somebody saves it who takes it out."""
    lines = running.paths.config.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"[destinations.{name}]")
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
    text = "\n".join(lines[:start] + lines[end:]) + "\n"
    running.paths.config.write_text(text, encoding="utf-8")
    return text


async def test_one_that_was_taken_out_of_the_file_is_made_anew_from_its_draft(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    await editing.destinations.save("", draft(with_vault, secret=ANOTHER))
    base = await editing.destinations.draft("friends")
    without(with_vault, "friends")
    await until(lambda: "friends" not in with_vault.engine.live.destinations)
    mine = msgspec.structs.replace(base, timeout=7.0)
    with pytest.raises(ConfigChangedError):
        await editing.destinations.save("friends", mine, base)
    await editing.destinations.save("", mine)
    assert await editing.destinations.draft("friends") == mine
    stored = await editing.secrets.reveal_destination("friends")
    assert (stored.url, stored.secret) == (f"{with_vault.simulator.url}/receiver/friends", ANOTHER)


async def test_what_went_with_the_file_has_to_be_entered_again(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    await editing.destinations.save("", draft(with_vault, secret=ANOTHER), in_config=True)
    base = await editing.destinations.draft("friends")
    text = without(with_vault, "friends")
    await until(lambda: "friends" not in with_vault.engine.live.destinations)
    with pytest.raises(UsageError, match=r"address was removed .* Enter it again"):
        await editing.destinations.save("", base)
    typed = msgspec.structs.replace(base, url=f"{with_vault.simulator.url}/receiver/friends")
    with pytest.raises(UsageError, match="secret was removed"):
        await editing.destinations.save("", typed)
    assert with_vault.paths.config.read_text(encoding="utf-8") == text
    await editing.destinations.save("", msgspec.structs.replace(typed, secret=""))
    assert set((await editing.destinations.draft("friends")).fingerprints) == {"url"}


@pytest.mark.parametrize("kind", ["slack", "discord"])
async def test_a_test_arrives_without_what_the_receiver_refuses(with_vault: Running, kind: str) -> None:
    async with servers.receiver(judging(slack if kind == "slack" else discord)) as made:
        user_id = with_vault.simulator.state.get("alice").user_id
        profiles = with_vault.engine.twitch.profiles
        await until(lambda: profiles.get(user_id).image is not None, what="the picture is there")
        tried = DestinationDraft(name="new", url=made.url(), format=kind)
        result = await with_vault.engine.api.settings.preview.test(tried)
        assert result.ok
        assert len(made.requests) == 2
        assert result.sentence.startswith("It arrived. Sent as text alone, without pictures")
        preview = await with_vault.engine.api.settings.preview.render(
            None, msgspec.structs.replace(tried, picture="none")
        )
        assert (preview.summary.icon, preview.summary.picture) == ("", "")
        assert "image" not in preview.body
        assert "icon_url" not in preview.body
