"""Lines are gathered for a moment, errors are not."""

from __future__ import annotations

import logging

import pytest

from itsjustintv_desktop.engine.logs import background
from tests.support.waiting import until

pytestmark = pytest.mark.expected_errors


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.msg["event"])  # type: ignore[index]


@pytest.fixture
def kept() -> Kept:
    return Kept()


def line(level: int, text: str) -> logging.LogRecord:
    return logging.LogRecord("x", level, "", 0, text, None, None)


async def test_an_error_is_written_at_once_with_all_before_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program may be about to be killed."""
    monkeypatch.setattr(background, "GATHER_SECONDS", 3600.0)
    handler = background.Background(kept)
    handler.handle(line(logging.INFO, "first"))
    handler.handle(line(logging.ERROR, "second"))
    await until(lambda: kept.lines == ["first", "second"])
    handler.handle(line(logging.ERROR, "third"))
    await until(lambda: kept.lines == ["first", "second", "third"])
    handler.finish(5)


def test_what_is_gathered_is_written_at_the_end(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "GATHER_SECONDS", 0.5)
    handler = background.Background(kept)
    for number in range(3):
        handler.handle(line(logging.INFO, str(number)))
    handler.finish(5)
    assert kept.lines == ["0", "1", "2"]
