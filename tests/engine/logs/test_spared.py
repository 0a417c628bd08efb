"""What strangers make libraries say comes into the log now and then, and everything else as ever."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.logs.spared import EVERY, Spared
from tests.support.clock import FakeClock


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("info", stream)
    logs.configure("info", stream)
    yield stream
    logs.reset()


def _accept_failed(number: int) -> None:
    """As asyncio says it, as many times at once as it would accept."""
    text = f"socket.accept() out of system resource\nsocket: <asyncio.TransportSocket fd={number}>"
    error = OSError(24, "Too many open files")
    logging.getLogger("asyncio").error(text, exc_info=(OSError, error, None))


@pytest.mark.expected_errors("out of system resource", "Exception in callback", "Error handling request", "ours")
def test_a_kind_of_line_comes_once(stream: io.StringIO) -> None:
    for number in range(500):
        _accept_failed(number)
        logging.getLogger("asyncio").error("".join(["Exception in callback work(", str(number), ")"]))
        logging.getLogger("aiohttp.server").error("Error handling request from %s", f"10.0.0.{number}")
    lines = [line for line in stream.getvalue().splitlines() if line.startswith("20")]
    assert len(lines) == 3, stream.getvalue()
    for _ in range(3):
        logging.getLogger("itsjustintv_desktop.engine").error("ours")
    assert stream.getvalue().count("ours") == 3


def test_how_many_were_left_out_is_said() -> None:
    clock = FakeClock()
    spared = Spared(clock)

    def record(number: int, error: type[Exception] | None = None) -> logging.LogRecord:
        exc_info = (error, error(), None) if error else None
        return logging.LogRecord("asyncio", logging.ERROR, "", 0, "Task broke: <%d>", (number,), exc_info)

    assert [spared.filter(record(number)) for number in range(5)] == [True, False, False, False, False]
    assert spared.filter(record(5, ValueError)), "another error is another kind"
    clock.advance(EVERY)
    later = record(6)
    assert spared.filter(later)
    assert later.getMessage() == "Task broke: <6> (and 4 more since the last such line)"


def test_nothing_is_left_behind() -> None:
    logs.configure("info", io.StringIO())
    logs.reset()
    for name in ("asyncio", "aiohttp.server", "aiohttp.web"):
        assert not logging.getLogger(name).filters
