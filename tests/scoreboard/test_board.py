"""The scoreboard counts rightly, with and without xdist, and a bad run fails."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scoreboard import board
from tests.scoreboard.board import BEGIN, END, Board

TESTS = Path(__file__).parents[1]
_QUOTED = re.compile(r'"([^"]+)"')

_SOME = """
import pytest

@pytest.mark.fault("disk: full", seen="a sentence")
def test_disk(record_property):
    record_property("acknowledged", 7)
    record_property("lost", LOST)

@pytest.mark.parametrize("number", range(39))
def test_many(number, request):
    pass

def pytest_generate_tests(metafunc): ...

@pytest.mark.parametrize("one", [pytest.param(n, marks=pytest.mark.fault(f"many: {n}", seen="x")) for n in range(39)])
def test_each(one):
    pass

@pytest.mark.hostile
def test_input(record_property):
    record_property("bad_inputs", 150)

@pytest.mark.fault("disk: full", seen="a sentence")
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_kills(record_property):
    record_property("kills", 200)
    record_property("doubled", 0)
    record_property("repeats", 3)
"""


def _run(tmp_path: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_some.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.scoreboard.plugin", "-m", "fault or hostile", "-q"]
    return subprocess.run(
        [*command, "-c", str(TESTS.parent / "pyproject.toml"), f"--rootdir={tmp_path}", str(tmp_path), *options],
        cwd=TESTS.parent, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_it_adds_up_and_writes(tmp_path: Path, options: tuple[str, ...]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    done = _run(tmp_path, _SOME.replace("LOST", "0"), "--scoreboard-write", str(page), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {name.strip(): value for name, _, value in (line.rpartition("  ") for line in done.stdout.splitlines())}
    assert rows["faults survived"] == "40 of 40"
    assert rows["bad inputs refused"] == "150"
    assert rows["kills (SIGKILL)"] == "200"
    assert rows["events acknowledged"] == "7"
    assert (rows["lost"], rows["doubled"], rows["repeats with the same webhook-id"]) == ("0", "0", "3")
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "old" not in written
    assert "| full | a sentence |" in written
    assert "| faults survived | 40 of 40 |" in written


def test_something_lost_fails_the_run_and_is_not_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\nold\n{END}\n", encoding="utf-8")
    done = _run(tmp_path, _SOME.replace("LOST", "1"), "--scoreboard-write", str(page))
    assert done.returncode == 1
    assert "PROBLEM 1 lost" in done.stdout
    assert "old" in page.read_text(encoding="utf-8")


def test_a_board_with_too_little_is_no_success() -> None:
    assert Board().problems() == [
        "only 0 faults, 40 are wanted",
        "only 0 bad_inputs, 150 are wanted",
        "only 0 kills, 200 are wanted",
    ]


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_a_fault_is_survived_only_if_all_its_tests_pass(outcome: str) -> None:
    made = Board()
    made.add("one", "passed", [("fault", ["disk: full", "seen"])])
    assert made.survived == 1
    made.add("two", outcome, [("fault", ["disk: full", "seen"])])
    assert made.survived == 0
    assert len(made.faults) == 1


def test_a_page_without_a_place_is_told(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        board.write(page, "text")


def _markers() -> Iterator[tuple[Path, ast.Call, str]]:
    """Every `fault(...)` that stands in the tests, with its file's text without the markers."""
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "fault(" not in text or path == Path(__file__):
            continue
        calls = [
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fault"
        ]
        rest = text
        for call in calls:
            rest = rest.replace(ast.get_source_segment(text, call) or "", "")
        for call in calls:
            yield path, call, rest


def test_what_a_user_sees_is_asserted() -> None:
    """What stands in double quotes in `seen` stands in the test's file, too; it is no mere claim."""
    found = 0
    for path, call, rest in _markers():
        seen = next(keyword.value for keyword in call.keywords if keyword.arg == "seen")
        if not isinstance(seen, ast.Constant):
            continue  # built from what the test asserts
        for quoted in _QUOTED.findall(str(seen.value)):
            found += 1
            assert quoted in rest, f"{path.name}: {quoted!r} is promised and not asserted"
    assert found > 10
