"""control.json: how commands find the running instance. Only its owner can read it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.core import files

_MOST = 65536


class ControlAddress(msgspec.Struct, frozen=True):
    """Port on 127.0.0.1, the bearer token, and the process that serves it."""

    port: int
    token: str
    pid: int


def write(path: Path, address: ControlAddress) -> None:
    """Replace control.json in one step, 0600 from its first byte. Raises OSError. Only under the instance lock."""
    files.clear_leftovers(path)
    files.write_atomic(path, msgspec.json.encode(address), durable=False)


def keep(path: Path, address: ControlAddress) -> bool:
    """`write` unless it is there already: True. Raises OSError."""
    if read(path) == address:
        return False
    write(path, address)
    return True


def remove(path: Path, address: ControlAddress) -> None:
    """Remove the file if it holds this address, and not that of another program. Raises OSError."""
    if read(path) == address:
        path.unlink(missing_ok=True)


def read(path: Path) -> ControlAddress | None:
    """None if there is none or it cannot be read."""
    if not path.is_file():
        return None  # a pipe would hold us up for ever
    try:
        found = msgspec.json.decode(files.read(path, _MOST), type=ControlAddress)
    except (OSError, msgspec.DecodeError):
        return None
    redaction.learn(found.token)
    return found
