"""What runs on a loop can be counted by name."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.tasks import Tasks, census
from tests.conftest import ErrorLog


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


async def test_a_task_that_ran_out_of_time_is_said_without_a_traceback(error_log: ErrorLog) -> None:
    """A deadline is not a fault: the machine may have stood still."""
    failed: list[str] = []
    tasks = Tasks(lambda name, _: failed.append(name))

    async def late() -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with capture_logs() as lines:
        task = tasks.start("some.work", late())
        await asyncio.wait([task])
        await asyncio.sleep(0)
    (line,) = lines
    assert (line["event"], line["log_level"], line["task"]) == ("a task ran out of time", "warning", "some.work")
    assert "exc_info" not in line
    assert not error_log.messages
    assert failed == ["some.work"], "who waits for it hears of it all the same"
