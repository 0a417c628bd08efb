"""A thread for calls that block, one after another."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from itsjustintv_desktop.engine.core.errors import SecretsError

T = TypeVar("T")


class BlockingThread:
    """One daemon thread, begun with the first call.

    Not `asyncio.to_thread`: a keyring may wait for a person for hours, and the program must be able to end
    meanwhile. A caller that is cancelled leaves its call running, so the order of calls always holds.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Run `call` after all that were submitted before."""
        future: Future[T] = Future()
        self._queue.put((future, call))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return future

    async def run(self, call: Callable[[], T], *, timeout: float = 10.0) -> T:
        """Its result. Raises what it raises, or SecretsError if it takes more than `timeout` seconds."""
        future = self.submit(call)
        if not await finished(future, timeout):
            raise SecretsError("The disk does not answer. Check the disk that holds the data directory.")
        return future.result()

    async def close(self, timeout: float = 5.0) -> None:
        """Let what was submitted finish, for at most `timeout` seconds, and end the thread."""
        if self._thread is None:
            return
        last = self.submit(lambda: None)
        self._queue.put(None)
        self._thread = None
        await finished(last, timeout)

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - it is handed to whoever waits
                future.set_exception(error)
            else:
                future.set_result(result)
            del job, future, call  # a waiting thread must not keep a secret alive


async def finished(future: Future[Any], timeout: float) -> bool:
    """Whether it is done within `timeout` seconds. It is never cancelled, and its outcome not looked at."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell(_: Future[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(tell)
    try:
        async with asyncio.timeout(timeout):
            await done.wait()
    except TimeoutError:
        return future.done()
    return True
