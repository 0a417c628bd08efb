"""The thread for calls that block."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from functools import partial

import pytest

from itsjustintv_desktop.engine.core.errors import SecretsError
from itsjustintv_desktop.engine.storage.secrets.blocking_thread import BlockingThread


async def test_calls_run_one_after_another_in_one_thread() -> None:
    worker = BlockingThread("test.worker")
    threads: list[threading.Thread] = []

    def work(number: int) -> int:
        threads.append(threading.current_thread())
        return number

    results = await asyncio.gather(*(worker.run(partial(work, number)) for number in range(20)))
    assert results == list(range(20))
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    await worker.close()
    threads[0].join(5)
    assert not threads[0].is_alive()


async def test_an_error_reaches_the_caller_and_the_thread_goes_on() -> None:
    worker = BlockingThread("test.worker")

    def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        await worker.run(fail)
    assert await worker.run(lambda: 7) == 7
    await worker.close()


async def test_a_call_that_takes_too_long_is_an_error_and_still_finishes_before_the_next() -> None:
    worker = BlockingThread("test.worker")
    release, done = threading.Event(), []

    def slow() -> None:
        release.wait(10)
        done.append("slow")

    with pytest.raises(SecretsError, match="does not answer"):
        await worker.run(slow, timeout=0.01)
    release.set()
    await worker.run(lambda: done.append("next"))
    assert done == ["slow", "next"]
    await worker.close()


def test_a_call_that_hangs_does_not_keep_the_program_from_ending() -> None:
    script = """
import asyncio, threading
from itsjustintv_desktop.engine.storage.secrets.blocking_thread import BlockingThread
async def main():
    worker = BlockingThread("test.worker")
    worker.submit(threading.Event().wait)
    await worker.close(timeout=0.05)
asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=20, check=False).returncode == 0
