"""output.json as the contract says."""

from __future__ import annotations

import stat
import sys
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.config.schema import Output
from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from itsjustintv_desktop.engine.storage.ledger import EventOutcome
from itsjustintv_desktop.engine.storage.output import COALESCE_SECONDS
from tests.engine.storage.feed_rig import Rig
from tests.engine.storage.ledger.book import raw
from tests.support.disks import small_disk
from tests.support.waiting import until

S = DeliveryState


async def test_an_entry_is_as_the_contract_says(rig: Rig) -> None:
    event_id, made = await rig.announced("main", "other", received_at=1_790_000_000.25)
    (entry,) = await rig.written()
    assert list(entry) == ["timestamp", "payload", "success", "error", "deliveries"]
    assert entry == {
        "timestamp": "2026-09-21T14:13:20.250000Z",
        "payload": {"event": {"id": str(event_id)}, "completed": True},
        "success": False,
        "error": None,
        "deliveries": [
            {"destination": "main", "state": "pending", "attempts": 0},
            {"destination": "other", "state": "pending", "attempts": 0},
        ],
    }
    await rig.end(made["main"], S.DELIVERED)
    (entry,) = await rig.written()
    assert (entry["success"], entry["error"]) == (False, None), "one is still on its way"
    await rig.end(made["other"], S.DELIVERED)
    (entry,) = await rig.written()
    assert (entry["success"], entry["error"]) == (True, None)
    assert entry["deliveries"][1] == {"destination": "other", "state": "delivered", "attempts": 1}


async def test_without_a_destination_it_is_a_success(rig: Rig) -> None:
    await rig.announced()
    (entry,) = await rig.written()
    assert (entry["success"], entry["error"], entry["deliveries"]) == (True, None, [])


@pytest.mark.parametrize("state", [S.DEAD, S.EXPIRED])
async def test_a_failure_says_why_and_a_resend_mends_it(rig: Rig, state: DeliveryState) -> None:
    _, made = await rig.announced("main")
    await rig.end(made["main"], state, reason="It was refused.")
    (entry,) = await rig.written()
    assert (entry["success"], entry["error"]) == (False, "main: It was refused.")
    new = await rig.ledger.resend(made["main"])
    (entry,) = await rig.written()
    assert (entry["success"], entry["error"]) == (False, None)
    await rig.end(new.id, S.DELIVERED)
    (entry,) = await rig.written()
    assert (entry["success"], entry["error"]) == (True, None)
    assert [each["state"] for each in entry["deliveries"]] == [state.value, "delivered"]


async def test_a_dropped_one_is_no_success(rig: Rig) -> None:
    _, made = await rig.announced("main")
    await rig.ledger.drop(made["main"])
    (entry,) = await rig.written()
    assert (entry["success"], entry["error"]) == (False, "main: dropped")


async def test_suppressed_and_noted_events_are_not_in_it(rig: Rig) -> None:
    for state in (EventState.SUPPRESSED, EventState.NOTED):
        event_id = await rig.book.event()
        await rig.ledger.settle([EventOutcome(event_id=event_id, state=state, reason="x", explanation="x")])
    await rig.book.event()
    assert await rig.written() == []


async def test_first_in_first_out(rig: Rig) -> None:
    ids = [str((await rig.announced("main"))[0]) for _ in range(8)]
    await rig.written()
    assert rig.ids() == ids[-5:]
    rig.output = Output(max_lines=2)
    await rig.written()
    assert rig.ids() == ids[-2:]
    rig.output = Output(max_lines=300)
    ids += [str((await rig.announced("main"))[0]) for _ in range(250)]
    await rig.written()
    assert rig.ids() == ids, "in pages, in order"


@pytest.mark.parametrize("output", [Output(enabled=False), Output(max_lines=0)])
async def test_switched_off_it_writes_nothing(rig: Rig, output: Output) -> None:
    await rig.written()
    rig.path.unlink()
    rig.output = output
    await rig.announced("main")
    await rig.quiet()
    assert not rig.path.exists()


async def test_many_changes_are_few_writes(rig: Rig) -> None:
    await rig.written()
    await rig.announced("main")
    rig.writes = 0
    for _ in range(200):
        rig.feed.changed()
    await until(lambda: rig.writes == 1)
    await until(lambda: rig.clock.sleeping)
    for _ in range(200):
        rig.feed.changed()
    assert rig.writes == 1
    rig.clock.advance(COALESCE_SECONDS)
    await rig.feed.settled()
    assert rig.writes == 2


async def test_it_is_replaced_in_one_step_and_only_the_owner_reads_it(rig: Rig) -> None:
    await rig.announced("main")
    await rig.written()
    reader = rig.path.open("rb")
    before = rig.path.read_bytes()
    await rig.announced("main")
    await rig.written()
    with reader:
        assert reader.read() == before, "who had it open reads the old one to its end"
    assert len(rig.read()) == 2
    assert [file.name for file in rig.folder.iterdir() if "output" in file.name] == ["output.json"]
    if sys.platform != "win32":
        assert stat.S_IMODE(rig.path.stat().st_mode) == 0o600


async def test_what_a_killed_process_left_half_written_is_removed(rig: Rig) -> None:
    await rig.tasks.stop()
    leftover = rig.folder / ".output.json.abc123.new"
    leftover.write_bytes(b"[half")
    mine = rig.folder / ".other.json.abc.new"
    mine.write_bytes(b"x")
    rig.feed = rig.new_feed()
    await rig.announced("main")
    await rig.feed.write()
    assert not leftover.exists()
    assert mine.exists()


