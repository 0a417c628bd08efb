"""The pytest plugin: `python -m pytest -p tests.scoreboard.plugin`, with or without xdist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scoreboard import board

_BOARD = pytest.StashKey[board.Board]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--scoreboard-write", metavar="PAGE", help="write the scoreboard into this page")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_BOARD] = board.Board()
    if not hasattr(config, "workerinput"):  # xdist's workers only run tests; their reports come to the controller
        config.pluginmanager.register(Collector(config.stash[_BOARD]), "scoreboard-collector")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Markers do not cross from xdist's workers to the controller, properties do. What takes longest begins first."""
    for item in items:
        for marker in item.iter_markers("fault"):
            item.user_properties.append(("fault", [marker.args[0], marker.kwargs["seen"]]))
    items.sort(key=_seconds, reverse=True)


def _seconds(item: pytest.Item) -> float:
    timeout = item.get_closest_marker("timeout")
    return float(timeout.args[0]) if timeout and item.get_closest_marker("slow") else 0.0


class Collector:
    """Hears of every report, in whichever process its test ran."""

    def __init__(self, found: board.Board) -> None:
        self._board = found
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        worst = self._outcomes.get(report.nodeid, "passed")
        if worst == "passed":
            self._outcomes[report.nodeid] = report.outcome
        if report.when == "teardown":
            self._board.add(report.nodeid, self._outcomes.pop(report.nodeid), report.user_properties)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._board.problems() and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
    ) -> None:
        terminalreporter.section("scoreboard")
        terminalreporter.write_line(self._board.table())
        for fault in self._board.faults.values():
            if not fault.survived:
                terminalreporter.write_line(f"not proven: {fault.line} ({', '.join(sorted(fault.failed))})")
        problems = self._board.problems()
        for text in problems:
            terminalreporter.write_line(f"PROBLEM {text}")
        page = config.getoption("--scoreboard-write")
        if page and not problems:
            board.write(Path(page), self._board.markdown())
            terminalreporter.write_line(f"written into {page}")
