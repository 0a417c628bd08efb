"""The walls of the house, checked by machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "itsjustintv_desktop"
SCREENLESS = sorted(path for folder in ("engine", "simulator") for path in (PACKAGE / folder).rglob("*.py"))
TASKS = PACKAGE / "engine" / "core" / "tasks.py"
PAGE_TASKS = PACKAGE / "ui" / "bridge.py"
"""The same for the screen's own loop."""
SIMULATOR_TASKS = PACKAGE / "simulator" / "background.py"
"""And for the simulator, which imports nothing of the engine."""

# structlog imports rich by itself wherever that is installed, so rich cannot stand here.
_HEAVY = (
    "keyring secretstorage jeepney tomlkit cryptography watchfiles acme josepy pyngrok opentelemetry grpc truststore "
    "hypothesis pytest"
)

_BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"PySide6", "shiboken6", "qasync"}:
            raise ImportError(f"{name} must not be imported")

sys.meta_path.insert(0, Blocker())
"""


def run(code: str, *arguments: str) -> str:
    """What this code prints in a process of its own; it must end well."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_engine_runs_where_there_is_no_qt(tmp_path: Path) -> None:
    code = _BLOCKED + (
        "import asyncio, pathlib\n"
        "from itsjustintv_desktop.engine import logs\n"
        "from tests.support.engine import running_engine\n"
        "logs.configure('error')\n"
        "async def main():\n"
        "    async with running_engine(pathlib.Path(sys.argv[1])) as running:\n"
        "        await running.simulator.go_live('alice')\n"
        "        await running.settled()\n"
        "        print([one.verified for one in running.simulator.receiver.accepted('main')])\n"
        "asyncio.run(main())\n"
    )
    assert run(code, str(tmp_path)) == "[True]"


def test_every_module_without_a_screen_can_be_imported_without_qt() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in SCREENLESS]
    assert len(names) > 80
    code = _BLOCKED + "import importlib\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\nprint('all')\n"
    assert run(code, *names) == "all"


@pytest.mark.parametrize(
    "module", ["itsjustintv_desktop.engine", "itsjustintv_desktop.engine.engine", "itsjustintv_desktop.cli"]
)
def test_what_is_heavy_is_not_imported_before_it_is_needed(module: str) -> None:
    heavy = set(_HEAVY.split())
    code = f"import sys, {module}\nprint(sorted({heavy!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    assert run(code) == "[]"


def test_importing_one_part_of_core_loads_no_other() -> None:
    """So reading a config loads neither asyncio nor aiohttp nor structlog, see test_load.py."""
    inits = sorted((PACKAGE / "engine" / "core").rglob("__init__.py"))
    assert [_text(path) for path in inits] == ["", ""]


_RUFF = (sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise")


def ruff(path: str, code: str) -> str:
    """What ruff says of `code` if it stood at `path`."""
    done = subprocess.run(
        [*_RUFF, "--stdin-filename", path, "-"],
        cwd=ROOT, input=code, capture_output=True, text=True, encoding="utf-8", timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "code",
    [
        "import PySide6\n",
        "from PySide6.QtCore import QObject\n",
        "import qasync\n",
        "from qasync import QEventLoop\n",
        "import asyncio\n\nasyncio.create_task(main())\n",
        "from asyncio import create_task\n",
        "import asyncio\n\nasyncio.ensure_future(main())\n",
        "from asyncio import TaskGroup\n",
    ],
)
@pytest.mark.parametrize("folder", ["engine", "engine/delivery", "simulator"])
def test_ruff_bans_what_the_boundaries_forbid(code: str, folder: str) -> None:
    assert "TID251" in ruff(f"itsjustintv_desktop/{folder}/sample.py", code)


def test_ruff_allows_qt_where_it_belongs_and_tasks_in_one_place() -> None:
    qt = "import PySide6\n"
    assert "TID251" not in ruff("itsjustintv_desktop/ui/sample.py", qt)
    assert "TID251" not in ruff("itsjustintv_desktop/app.py", qt)
    assert "TID251" not in ruff("itsjustintv_desktop/engine/core/tasks.py", "from asyncio import create_task\n")


def test_tasks_are_made_in_one_place_of_each_program_only() -> None:
    """Also in the ways that ruff cannot see, such as `loop.create_task`."""
    made = re.compile(r"\b(create_task|ensure_future|TaskGroup)\(")
    found = {path for path in PACKAGE.rglob("*.py") if made.search(_text(path))}
    assert found == {TASKS, PAGE_TASKS, SIMULATOR_TASKS}


def test_the_engine_knows_neither_the_screen_nor_the_commands() -> None:
    outside = re.compile(
        r"^\s*(?:from|import) itsjustintv_desktop\.(ui|desktop|app|cli|commands|demo|simulator)\b", re.M
    )
    found = [str(path) for path in (PACKAGE / "engine").rglob("*.py") if outside.search(_text(path))]
    assert found == []


@pytest.mark.parametrize("folder", ["itsjustintv_desktop", "tests", "benchmarks"])
def test_no_file_is_longer_than_one_can_read(folder: str) -> None:
    long = {str(path): lines for path in (ROOT / folder).rglob("*.py") if (lines := _text(path).count("\n")) > 460}
    assert long == {}


def test_nothing_is_left_undone() -> None:
    undone = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
    found = [f"{path}: {match[0]}" for path in PACKAGE.rglob("*.py") if (match := undone.search(_text(path)))]
    assert found == []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