GO = [{"timestamp": f"2024-01-0{day}T00:00:00Z", "payload": {"streamer_login": "x"}, "success": True} for day in (1, 2)]


async def test_foreign_entries_stay_in_front_until_pushed_out(rig: Rig) -> None:
    rig.path.write_bytes(msgspec.json.encode(GO))
    await rig.announced("main")
    assert (await rig.written())[:2] == GO
    assert len(rig.read()) == 3
    for _ in range(3):
        await rig.announced("main")
    assert (await rig.written())[:1] == GO[1:]
    assert len(rig.read()) == 5
    await rig.announced("main")
    assert GO[1] not in await rig.written()


async def test_after_a_restart_there_is_nothing_twice(rig: Rig) -> None:
    ids = [str((await rig.announced("main"))[0]) for _ in range(3)]
    await rig.written()
    await rig.tasks.stop()
    rig.feed = rig.new_feed()
    rig.tasks.start("feed", rig.feed.run())
    ids.append(str((await rig.announced("main"))[0]))
    await rig.written()
    assert rig.ids() == ids


async def test_what_the_history_forgot_stays_in_the_file(rig: Rig) -> None:
    first, made = await rig.announced("main")
    await rig.end(made["main"], S.DELIVERED)
    await rig.written()
    rig.clock.advance(86400)
    second, _ = await rig.announced("main")
    while await rig.ledger.purge(rig.clock.now() - 10, 0, 0):
        pass
    assert [record.id for record in await rig.ledger.events()] == [second]
    await rig.written()
    assert rig.ids() == [str(first), str(second)]


@pytest.mark.parametrize("content", [b"", b"[{", b'{"not": "a list"}', b"\xff\xfe", b"[" * 100_000])
async def test_a_damaged_file_is_put_aside_and_written_anew(rig: Rig, content: bytes) -> None:
    rig.path.write_bytes(content)
    event_id, _ = await rig.announced("main")
    await rig.written()
    assert rig.ids() == [str(event_id)]
    assert (rig.folder / "output.json.damaged").read_bytes() == content
    # The same while running.
    rig.path.write_bytes(b"[{]")
    await rig.written()
    assert rig.ids() == [str(event_id)]


async def test_entries_that_are_no_entries_are_left_out(rig: Rig) -> None:
    strange: list[Any] = [1, None, "text", [], {"payload": None}, {"payload": {"event": 5}}]
    rig.path.write_bytes(msgspec.json.encode(strange))
    await rig.announced("main")
    assert (await rig.written())[:-1] == strange[4:]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
@pytest.mark.expected_errors("output.json cannot be written")
async def test_a_symbolic_link_is_refused_until_it_is_gone(rig: Rig) -> None:
    target = rig.folder / "precious"
    target.write_bytes(b"precious")
    await rig.written()
    rig.path.unlink()
    rig.path.symlink_to(target)
    await rig.announced("main")
    rig.feed.changed()
    await rig.clock.run_until(lambda: rig.feed.problem)
    assert "symbolic link" in (rig.feed.problem or "")
    assert target.read_bytes() == b"precious"
    rig.path.unlink()
    assert len(await rig.written()) == 1
    assert rig.feed.problem is None
    assert target.read_bytes() == b"precious"


@pytest.mark.small_disk
@pytest.mark.expected_errors("output.json cannot be written")
async def test_a_full_disk_heals_by_itself(rig: Rig) -> None:
    with small_disk(rig.folder / "disk", "64k") as disk:
        rig.path = disk.path / "output.json"
        await rig.announced("main")
        before = await rig.written()
        disk.fill()
        for _ in range(4):
            await rig.announced(*(f"destination-{number}" for number in range(60)))
        rig.feed.changed()
        await rig.clock.run_until(lambda: rig.feed.problem)
        assert "disk is full" in (rig.feed.problem or "")
        assert rig.read() == before, "the old one stays whole"
        disk.free()
        assert len(await rig.written()) == 5
        assert rig.feed.problem is None
        assert [file.name for file in disk.path.iterdir()] == ["output.json"]


@pytest.mark.expected_errors("output.json cannot be written")
async def test_a_folder_in_its_place_is_said_and_waited_for(rig: Rig) -> None:
    rig.path.mkdir()
    (rig.path / "file").touch()
    await rig.announced("main")
    rig.feed.changed()
    await rig.clock.run_until(lambda: rig.feed.problem)
    (rig.path / "file").unlink()
    rig.path.rmdir()
    assert len(await rig.written()) == 1


@pytest.mark.expected_errors("output.json cannot be written", "the ledger cannot be written")
async def test_a_ledger_that_fails_is_waited_for(rig: Rig) -> None:
    await rig.announced("main")
    await rig.written()
    with raw(rig.folder / "ledger.db") as other:
        other.execute("BEGIN IMMEDIATE")
        rig.feed.changed()
        await rig.clock.run_until(lambda: rig.feed.problem, most=1.0)
        assert "Another program" in (rig.feed.problem or "")
        other.execute("ROLLBACK")
    await rig.written()
    assert rig.feed.problem is None


async def test_a_folder_that_is_missing_is_made(rig: Rig) -> None:
    rig.path = rig.folder / "a" / "b" / "out.json"
    await rig.announced("main")
    assert len(await rig.written()) == 1
