"""Commands as processes of their own that need not start Python: forked off one that has loaded the program."""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

AVAILABLE = sys.platform == "linux"


async def run(
    arguments: Sequence[str], environ: Mapping[str, str], folder: Path, stdin: bytes, timeout: float
) -> tuple[int, bytes, bytes]:
    """The exit code of the program with these arguments, what it wrote to stdout, and to stderr."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(
        [__name__, "itsjustintv_desktop.commands.doctor", "itsjustintv_desktop.engine.engine"]
    )
    with tempfile.TemporaryDirectory() as streams:
        files = [Path(streams, str(number)) for number in range(3)]
        for file, content in zip(files, (stdin, b"", b""), strict=True):
            file.write_bytes(content)
        process = server.Process(target=_command, args=(tuple(arguments), dict(environ), folder, files))
        process.start()
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(process.sentinel, ended.set)
        try:
            async with asyncio.timeout(timeout):
                await ended.wait()
        finally:
            loop.remove_reader(process.sentinel)
            if not ended.is_set():
                process.kill()
            process.join()
            code = process.exitcode
            process.close()
        assert code is not None
        return code, files[1].read_bytes(), files[2].read_bytes()


def _command(arguments: Sequence[str], environ: Mapping[str, str], folder: Path, files: Sequence[Path]) -> None:
    from itsjustintv_desktop.cli import main

    for number, file in enumerate(files):
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND if number else os.O_RDONLY)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding="utf-8")
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    sys.argv = ["itsjustintv-desktop", *arguments]
    main()
