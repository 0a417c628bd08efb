"""With TESTS_NO_SKIPS set (CI), a skipped test is a failed run: CI has installed all that tests need.

The one thing a checkout may lack is reference material (captured messages, what Twitch says of its API), which is not
part of the project: TESTS_REFERENCE names its folder.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

REFERENCE = Path(os.environ.get("TESTS_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference")
"""Laid beside the checkout, or where the environment says."""

_LACKS_REFERENCE = re.compile("beside this (checkout|repository)")

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    wrong = [text for text in _skipped if REFERENCE.exists() or not _LACKS_REFERENCE.search(text)]
    if (verdict := os.environ.get("TESTS_VERDICT")) and not hasattr(session.config, "workerinput"):
        # For .ci/tests: make hides pytest's own exit status.
        Path(verdict).write_text("skips" if wrong else pytest.ExitCode(exitstatus).name, encoding="utf-8")
    if os.environ.get("TESTS_NO_SKIPS") and wrong and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("TESTS_NO_SKIPS") and _skipped:
        terminalreporter.section("skipped, which CI does not allow")
        for text in _skipped:
            terminalreporter.write_line(text)
