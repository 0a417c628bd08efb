"""One way for all lines: levels, both outputs, libraries, tracebacks, strangers' texts."""

from __future__ import annotations

import io
import json
import logging
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from itsjustintv_desktop.engine import logs, redaction
from tests.support.process import ROOT

pytestmark = pytest.mark.expected_errors
SECRET = "marked-secret-0123456789"
SAID = f"said {SECRET}"
log = structlog.get_logger("itsjustintv_desktop.engine.part")


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("info", stream)
    redaction.learn(SECRET)
    yield stream
    logs.reset()


def written(folder: Path) -> list[dict[str, Any]]:
    """What the file holds once it is closed."""
    logs.close_file()
    return [json.loads(line) for line in (folder / "itsjustintv.log").read_text("utf-8").splitlines()]


def test_a_line_for_people_and_one_for_programs(console: io.StringIO, tmp_path: Path) -> None:
    logs.open_file(tmp_path / "logs")
    with structlog.contextvars.bound_contextvars(notification="abc"):
        log.info("announced", streamer="alice", destinations=2, enriched=True, name="Ünïcödé")
    (line,) = written(tmp_path / "logs")
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info", "logger": "engine.part", "event": "announced", "notification": "abc", "streamer": "alice",
        "destinations": 2, "enriched": True, "name": "Ünïcödé",
    }  # fmt: skip
    shown = console.getvalue()
    assert "announced" in shown
    assert "notification=abc" in shown
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "logs" / "itsjustintv.log").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("level", "shown", "kept"),
    [
        ("debug", ["debug", "info", "warning", "error"], ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"], ["info", "warning", "error"]),
        ("error", ["error"], ["info", "warning", "error"]),
    ],
)
def test_the_level_steers_the_console_and_the_file_has_info_at_least(
    tmp_path: Path, level: str, shown: list[str], kept: list[str]
) -> None:
    stream = io.StringIO()
    logs.configure(level, stream)
    logs.open_file(tmp_path)
    assert logs.tells_debug() is (level == "debug")
    for name in logs.LEVELS:
        getattr(log, name)("said")
    assert [line["level"] for line in written(tmp_path)] == kept
    assert [name for name in logs.LEVELS if f"[{name} " in stream.getvalue()] == shown
    log.info("after the file was closed")
    assert ("after" in stream.getvalue()) is (level != "error")


def test_libraries_take_the_same_way_from_warning_on(console: io.StringIO, tmp_path: Path) -> None:
    logs.open_file(tmp_path)
    library = logging.getLogger("some.library")
    library.info("quiet %s", SECRET)
    library.warning("to https://me:%s@host/?a=1", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        library.exception("it broke with %s", SECRET)
    warning, error = written(tmp_path)
    assert (warning["logger"], warning["level"]) == ("some.library", "warning")
    assert warning["event"] == "to https://[hidden]@host/?[hidden]"
    assert error["event"] == "it broke with [hidden]"
    assert "ValueError: [hidden]" in error["exception"]
    shown = console.getvalue()
    assert "quiet" not in shown
    assert shown.count("some.library") == 2
    assert "ValueError: [hidden]" in shown
    assert SECRET not in shown


def test_chained_tracebacks_are_redacted(console: io.StringIO, tmp_path: Path) -> None:
    logs.open_file(tmp_path)
    try:
        try:
            raise OSError(f"no way to https://user:{SECRET}@host/x?y=z")
        except OSError as error:
            raise RuntimeError(f"broke: {SECRET}") from error
    except RuntimeError:
        log.exception("part failed")
    (line,) = written(tmp_path)
    for text in (line["exception"], console.getvalue()):
        assert SECRET not in text
        assert "no way to https://[hidden]@host/x?[hidden]" in text
        assert "RuntimeError: broke: [hidden]" in text
        assert text.count("Traceback") == 2
        assert "direct cause" in text


def test_every_kind_of_value_is_looked_through(console: io.StringIO, tmp_path: Path) -> None:
    class Odd:
        def __repr__(self) -> str:
            return f"Odd({SECRET})"

    logs.open_file(tmp_path)
    log.info(
        SAID, text=SECRET, number=5, none=None, items=[SECRET, 1, (SECRET,)], table={"k": {SECRET: SECRET}},
        data=SECRET.encode(), odd=Odd(), error=ValueError(SECRET), path=tmp_path, deep=[[[[[[[[SECRET]]]]]]]],
    )  # fmt: skip
    (line,) = written(tmp_path)
    assert line["items"] == ["[hidden]", 1, ["[hidden]"]]
    assert line["odd"] == "Odd([hidden])"
    assert line["path"] == str(tmp_path)
    assert SECRET not in console.getvalue() + json.dumps(line)


def test_a_strangers_text_forges_no_line(console: io.StringIO, tmp_path: Path) -> None:
    logs.open_file(tmp_path)
    log.info(
        "refused",
        reason='first\n2026-01-01 00:00:00 [error    ] forged\x1b[31m "}\r\n{"event": "forged"}',
        bad="\udc80",
    )
    assert len(written(tmp_path)) == 1
    assert len(console.getvalue().splitlines()) == 1
    assert "\x1b" not in console.getvalue()


def test_a_console_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    stream = io.StringIO()
    logs.configure("info", stream)
    logs.open_file(tmp_path)
    stream.close()
    log.info("nobody sees this")
    assert [line["event"] for line in written(tmp_path)] == ["nobody sees this"]


def test_no_thread_is_left(console: io.StringIO, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    logs.open_file(tmp_path / "one")
    logs.open_file(tmp_path / "two")  # takes the place of the first
    assert len(set(threading.enumerate()) - before) == 1
    logs.close_file()
    logs.close_file()
    assert set(threading.enumerate()) == before


def test_why_the_program_did_not_start_is_in_the_file_alone(console: io.StringIO, tmp_path: Path) -> None:
    from itsjustintv_desktop.engine.core.errors import LedgerError

    logs.tell_failed_start(LedgerError("no file is open: nothing happens"))
    logs.open_file(tmp_path)
    logs.tell_failed_start(LedgerError(f"The disk holds {SECRET}."))
    logs.tell_failed_start(RuntimeError(SECRET))
    first, second = written(tmp_path)
    assert first["event"] == "the program cannot start: The disk holds [hidden]."
    assert "exception" not in first
    assert "RuntimeError: [hidden]" in second["exception"]
    assert console.getvalue() == ""


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        ("raise RuntimeError(S)", "the program broke"),
        ("t = threading.Thread(target=lambda: 1 / len(S[99:])); t.start(); t.join()", "a thread broke"),
        (
            "def f(): raise RuntimeError(S)\nt = threading.Thread(target=f); t.start(); t.join()",
            "RuntimeError: [hidden]",
        ),
        ("class A:\n  def __del__(self): raise RuntimeError(S)\nA()", "an error nobody could be told of"),
        ("import warnings; warnings.warn(S)", "UserWarning: [hidden]"),
    ],
)
def test_what_nobody_caught_is_redacted_too(crash: str, said: str) -> None:
    code = (
        "import threading\nfrom itsjustintv_desktop.engine import logs, redaction\n"
        "S = 'marked-' + 'secret-0123456789'\n"
        f"logs.configure('warning'); logs.catch_the_uncaught(); redaction.learn(S)\n{crash}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert said in done.stderr
    assert SECRET not in done.stderr
    assert done.returncode == (1 if crash.startswith("raise") else 0)
