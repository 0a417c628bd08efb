"""The last lines in memory: what a screen shows, without a secret, and never more than fits."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator

import pytest
import structlog

from itsjustintv_desktop.engine import logs, redaction
from itsjustintv_desktop.engine.logs.recent import SIZE

pytestmark = pytest.mark.expected_errors
SECRET = "marked-secret-9876543210"
log = structlog.get_logger("itsjustintv_desktop.engine.part")


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    logs.configure("warning", io.StringIO())
    redaction.learn(SECRET)
    logs.keep_recent()
    yield
    logs.reset()


def test_a_line_has_its_parts_and_a_number() -> None:
    log.info("announced", streamer="alice", destinations=2)
    log.warning("late")
    first, second = logs.recent_lines()
    assert (first.level, first.logger, first.text) == ("info", "engine.part", "announced")
    assert first.fields == (("streamer", "alice"), ("destinations", "2"))
    assert second.number == first.number + 1
    assert logs.recent_lines(first.number) == (second,)
    assert logs.recent_lines(second.number) == ()


def test_nothing_secret_is_kept() -> None:
    log.error("said", word=SECRET, url=f"https://example.org/{SECRET}")
    logging.getLogger("some.library").warning("also %s", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("broke")
    assert len(logs.recent_lines()) == 3
    assert SECRET not in repr(logs.recent_lines())
    assert "ValueError" in dict(logs.recent_lines()[-1].fields)["exception"]
    assert logs.recent_lines()[1].logger == "some.library"


def test_the_oldest_go() -> None:
    for number in range(SIZE + 10):
        log.info("line", number=number)
    lines = logs.recent_lines()
    assert len(lines) == SIZE
    assert lines[0].fields == (("number", "10"),)


def test_a_long_value_is_cut() -> None:
    log.info("x" * 10_000, trace="\n".join("y" * 100 for _ in range(1000)))
    (line,) = logs.recent_lines()
    assert len(line.text) < 2_100
    assert len(line.fields[0][1]) < 2_100


def test_threads_log_at_the_same_time() -> None:
    threads = [threading.Thread(target=lambda: [log.info("line") for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        numbers = [line.number for line in logs.recent_lines()]
        assert numbers == sorted(set(numbers))
    assert len(logs.recent_lines()) == 800


def test_without_it_nothing_is_kept() -> None:
    logs.reset()
    log.warning("line")
    assert logs.recent_lines() == ()
