from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from itsjustintv_desktop.engine.monitoring import watchdog
from itsjustintv_desktop.engine.monitoring.watchdog import DISK_EVERY, DiskWatch
from tests.support.clock import FakeClock
from tests.support.waiting import until


async def looked(watch: DiskWatch) -> None:
    """It has begun a look, and taken in what came of it."""
    watch.look()
    looking = watch._looking
    assert looking is not None
    await until(looking.done)
    watch.look()


@pytest.mark.parametrize(
    ("free", "status", "said"),
    [(10**11, "ok", ""), (200_000_000, "waiting", "Only 200 MB are left"), (1_000_000, "failing", "free some space")],
)
async def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str, said: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    watch = DiskWatch(tmp_path, FakeClock())
    await looked(watch)
    assert watch.free == free
    assert watch.health().level == status
    assert said in watch.health().reason


async def test_it_looks_once_a_minute_and_never_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []

    def look(folder: Path) -> int | None:
        looks.append(folder)
        return 10**9

    monkeypatch.setattr(watchdog, "free", look)
    clock = FakeClock()
    watch = DiskWatch(tmp_path, clock)
    for _ in range(5):
        watch.look()
        await until(lambda: watch._looking is None or watch._looking.done())
    assert len(looks) == 1
    clock.advance(DISK_EVERY)
    watch.look()
    await until(lambda: len(looks) == 2)


async def test_a_folder_that_is_gone_says_nothing(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path / "gone", FakeClock())
    await looked(watch)
    assert watch.health().level == "ok"
