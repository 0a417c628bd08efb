"""What runs on a loop can be counted by name."""

from __future__ import annotations

import asyncio

from itsjustintv_desktop.engine.tasks import Tasks, census


async def _of_a_library(end: asyncio.Event) -> None:
    await end.wait()


async def test_tasks_are_counted_by_name_and_those_of_libraries_by_what_they_run() -> None:
    end, tasks = asyncio.Event(), Tasks()
    for _ in range(3):
        tasks.start("delivery.attempt", _of_a_library(end))
    nameless = asyncio.get_running_loop().create_task(_of_a_library(end))
    found = census()
    assert (found["delivery.attempt"], found["_of_a_library"]) == (3, 1)
    assert list(found) == sorted(found)
    end.set()
    await tasks.finish(1.0)
    await nameless
    assert "delivery.attempt" not in census()
