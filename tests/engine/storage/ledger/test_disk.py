"""What the file system does to a ledger: permissions, links, a full or read-only disk, another program's lock."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.engine.storage.ledger.book import Book, raw
from tests.support.builders import make_event
from tests.support.clock import FakeClock
from tests.support.disks import small_disk
from tests.support.waiting import until

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
async def test_only_the_owner_can_read_it(path: Path, clock: FakeClock) -> None:
    before = os.umask(0)
    try:
        ledger = Ledger(path, clock)
        await ledger.open()
        assert await ledger.accept_now(make_event())
        files = sorted(file.name for file in path.parent.iterdir())
        assert files == ["ledger.db", "ledger.db-shm", "ledger.db-wal"]
        assert {file.name: mode(file) for file in path.parent.iterdir()} == dict.fromkeys(files, 0o600)
        await ledger.close()
    finally:
        os.umask(before)


@posix
async def test_a_file_that_others_could_read_is_closed_to_them(path: Path, clock: FakeClock) -> None:
    path.touch(0o644)
    path.chmod(0o644)
    ledger = Ledger(path, clock)
    await ledger.open()
    assert mode(path) == 0o600
    await ledger.close()


@posix
async def test_a_symbolic_link_is_refused_and_not_followed(path: Path, tmp_path: Path, clock: FakeClock) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    path.symlink_to(target)
    with pytest.raises(LedgerUnavailableError, match="symbolic link"):
        await Ledger(path, clock).open()
    assert target.read_bytes() == b"precious"


async def test_a_folder_in_its_place_is_refused(path: Path, clock: FakeClock) -> None:
    path.mkdir()
    with pytest.raises(LedgerUnavailableError, match="cannot be opened"):
        await Ledger(path, clock).open()


async def test_a_missing_folder_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(LedgerUnavailableError, match="does not exist"):
        await Ledger(tmp_path / "nowhere" / "ledger.db", clock).open()


@pytest.mark.small_disk
@pytest.mark.expected_errors("cannot be written")
async def test_a_full_disk_refuses_and_heals_by_itself(tmp_path: Path, clock: FakeClock) -> None:
    with small_disk(tmp_path / "disk", "600k") as disk:
        ledger = Ledger(disk.path / "ledger.db", clock)
        await ledger.open()
        book = Book(ledger, clock)
        delivery_id = await book.delivery()
        claimed = await book.claimed(delivery_id)
        assert await ledger.accept_now(make_event(message_id="before"))
        disk.fill()
        said: list[str] = []
        for _ in range(50):  # the log may have a little room left
            try:
                await ledger.accept_now(make_event(broadcaster_name="x" * 5000))
            except LedgerUnavailableError as error:
                said.append(error.message)
            if len(said) == 3:
                break
        assert [("disk is full" in message) for message in said] == [True] * 3
        assert _failing(ledger)
        with pytest.raises(LedgerUnavailableError, match="disk is full"):
            await ledger.announce(1, streamer="alice", payload=b"x" * 100_000, destinations=["a"])
        stored = len(await _unfinished(ledger))
        disk.free()
        await until(lambda: ledger.failure is None, what="it notices the space by itself, asked or not")
        assert not _failing(ledger)
        assert len(await _unfinished(ledger)) == stored
        assert await ledger.accept_now(make_event(message_id="after"))
        await book.finish(claimed, DeliveryState.DELIVERED)
        assert (await ledger.delivery(delivery_id)).state is DeliveryState.DELIVERED
        await ledger.close()
        with raw(disk.path / "ledger.db") as other:
            assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert other.execute("SELECT count(*) FROM events WHERE message_id IN ('before', 'after')").fetchone() == (
                2,
            )


def _failing(ledger: Ledger) -> bool:
    assert (ledger.failure is None) == (ledger.failing_since is None)
    return ledger.failure is not None


async def _unfinished(ledger: Ledger) -> list[int]:
    return [record.id for record in await ledger.unfinished()]


@pytest.mark.small_disk
async def test_a_disk_too_small_to_begin_on(tmp_path: Path, clock: FakeClock) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        disk.fill()
        with pytest.raises(LedgerUnavailableError):
            await Ledger(disk.path / "ledger.db", clock).open()
        disk.free()


@pytest.mark.small_disk
async def test_a_read_only_disk(tmp_path: Path, clock: FakeClock) -> None:
    with small_disk(tmp_path / "disk") as disk:
        disk.read_only(True)
        with pytest.raises(LedgerUnavailableError, match="read-only"):
            await Ledger(disk.path / "ledger.db", clock).open()
        disk.read_only(False)
        ledger = Ledger(disk.path / "ledger.db", clock)
        await ledger.open()
        await ledger.close()
        before = (disk.path / "ledger.db").read_bytes()
        disk.read_only(True)
        with pytest.raises(LedgerUnavailableError, match="read-only"):
            await Ledger(disk.path / "ledger.db", clock).open()
        assert (disk.path / "ledger.db").read_bytes() == before


@posix
@pytest.mark.fault(
    "disk: the data directory belongs to somebody else",
    seen='`serve` ends with 1: "permission was denied"',
)
async def test_a_read_only_directory(clock: FakeClock) -> None:
    # Not below tmp_path, which only root could enter; root itself may write everywhere, so it lays that down.
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "data"
        folder.mkdir()
        folder.chmod(0o555)
        Path(outer).chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(LedgerUnavailableError, match="permission was denied"):
                await Ledger(folder / "ledger.db", clock).open()
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)
        ledger = Ledger(folder / "ledger.db", clock)
        await ledger.open()
        await ledger.close()


_LIMITED = """
import asyncio, json, pathlib, resource, sys
from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.support.builders import make_event

