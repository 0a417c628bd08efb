"""Gets ngrok's agent program from ngrok: only ever because a person asked for it.

pyngrok knows the address for each system. The download is our own: pyngrok's goes to a fixed name in the shared
temporary folder, where another user could exchange it, and can neither be watched nor stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import os
import re
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from yarl import URL

from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.core.errors import TunnelError, os_sentence
from itsjustintv_desktop.engine.core.net.client import Options, Outbound, Response
from itsjustintv_desktop.engine.core.net.errors import RequestError, network_sentence
from itsjustintv_desktop.engine.core.net.limits import parts
from itsjustintv_desktop.engine.ingress.ngrok import settings
from itsjustintv_desktop.engine.ingress.ngrok.settings import NAME, harmless, own_program

DEADLINE: Final = 600.0
_STALL: Final = 30.0
_HOPS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LARGEST: Final = 200 * 1024 * 1024
"""Bytes of the archive, and of what comes out of it: several times as much as the program has ever been."""
_PIECE: Final = 256 * 1024
_VERSION_OUTPUT: Final = 4096
_VERSION: Final = re.compile(r"ngrok version (3\.\d+\.\d+)")
_MEND: Final = "Try again, or install ngrok yourself from https://ngrok.com/download."

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the bytes in all (None: not said)."""


def download_address() -> str:
    """Where ngrok keeps the program for this system. Raises TunnelError if it has none."""
    from pyngrok.exception import PyngrokError
    from pyngrok.installer import get_ngrok_cdn_url

    try:
        return get_ngrok_cdn_url("3")
    except PyngrokError as error:
        raise TunnelError(f"ngrok has no program for this system. {_MEND}") from error


async def install(
    folder: Path,
    progress: Progress,
    *,
    url: str | None = None,
    deadline: float = DEADLINE,
    outbound: Outbound | None = None,
) -> str:
    """Download, unpack, try and put in place; the version it says. `folder` is the way's. Raises TunnelError.

    Cancelling it leaves nothing behind, and a program that was there before stays until the new one has run.
    """
    address = url or download_address()
    if _is_in_clear(address):
        raise TunnelError("ngrok's program is only downloaded over https.")
    target = own_program(folder)
    archive, fresh = target.with_name(".download"), target.with_name(f"new-{NAME}")
    try:
        async with asyncio.timeout(deadline):
            await asyncio.to_thread(settings.make_folder, folder)
            await asyncio.to_thread(settings.make_folder, target.parent)
            await _download(address, archive, progress, outbound or Outbound())
            await asyncio.to_thread(_unpack, archive, fresh)
            version = await _try(fresh)
            await asyncio.to_thread(fresh.replace, target)
    except TimeoutError as error:
        raise TunnelError(f"ngrok's program was not downloaded within {deadline:g} s. {_MEND}") from error
    except OSError as error:
        raise TunnelError(f"ngrok's program cannot be put in place: {os_sentence(error)}. {_MEND}") from error
    finally:
        for path in (archive, fresh):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return version


async def _download(address: str, archive: Path, progress: Progress, outbound: Outbound) -> None:
    client = outbound.client(Options(guarded=False, buffer=_PIECE))
    try:
        async with client:
            for _ in range(_HOPS + 1):
                async with client.stream("GET", address, timeout=(_STALL, _STALL, None, None)) as answer:
                    if answer.status_code in _REDIRECTS and "Location" in answer.headers:
                        address = str(URL(address).join(URL(answer.headers["Location"])))
                        if _is_in_clear(address):
                            raise TunnelError(f"ngrok's server leads to an address that is not https. {_MEND}")
                        continue
                    if answer.status_code != 200:
                        raise TunnelError(f"ngrok's server answered with status {answer.status_code}. {_MEND}")
                    await _store(answer, archive, progress)
                    return
            raise TunnelError(f"ngrok's server leads from one address to the next without an end. {_MEND}")
    except (RequestError, ValueError) as error:
        raise TunnelError(f"ngrok's program cannot be downloaded: {network_sentence(error)}. {_MEND}") from error


def _is_in_clear(address: str) -> bool:
    """Whether what comes from there could be exchanged on its way; it is run afterwards."""
    parts = urlsplit(address)
    return parts.scheme != "https" and not is_loopback(parts.hostname)


async def _store(answer: Response, archive: Path, progress: Progress) -> None:
    length = answer.headers.get("Content-Length", "")
    done, whole = 0, int(length) if length.isdecimal() else None
    progress(done, whole)
    with await asyncio.to_thread(archive.open, "wb") as file:
        async with parts(answer) as pieces:
            async for piece in pieces:
                done += len(piece)
                if done > _LARGEST:
                    raise _too_large()
                await asyncio.to_thread(file.write, piece)
                progress(done, whole)


def _unpack(archive: Path, fresh: Path) -> None:
    """Take the one program out of a .zip or .tgz; nothing else in it is believed. Blocks."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as box, box.open(NAME) as source:
                _copy(_Bounded(source), fresh)
            return
        # As a stream: nothing is unpacked twice, and the limit counts the names and headers, too.
        with gzip.open(archive) as packed, tarfile.open(fileobj=_Bounded(packed), mode="r|") as roll:
            member = next((one for one in roll if one.name == NAME and one.isfile()), None)
            found = roll.extractfile(member) if member is not None else None
            if found is None:
                raise KeyError(NAME)
            _copy(found, fresh)
    except _NO_PROGRAM as error:
        raise TunnelError(f"What ngrok's server sent is not ngrok's program. {_MEND}") from error


_NO_PROGRAM = (
    KeyError, EOFError, RuntimeError, gzip.BadGzipFile, zlib.error, tarfile.TarError, zipfile.BadZipFile
)  # fmt: skip
"""How an archive shows that it is none, is damaged, is encrypted (RuntimeError) or lacks the program."""


class _Source(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class _Bounded(io.RawIOBase):
    """Reads what an archive unpacks to, as far as a program could be long. Raises TunnelError beyond that."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._left = _LARGEST

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(_PIECE if size < 0 else min(size, _PIECE)) or b""
        self._left -= len(piece)
        if self._left < 0:
            raise _too_large()
        return piece


def _too_large() -> TunnelError:
    return TunnelError(f"What ngrok's server sends is too large. {_MEND}")


def _copy(source: _Source, fresh: Path) -> None:
    fresh.unlink(missing_ok=True)
    with fresh.open("xb") as file:
        while piece := source.read(_PIECE):
            file.write(piece)
    fresh.chmod(0o700)


async def _try(program: Path) -> str:
    """Run `version`. Raises TunnelError if it is not an agent of version 3."""
    failed = TunnelError(f"What was downloaded does not run as ngrok's program. {_MEND}")
    try:
        process = await asyncio.create_subprocess_exec(
            program, "version",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=harmless(os.environ),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except OSError as error:
        raise failed from error
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30.0):
            said = await process.stdout.readexactly(_VERSION_OUTPUT)
    except asyncio.IncompleteReadError as error:
        said = error.partial
    except TimeoutError:
        said = b""
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            # Not wait(): until the rest of the output is read, asyncio does not see that the process ended.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.communicate(), 5.0)
    found = _VERSION.search(said.decode(errors="replace"))
    if found is None:
        raise failed
    return found[1]
