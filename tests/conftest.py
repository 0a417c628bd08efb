"""What every test is held to: no unexpected error in the log, no task and no thread left behind.

A test that provokes errors says so: `@pytest.mark.expected_errors("part of the message", ...)`; without arguments any
error is fine. The fixture `error_log` gives the messages so far.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import importlib
import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import hypothesis
import pytest
import structlog

from itsjustintv_desktop.engine import logs, redaction
from itsjustintv_desktop.engine.config.schema import Server
from itsjustintv_desktop.engine.storage.secrets.vault_format import Protection, ProtectionKind
from tests.support.disks import can_mount, memory_disk

_FOREIGN = re.compile(
    "MAKE|MFLAGS|ITSJUSTINTV_|OTEL_|(https?|all|no)_proxy$|PYTHON(WARNINGS|OPTIMIZE|DONTWRITEBYTECODE)|CLICOLOR|(NO|FORCE)_COLOR$",
    re.IGNORECASE,
)
"""Environment variables that would change what the program, or the make of a test, does; `make test` sets some."""

for _name in filter(_FOREIGN.match, list(os.environ)):
    del os.environ[_name]

sys.dont_write_bytecode = False  # else every process of a test compiles the whole program anew

if (_memory := memory_disk()) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _memory)

gc.disable()  # until all tests are collected: what is made by then stays

with contextlib.suppress(ImportError):  # without Qt's libraries the tests that need it skip, and say so
    importlib.import_module("PySide6.QtWidgets")
    pytest_plugins = ["pytestqt.plugin"]

# A deadline of milliseconds an example is missed on a busy machine, whatever the code does.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

_PASSPHRASE = Protection.passphrase
_BIND = socket.socket.bind
_DEFAULT_PORT = Server().port

_PLAIN = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
"""By default structlog has rich draw every traceback with all variables, which takes longer than most tests."""
_LEVELS = frozenset({"error", "critical", "exception", "fatal"})


class ErrorLog(logging.Handler):
    """Messages of level error and above, of structlog and of `logging` (asyncio reports its mishaps there)."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text} ({record.exc_info[1]!r})"
        self.messages.append(f"{record.name}: {text}")

    def process(self, _logger: object, method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        """As a structlog processor: notes errors, changes nothing."""
        if method in _LEVELS:
            details = ", ".join(f"{key}={value!r}" for key, value in event.items() if key != "event")
            self.messages.append(f"{event.get('event')} ({details})")
        return event


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "expected_errors(*texts): log records of level error that hold one of the texts are no failure"
    )
    config.addinivalue_line("markers", "small_disk: mounts a small disk of its own, which takes root on Linux")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that none is left over at the end: those that ask for more time than others.

    Skips tests marked small_disk, visibly, where none can be mounted.
    """
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
    marked = [item for item in items if item.get_closest_marker("small_disk")]
    if marked and not can_mount():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="a small disk cannot be mounted here (that takes root on Linux)"))


def pytest_collection_finish() -> None:
    # What is loaded now stays: collecting garbage after a test then only looks at what the test made.
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def quick_keys() -> Iterator[None]:
    """Keys are derived from passphrases with the least scrypt that a vault may have: the file says how much it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Protection, "passphrase", lambda: Protection(ProtectionKind.PASSPHRASE, salt=os.urandom(16), log_n=10, p=1)
        )
        yield


@pytest.fixture
def full_keys(quick_keys: None) -> Iterator[None]:
    """Keys are derived as in the program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Protection, "passphrase", _PASSPHRASE)
        yield


@pytest.fixture(scope="session", autouse=True)
def default_port_taken() -> Iterator[None]:
    """Nobody listens at the port of an empty config: another program, or another test, may have it."""

    def bind(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[1] == _DEFAULT_PORT:
            raise OSError(errno.EADDRINUSE, "a test's config says no port")
        _BIND(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "bind", bind)
        yield


@pytest.fixture(autouse=True)
def error_log(request: pytest.FixtureRequest) -> Iterator[ErrorLog]:
    """Fails the test for unexpected errors, tasks and threads. Comes first, so it looks after all else is over."""
    log = ErrorLog()
    logs.reset()
    redaction.forget()
    structlog.configure(processors=[log.process, *structlog.get_config()["processors"][:-1], _PLAIN])
    logging.getLogger().addHandler(log)
    before = set(threading.enumerate())
    is_async = request.node.get_closest_marker("asyncio") is not None
    if is_async:
        request.getfixturevalue("_no_tasks_left")
    yield log
    if is_async:
        gc.collect()  # a task that failed unheard is reported when it is collected
        gc.freeze()  # what is left outlives the test: to look at it again after each took a fifth of all time
    logging.getLogger().removeHandler(log)
    logs.reset()
    left = _threads_left(before)
    assert not left, f"threads left running: {', '.join(left)}"
    unexpected = _unexpected(request, log.messages)
    assert not unexpected, "unexpected errors in the log:\n" + "\n".join(unexpected)


@pytest.fixture
async def _no_tasks_left() -> AsyncIterator[None]:
    """Torn down on the test's own loop, after every other fixture."""
    yield
    left = _other_tasks()
    if left:
        await asyncio.wait(left, timeout=1.0)
        left = _other_tasks()
    assert not left, f"tasks left running: {', '.join(sorted(map(repr, left)))}"


def _other_tasks() -> set[asyncio.Task[object]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


def _threads_left(before: set[threading.Thread]) -> list[str]:
    """Names of new threads that keep a process alive, and of ledgers nobody closed; they get 2 s to end."""
    deadline = time.monotonic() + 2.0
    left = [one for one in threading.enumerate() if one not in before and _counts(one)]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread.name for thread in left if thread.is_alive()]


def _counts(thread: threading.Thread) -> bool:
    # The loop's own executor (asyncio_0, ...) ends with the loop, which is closed after this.
    return thread.name == "ledger" or not (thread.daemon or thread.name.startswith("asyncio_"))


def _unexpected(request: pytest.FixtureRequest, messages: list[str]) -> list[str]:
    markers = list(request.node.iter_markers("expected_errors"))
    if any(not marker.args for marker in markers):
        return []
    allowed = [text for marker in markers for text in marker.args]
    return [message for message in messages if not any(text in message for text in allowed)]