async def main():
    logs.configure("error")
    path = pathlib.Path(sys.argv[1])
    new = Ledger(path, SystemClock())
    await new.open()
    await new.close()  # with it the log of the new tables goes, which would leave room
    ledger = Ledger(path, SystemClock())
    await ledger.open()
    await ledger.accept_now(make_event(message_id="before"))
    size = path.with_name("ledger.db-wal").stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    said = []
    for _ in range(3):
        try:
            await ledger.accept_now(make_event(broadcaster_name="x" * 9000))
        except LedgerUnavailableError as error:
            said.append(error.message)
    failed = ledger.failure is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if ledger.failure is None:
            break
    healed = ledger.failure is None
    after = await ledger.accept_now(make_event(message_id="after"))
    left = [record.event.message_id for record in await ledger.unfinished()]
    await ledger.close()
    print(json.dumps([said, failed, healed, after, left]))

asyncio.run(main())
"""


@posix
def test_a_file_that_may_not_grow_refuses_and_heals_by_itself(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)], capture_output=True, text=True, timeout=50, check=False
    )
    assert run.returncode == 0, run.stderr
    said, failed, healed, after, left = json.loads(run.stdout)
    assert len(said) == 3
    assert "disk" in said[0]
    assert (failed, healed, after, left) == (True, True, True, ["before", "after"])


@pytest.mark.expected_errors("cannot be written")
@pytest.mark.fault(
    "ledger: another program locks it while it runs",
    seen='Twitch hears 503; the health says "Another program holds"; what waits is stored when the lock goes',
)
async def test_another_programs_lock_is_waited_for_and_then_said(ledger: Ledger, path: Path) -> None:
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailableError, match="Another program holds"):
            await ledger.accept_now(make_event(message_id="m"))
        assert _failing(ledger)
        waiting = asyncio.ensure_future(ledger.accept_now(make_event(message_id="m")))
        await asyncio.sleep(0)
        other.execute("ROLLBACK")
        assert await waiting is True, "one that is waiting when the lock goes is stored"
    assert not _failing(ledger)


async def test_a_ledger_held_exclusively_cannot_be_opened(path: Path, clock: FakeClock) -> None:
    ledger = Ledger(path, clock)
    await ledger.open()
    await ledger.close()
    with raw(path) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO meta VALUES ('a', 'b')")
        with pytest.raises(LedgerUnavailableError, match="Another program holds"):
            await Ledger(path, clock).open()
        other.execute("ROLLBACK")
