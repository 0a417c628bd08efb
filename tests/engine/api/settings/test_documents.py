"""The config as a document: saved without losing anybody's change, in force at once, undone."""

from __future__ import annotations

import socket

import pytest

from itsjustintv_desktop.engine.api.settings.documents import Saved
from itsjustintv_desktop.engine.config.save import Remove, Set
from itsjustintv_desktop.engine.core.errors import ConfigChangedError, ConfigError, UsageError
from itsjustintv_desktop.engine.runtime import config_reloader
from tests.support.engine import Running
from tests.support.ports import free_port

BOB = '\n# The second one.\n[streamers.bob]\nlogin = "bob" # hi\ndestinations = ["main"]\n'


def on_disk(running: Running) -> str:
    return running.paths.config.read_text(encoding="utf-8")


def change_outside(running: Running, old: str, new: str) -> None:
    text = on_disk(running)
    assert old in text
    running.paths.config.write_text(text.replace(old, new), encoding="utf-8")


async def saved(running: Running, text: str, digest: str) -> Saved:
    return await running.engine.api.settings.documents.save_text(text, digest)


async def test_a_text_saved_is_in_force_when_it_returns(running: Running) -> None:
    document = await running.engine.api.settings.documents.document()
    outcome = await saved(running, document.text + BOB, document.digest)
    assert (outcome.state, outcome.changes) == ("in_force", "Added streamer bob.")
    assert "bob" in running.engine.live.config.streamers
    assert on_disk(running) == document.text + BOB
    assert (await running.engine.api.settings.documents.document()).digest == outcome.digest


async def test_something_removed_is_not_waited_for_as_if_it_were_half_written(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_reloader, "CAREFUL", 20.0)
    began = running.clock.monotonic()
    outcome = await running.engine.api.settings.documents.edit([Remove("streamers.alice")])
    assert outcome.state == "in_force"
    assert not running.engine.live.config.streamers
    assert running.clock.monotonic() - began < 15, "it took the time of care for half-written files"


async def test_a_text_with_a_problem_is_not_saved_and_check_says_the_line(running: Running) -> None:
    document = await running.engine.api.settings.documents.document()
    text = document.text + '[retry]\nmax_age = "soon"\nfoo = 1\n'
    line = text[: text.index("max_age")].count("\n") + 1
    checked = await running.engine.api.settings.documents.check(text)
    assert not checked.ok
    (problem,) = checked.problems
    assert (problem.line, problem.key) == (line, "retry.max_age")
    assert "duration" in problem.sentence
    (warning,) = checked.warnings
    assert (warning.line, warning.key) == (line + 1, "retry.foo")
    with pytest.raises(ConfigError, match="duration"):
        await running.engine.api.settings.documents.save_text(text, document.digest)
    assert on_disk(running) == document.text


async def test_check_of_what_is_no_toml_has_a_line_too(running: Running) -> None:
    checked = await running.engine.api.settings.documents.check('[retry]\n\nmax_age = "24h\n')
    (problem,) = checked.problems
    assert problem.line == 3
    assert "config.toml" not in problem.sentence


async def test_check_says_what_would_change(running: Running) -> None:
    text = (await running.engine.api.settings.documents.document()).text
    assert (await running.engine.api.settings.documents.check(text)).changes == ""
    assert (await running.engine.api.settings.documents.check(text + BOB)).changes == "Added streamer bob."


@pytest.mark.parametrize("theirs", ['description = "Theirs"', "# a comment", '[retry]\nmax_age = "2h"'])
async def test_a_file_that_was_changed_meanwhile_is_never_overwritten(running: Running, theirs: str) -> None:
    document = await running.engine.api.settings.documents.document()
    change_outside(running, 'login = "alice"\n', f'login = "alice"\n{theirs}\n')
    before = on_disk(running)
    with pytest.raises(ConfigChangedError):
        await running.engine.api.settings.documents.save_text(document.text + BOB, document.digest)
    with pytest.raises(ConfigChangedError):
        await running.engine.api.settings.documents.edit([Set("streamers.alice.description", "Ours")], document.digest)
    assert on_disk(running) == before


async def test_values_for_the_changed_file_keep_what_only_it_has(running: Running) -> None:
    settings = running.engine.api.settings
    change_outside(
        running, "[streamers.alice]", "# theirs\n[retry]\nmax_attempts = 3 # why\nfoo = 1\n\n[streamers.alice]"
    )
    document = await settings.documents.document()
    text = await settings.form.with_values(document.text, {("retry", "max_attempts"): "5"})
    outcome = await saved(running, text, document.digest)
    assert outcome.state == "in_force"
    assert running.engine.live.config.retry.max_attempts == 5
    assert "# theirs\n[retry]\nmax_attempts = 5 # why\nfoo = 1\n" in on_disk(running)


async def test_what_the_running_program_cannot_take_says_why(running: Running) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        outcome = await running.engine.api.settings.documents.edit([Set("server.port", port)])
    assert outcome.state == "waiting"
    assert str(port) in outcome.sentence


async def test_undo_puts_the_very_bytes_back(running: Running) -> None:
    before = on_disk(running)
    outcome = await running.engine.api.settings.documents.edit([Remove("streamers.alice")])
    undone = await running.engine.api.settings.documents.undo(outcome.undo)
    assert undone.state == "in_force"
    assert on_disk(running) == before
    assert "alice" in running.engine.live.config.streamers
    with pytest.raises(UsageError):
        await running.engine.api.settings.documents.undo(outcome.undo)


async def test_undo_never_takes_a_later_change_with_it(running: Running) -> None:
    outcome = await running.engine.api.settings.documents.edit([Remove("streamers.alice")])
    running.paths.config.write_text(on_disk(running) + "# a later change\n", encoding="utf-8")
    with pytest.raises(ConfigChangedError):
        await running.engine.api.settings.documents.undo(outcome.undo)
    assert on_disk(running).endswith("# a later change\n")


async def test_line_ends_and_byte_order_mark_stay(running: Running) -> None:
    running.paths.config.write_bytes(("\ufeff" + on_disk(running)).replace("\n", "\r\n").encode())
    document = await running.engine.api.settings.documents.document()
    assert "\r" not in document.text
    await saved(running, document.text + BOB, document.digest)
    content = running.paths.config.read_bytes().decode()
    assert content.startswith("\ufeff")
    assert content.count("\r\n") == content.count("\n")
    assert "streamers.bob" in content


async def test_a_file_that_somebody_broke_can_be_mended_here(running: Running) -> None:
    good = on_disk(running)
    running.paths.config.write_text("[broken\n" + good, encoding="utf-8")
    document = await running.engine.api.settings.documents.document()
    assert document.problems
    with pytest.raises(ConfigError):
        await running.engine.api.settings.documents.edit([Set("retry.max_age", "1h")])
    outcome = await saved(running, good + BOB, document.digest)
    assert outcome.state == "in_force"
    assert "bob" in running.engine.live.config.streamers


async def test_a_file_that_is_broken_meanwhile_is_not_written_over(running: Running) -> None:
    document = await running.engine.api.settings.documents.document()
    running.paths.config.write_text("[broken\n", encoding="utf-8")
    with pytest.raises(ConfigChangedError):
        await running.engine.api.settings.documents.save_text(document.text + BOB, document.digest)
    assert on_disk(running) == "[broken\n"
