"""Noticing that the file is another, however it was saved."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.load import digest_of
from itsjustintv_desktop.engine.config.watch import EVERY, READ_EVERY, SETTLE, ConfigWatcher, Content
from itsjustintv_desktop.engine.core.tasks import Tasks
from tests.support.clock import FakeClock


class Desk:
    """A watcher that waits for the file to differ from `first`; the test moves the clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.write_bytes(b"first")
        self.clock = FakeClock()
        self.watcher = ConfigWatcher(path, self.clock)
        self.tasks = Tasks()
        self.found: asyncio.Task[Content | None] = self.tasks.start(
            "test.watch", self.watcher.another(digest_of(b"first"))
        )

    async def pass_time(self, seconds: float, step: float = SETTLE) -> None:
        """Let the watcher look as it would in that time."""
        while seconds > 0:
            await self.at_rest()
            self.clock.advance(min(step, seconds))
            seconds -= step
        await self.at_rest()

    async def at_rest(self) -> None:
        """Until its question to the disk is answered and it waits by the clock again."""
        for _ in range(2000):
            await asyncio.sleep(0.001)
            if self.found.done() or self.clock.sleeping:
                return
        raise AssertionError("the watcher neither waits nor is done")

    async def sees(self, content: bytes | None) -> None:
        await self.pass_time(READ_EVERY + EVERY + 2 * SETTLE)
        assert self.found.done()
        found = self.found.result()
        assert found is not None
        assert (found.digest, found.missing) == (digest_of(content), content is None)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path / "config.toml")
    await made.at_rest()
    yield made
    await made.tasks.stop()


async def test_a_file_that_stays_is_no_news(desk: Desk) -> None:
    await desk.pass_time(3 * READ_EVERY)
    assert not desk.found.done()


async def test_saved_in_place(desk: Desk) -> None:
    desk.path.write_bytes(b"second")
    await desk.pass_time(EVERY + 2 * SETTLE)
    assert desk.found.done()
    await desk.sees(b"second")


async def test_saved_by_rename(desk: Desk) -> None:
    other = desk.path.with_name("other")
    other.write_bytes(b"second")
    other.replace(desk.path)
    await desk.sees(b"second")


async def test_removed(desk: Desk) -> None:
    desk.path.unlink()
    await desk.sees(None)


async def test_a_folder_that_goes_away(desk: Desk) -> None:
    desk.path.unlink()
    desk.path.parent.rename(desk.path.parent.with_name("elsewhere"))
    await desk.sees(None)


async def test_a_link_that_is_pointed_elsewhere(desk: Desk) -> None:
    target = desk.path.with_name("target")
    target.write_bytes(b"second")
    desk.path.unlink()
    desk.path.symlink_to(target)
    await desk.sees(b"second")


async def test_the_same_size_and_times_are_found_out_by_reading(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that keeps times by the second, or a clock that was set back."""
    known = os.stat(desk.path)  # noqa: PTH116
    desk.path.write_bytes(b"other")
    monkeypatch.setattr("os.stat", lambda *_, **__: known)
    await desk.pass_time(READ_EVERY - 2 * EVERY)
    assert not desk.found.done(), "nothing told of it so far"
    await desk.sees(b"other")


async def test_touched_only(desk: Desk) -> None:
    os.utime(desk.path, (1, 1))
    desk.path.chmod(0o600)
    await desk.pass_time(READ_EVERY)
    assert not desk.found.done()


async def test_what_is_still_being_written_is_waited_for(desk: Desk) -> None:
    desk.path.write_bytes(b"")
    await desk.pass_time(EVERY, step=EVERY)
    desk.path.write_bytes(b"se")
    await desk.pass_time(SETTLE)
    desk.path.write_bytes(b"second")
    assert not desk.found.done()
    await desk.sees(b"second")


async def test_unreadable_says_so(desk: Desk) -> None:
    desk.path.unlink()
    desk.path.mkdir()
    await desk.pass_time(READ_EVERY)
    found = desk.found.result()
    assert found is not None
    assert found.problem is not None
    assert "it is a folder" in found.problem.message


async def test_a_nudge_looks_at_once(desk: Desk) -> None:
    desk.path.write_bytes(b"second")
    desk.watcher.trigger()
    await desk.pass_time(2 * SETTLE, step=SETTLE)
    assert desk.found.done()


async def test_it_gives_up_after_the_time_given(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"first")
    clock = FakeClock()
    tasks = Tasks()
    waiting = tasks.start("test.watch", ConfigWatcher(path, clock).another(digest_of(b"first"), within=5.0))
    for _ in range(8):
        while not (waiting.done() or clock.sleeping):
            await asyncio.sleep(0.001)
        clock.advance(EVERY)
    assert await waiting is None
