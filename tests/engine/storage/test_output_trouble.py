"""output.json when it is large, when entries are damaged, and when the program stops."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.schema import Output
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.storage.output import COALESCE_SECONDS, PACE
from tests.conftest import ErrorLog
from tests.engine.storage.feed_rig import Rig
from tests.engine.storage.ledger.book import raw
from tests.support.waiting import until


async def test_its_form_is_an_array_indented_by_two(rig: Rig) -> None:
    await rig.written()
    assert rig.path.read_bytes() == b"[]"
    rig.more = {"empty": {}, "list": [], "text": "]\n  },\n", "nested": [[{"a": []}], "\u00e9"]}
    rig.path.write_text(json.dumps([{"go": rig.more}, {}], indent=2, ensure_ascii=False), encoding="utf-8")
    await rig.announced("main")
    await rig.announced()
    entries = await rig.written()
    assert [entry.get("go") for entry in entries] == [rig.more, None, None, None]
    assert rig.path.read_text(encoding="utf-8") == json.dumps(entries, indent=2, ensure_ascii=False)


async def test_a_large_file_is_never_in_memory_as_a_whole(rig: Rig) -> None:
    rig.output = Output(max_lines=1000)
    rig.more = {"image": {"data": "A" * 80_000}}
    for _ in range(250):
        await rig.announced()
    await rig.tasks.stop()
    tracemalloc.start()
    try:
        for _ in range(2):  # the second one also looks through the first one's file
            await rig.feed.write()
            assert rig.path.stat().st_size > 250 * 80_000
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert len(rig.read()) == 250


async def test_what_takes_long_to_write_is_written_rarely(rig: Rig) -> None:
    await rig.written()

    def slow() -> None:
        rig.clock._mono += 3.0

    rig.on_complete = slow
    await rig.announced("main")
    rig.feed.changed()
    rig.clock.advance(COALESCE_SECONDS)
    # `writes` counts from within the write, and the short sleep before it may still be listed: wait for the long one.
    await until(lambda: rig.writes and any(seconds > COALESCE_SECONDS for seconds in rig.clock.sleeping))
    assert rig.clock.sleeping == [pytest.approx(3.0 * PACE)]


@pytest.mark.expected_errors("output.json lacks what cannot be read")
@pytest.mark.parametrize("damage", [b"{", b"[]", b'"text"', b"\xff"])
async def test_one_entry_that_cannot_be_read_costs_no_other(rig: Rig, damage: bytes, error_log: ErrorLog) -> None:
    first, _ = await rig.announced("main")
    damaged, _ = await rig.announced("main")
    last, _ = await rig.announced("main")
    with raw(rig.folder / "ledger.db") as other:
        other.execute("UPDATE events SET payload = ? WHERE id = ?", (damage, damaged))
    for _ in range(3):
        await rig.written()
        assert rig.ids() == [str(first), str(last)]
    assert len(error_log.messages) == 1, "it is said once"
    assert rig.feed.problem is not None
    assert f"event {damaged}" in rig.feed.problem
    for _ in range(4):
        await rig.announced("main")
    await rig.written()
    assert rig.feed.problem is None, "it is too old to be in the file"


async def test_an_unforeseen_error_does_not_end_the_writing(rig: Rig) -> None:
    await rig.tasks.stop()
    good, broken = rig.output, ZeroDivisionError("unforeseen")

    class Broken:
        @property
        def enabled(self) -> bool:
            raise broken

    await rig.announced("main")
    rig.output = Broken()  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        await rig.feed.run()
    rig.output = good
    rig.tasks.start("feed", rig.feed.run())  # as the supervisor does
    async with asyncio.timeout(5):
        await rig.feed.settled()
    assert len(rig.read()) == 1


@pytest.mark.expected_errors("output.json cannot be written")
@pytest.mark.parametrize(
    "fault", [ZeroDivisionError("unforeseen"), PermissionError(13, "denied"), LedgerError("Gone.")]
)
async def test_closing_raises_nothing_and_says_what_went_wrong(rig: Rig, fault: Exception, error_log: ErrorLog) -> None:
    await rig.tasks.stop()

    async def broken(*_: Any) -> None:
        raise fault

    rig.feed._ledger = SimpleNamespace(feed=broken)  # type: ignore[assignment]
    await rig.feed.close()
    assert len(error_log.messages) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
@pytest.mark.expected_errors("output.json cannot be written")
async def test_closing_on_a_symbolic_link_says_so_in_plain_words(rig: Rig, error_log: ErrorLog) -> None:
    await rig.tasks.stop()
    rig.path.unlink(missing_ok=True)
    rig.path.symlink_to(rig.folder / "elsewhere")
    rig.feed.changed()
    await rig.feed.close()
    (message,) = error_log.messages
    assert "it is a symbolic link" in message
    assert "Errno" not in message


async def test_a_write_cut_short_by_the_stop_does_not_replace_the_last_one(rig: Rig) -> None:
    await rig.written()
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert go_on.wait(10)

    rig.on_complete = hold
    await rig.announced("main")
    rig.feed.changed()
    rig.clock.advance(COALESCE_SECONDS)
    await until(begun.is_set)
    await rig.tasks.stop()
    go_on.set()
    await until(lambda: not rig.feed._turn.locked())
    assert rig.read() == [], "nobody waited for it any more"
    await rig.feed.close()
    assert len(rig.read()) == 1
    assert [file.name for file in rig.folder.iterdir() if "output" in file.name] == ["output.json"]
