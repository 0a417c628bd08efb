"""Streamers looked up at the simulated Twitch, added, changed, removed; the engine works by it at once."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.api.settings.streamers import StreamerDraft, StreamerLists
from itsjustintv_desktop.engine.config.save import Set
from itsjustintv_desktop.engine.core.errors import ConfigChangedError, NotFoundError, TwitchAuthError, UsageError
from tests.support.engine import Running


async def test_channels_are_looked_up_in_whatever_form_they_are_named(running: Running) -> None:
    bob = running.simulator.state.get("bob")
    await running.simulator.go_live("alice")
    found = await running.engine.api.settings.channels.look_up(
        ["@Alice", "https://twitch.tv/nobody_here", bob.user_id, "bob", "not a name!"]
    )
    alice, nobody, by_id, wrong = found
    assert (alice.login, alice.display_name, alice.live, alice.watched_as) == ("alice", "Alice", True, "alice")
    assert alice.followers == 1000
    assert alice.description == "A simulated channel."
    assert (nobody.unknown, nobody.login, bool(nobody.problem)) == (True, "nobody_here", True)
    assert (by_id.login, by_id.live, by_id.watched_as, by_id.unknown) == ("bob", False, "", False)
    assert wrong.unknown
    assert by_id.picture is not None
    picture = await running.engine.api.feed.picture(by_id.picture)
    assert picture is not None
    assert picture.startswith(b"\x89PNG")


async def test_digits_are_an_id_or_else_a_login(running: Running) -> None:
    running.simulator.add_channel("4711")
    (found,) = await running.engine.api.settings.channels.look_up(["4711"])
    assert (found.login, found.unknown) == ("4711", False)


async def test_without_a_client_id_the_look_up_says_so(running: Running) -> None:
    environ = dict(running.engine._options.environ)
    environ.pop("ITSJUSTINTV_TWITCH_CLIENT_ID")
    running.engine._options = type(running.engine._options)(paths=running.paths, environ=environ)
    running.engine.reload._environ = environ
    running.engine.reload._seen = ""
    await running.engine.api.settings.documents.edit([Set("retry.max_age", "2h")])
    with pytest.raises(TwitchAuthError, match="client id"):
        await running.engine.api.settings.channels.look_up(["alice"])


async def test_many_are_looked_up_and_added_in_one_save(running: Running) -> None:
    logins = [f"channel_{number}" for number in range(1000)]
    for login in logins:
        running.simulator.add_channel(login)
    found = await running.engine.api.settings.channels.look_up(logins)
    assert len(found) == 1000
    began = time.monotonic()
    saved = await running.engine.api.settings.streamers.add([*found, "alice"], ["main"], ["English"])
    assert time.monotonic() - began < 10
    assert saved.state == "in_force"
    assert "alice" in saved.note
    streamers = running.engine.live.config.streamers
    assert len(streamers) == 1001
    assert streamers["channel_7"].user_id == found[7].user_id
    assert (streamers["channel_7"].destinations, streamers["channel_7"].tag_filter) == (("main",), ("English",))
    off = await running.engine.api.settings.streamers.set_enabled(logins, False)
    assert off.state == "in_force"
    assert not running.engine.live.config.streamers["channel_999"].enabled
    await running.engine.api.settings.streamers.remove(logins)
    assert set(running.engine.live.config.streamers) == {"alice"}


async def test_who_was_added_is_announced(running: Running) -> None:
    found = await running.engine.api.settings.channels.look_up(["bob"])
    await running.engine.api.settings.streamers.add(found, ["main"])
    await running.simulator.go_live("bob")
    await running.simulator.receiver.wait_for(1, "main")
    await running.settled()


async def test_all_known_already_is_nothing_to_save(running: Running) -> None:
    with pytest.raises(UsageError, match="already"):
        await running.engine.api.settings.streamers.add(["alice"])
    unknown = await running.engine.api.settings.channels.look_up(["nobody_here"])
    with pytest.raises(UsageError):
        await running.engine.api.settings.streamers.add(unknown)


async def test_a_streamer_is_changed_and_renamed_with_its_comments(running: Running) -> None:
    text = running.paths.config.read_text(encoding="utf-8")
    running.paths.config.write_text(text.replace('login = "alice"', 'login = "alice" # my friend'), encoding="utf-8")
    editing = running.engine.api.settings
    before = await editing.streamers.draft("alice")
    assert before == StreamerDraft(key="alice", login="alice", destinations=("main",))
    draft = StreamerDraft(key="Ali ce", login="alice", destinations=("main",), tag_filter=("English",), enabled=False)
    saved = await editing.streamers.update("alice", draft)
    assert saved.state == "in_force"
    assert await editing.streamers.draft("Ali ce") == draft
    assert "# my friend" in running.paths.config.read_text(encoding="utf-8")
    await editing.streamers.update("Ali ce", before)
    assert await editing.streamers.draft("alice") == before
    assert "tag_filter" not in running.paths.config.read_text(encoding="utf-8")


async def test_a_duplicate_is_for_another_channel(running: Running) -> None:
    draft = await running.engine.api.settings.streamers.duplicate("alice")
    assert (draft.key, draft.login, draft.user_id, draft.destinations) == ("", "", "", ("main",))


async def test_a_duplicate_is_one_save_with_all_settings_and_one_undo(running: Running) -> None:
    editing = running.engine.api.settings
    model = StreamerDraft(
        key="alice", login="alice", destinations=("main",), tag_filter=("English",), additional_tags=("community",),
        description="My friend", enabled=False,
    )  # fmt: skip
    await editing.streamers.update("alice", model)
    before = running.paths.config.read_text(encoding="utf-8")
    like = await editing.streamers.duplicate("alice")
    found = await editing.channels.look_up(["bob"])
    saved = await editing.streamers.add(found, like.destinations, like.tag_filter, like)
    made = await editing.streamers.draft("bob")
    assert made == msgspec.structs.replace(model, key="bob", login="bob", user_id=found[0].user_id)
    assert (running.paths.config.with_name("config.toml.bak")).read_text(encoding="utf-8") == before
    await editing.documents.undo(saved.undo)
    assert "bob" not in running.engine.live.config.streamers


async def test_removing_is_undone(running: Running) -> None:
    editing = running.engine.api.settings
    saved = await editing.streamers.remove(["alice"])
    assert (await editing.documents.undo(saved.undo)).state == "in_force"
    assert (await editing.streamers.draft("alice")).login == "alice"
    for wish in (editing.streamers.draft, editing.streamers.duplicate, editing.streamers.suggest_tags):
        with pytest.raises(NotFoundError):
            await wish("nobody")


async def test_tags_come_from_the_channel_and_from_what_was_announced(running: Running) -> None:
    channel = running.simulator.state.get("alice")
    channel.tags = ("English", "Chess")
    await running.simulator.go_live("alice")
    await running.simulator.receiver.wait_for(1, "main")
    await running.settled()
    channel.tags = ("english", "Drops")
    assert await running.engine.api.settings.streamers.suggest_tags("alice") == ("english", "Drops", "Chess")


async def test_what_somebody_else_wrote_into_the_same_streamer_is_not_overwritten(running: Running) -> None:
    editing = running.engine.api.settings
    base = await editing.streamers.draft("alice")
    path = running.paths.config
    text = path.read_text(encoding="utf-8")
    assert "[streamers.alice]" in text
    by_hand = text.replace("[streamers.alice]", '[streamers.alice]\ndescription = "by hand"')
    path.write_text(by_hand, encoding="utf-8")
    mine = msgspec.structs.replace(base, tag_filter=("English",))
    with pytest.raises(ConfigChangedError, match=r"streamers\.alice"):
        await editing.streamers.update("alice", mine, base)
    assert path.read_text(encoding="utf-8") == by_hand
    theirs = msgspec.structs.replace(base, description="by hand")
    both = msgspec.structs.replace(theirs, tag_filter=("English",))
    await editing.streamers.update("alice", both, theirs)
    assert await editing.streamers.draft("alice") == both
    path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
    await editing.streamers.update("alice", base, both)


async def test_one_that_was_taken_out_of_the_file_is_made_anew_from_its_draft(running: Running) -> None:
    editing = running.engine.api.settings
    mine = msgspec.structs.replace(
        await editing.streamers.draft("alice"), tag_filter=("English",), description="mine", enabled=False
    )
    await editing.streamers.remove(["alice"])
    with pytest.raises(NotFoundError):
        await editing.streamers.update("alice", mine)
    await editing.streamers.update("", mine)
    assert await editing.streamers.draft("alice") == mine
    with pytest.raises(ConfigChangedError, match=r"streamers\.alice"):
        await editing.streamers.update("", mine)
    with pytest.raises(UsageError, match="name cannot be used"):
        await editing.streamers.update("", msgspec.structs.replace(mine, key="a.b\n"))


async def test_lists_of_many_are_changed_in_one_save(running: Running) -> None:
    editing = running.engine.api.settings
    running.simulator.add_channel("carol")
    await editing.documents.edit([Set("destinations.spare.url", "http://127.0.0.1:9/spare")])
    await editing.streamers.add(await editing.channels.look_up(["bob", "carol"]), ["main"], ["English"])
    saved = await editing.streamers.change_many(
        ["alice", "bob"], StreamerLists(destinations=("spare",), tag_filter=("english", "Chess")),
        StreamerLists(destinations=("main",)),
    )  # fmt: skip
    assert saved.state == "in_force"
    alice, bob, carol = [await editing.streamers.draft(key) for key in ("alice", "bob", "carol")]
    assert (alice.destinations, alice.tag_filter) == (("spare",), ("english", "Chess"))
    assert (bob.destinations, bob.tag_filter) == (("spare",), ("English", "Chess")), "once, whatever its case"
    assert (carol.destinations, carol.tag_filter) == (("main",), ("English",))
    await editing.streamers.change_many(["bob"], removed=StreamerLists(tag_filter=("ENGLISH", "chess")))
    assert (await editing.streamers.draft("bob")).tag_filter == ()
    assert saved.undo
    with pytest.raises(NotFoundError):
        await editing.streamers.change_many(["nobody"], StreamerLists(tag_filter=("x",)))


async def test_a_destination_more_takes_the_global_one_from_nobody(running: Running) -> None:
    """[global_webhook] is meant where a streamer names none: written out beside another one, it stays."""
    path = running.paths.config
    text = path.read_text(encoding="utf-8")
    spare = '[destinations.spare]\nurl = "http://127.0.0.1:9/spare"\n'
    more = '[global_webhook]\nenabled = true\nurl = "http://127.0.0.1:9/x"\n\n[streamers.bob]\nlogin = "bob"\n'
    path.write_text(f"{text}\n{spare}{more}", encoding="utf-8")
    saved = await running.engine.api.settings.streamers.change_many(
        ["alice", "bob"], StreamerLists(destinations=("spare",))
    )
    assert saved.state == "in_force", saved.sentence
    snapshot = await running.engine.snapshot()
    assert {each.key: each.destinations for each in snapshot.streamers} == {
        "alice": ("main", "spare"), "bob": ("global", "spare"),
    }  # fmt: skip
    assert {each.name: each.users for each in snapshot.destinations} == {"main": 1, "spare": 2, "global": 1}
    await running.engine.api.settings.streamers.set_enabled(["bob"], False)
    snapshot = await running.engine.snapshot()
    assert {each.name: each.users for each in snapshot.destinations} == {"main": 1, "spare": 1, "global": 0}


async def test_what_is_written_between_comparing_and_saving_is_not_overwritten(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = running.engine.api.settings
    key = next(iter(running.engine.config.current.config.streamers))
    base = await settings.streamers.draft(key)
    edit, path = settings.documents.edit, running.paths.config

    async def late(*arguments: Any, **options: Any) -> Any:
        path.write_text(f"{path.read_text()}\n# by hand\n")
        return await edit(*arguments, **options)

    monkeypatch.setattr(settings.documents, "edit", late)
    mine = msgspec.structs.replace(base, description="mine")
    for save in (
        settings.streamers.update(key, mine, base),
        settings.streamers.change_many([key], StreamerLists(tag_filter=("Chess",))),
        settings.streamers.update("", msgspec.structs.replace(mine, key="another", login="bob")),
    ):
        with pytest.raises(ConfigChangedError):
            await save
    assert "mine" not in path.read_text()
    assert path.read_text().count("# by hand") == 3
