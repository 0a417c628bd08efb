"""Running the commands as their users do: in this process through click, or as a process beside a running engine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from click.testing import CliRunner

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.core.paths import Paths
from tests.support import forked
from tests.support.process import MODULE, ROOT, arguments


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return msgspec.json.decode(self.out)


def clean_environ(environ: Mapping[str, str] = {}) -> dict[str, str]:
    """This process' environment without anything meant for the program, and with `environ`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ITSJUSTINTV_")}
    return {**kept, **environ}


def here(paths: Paths, *command: str, environ: Mapping[str, str] = {}) -> Result:
    """Run a command in this process; needs a test that is not async. An exception that escapes it fails the test."""
    hidden = {name: None for name in os.environ if name.startswith("ITSJUSTINTV_")}
    found = CliRunner().invoke(
        cli, [*arguments(paths), *command], env={**hidden, **environ}, prog_name="itsjustintv-desktop"
    )
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Result(found.exit_code, found.stdout, found.stderr)


async def beside(
    paths: Paths, *command: str, environ: Mapping[str, str] = {}, stdin: bytes = b"", timeout: float = 40.0
) -> Result:
    """Run a command as a process of its own, to its end."""
    if forked.AVAILABLE and "serve" not in command:
        words = [*arguments(paths), *command]
        code, out, err = await forked.run(words, clean_environ(environ), ROOT, stdin, timeout)
        return Result(code, out.decode(), err.decode())
    process = await asyncio.create_subprocess_exec(
        sys.executable, *MODULE, *arguments(paths), *command, cwd=ROOT, env=clean_environ(environ),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout):
            out, err = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())
