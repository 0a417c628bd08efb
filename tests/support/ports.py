"""Ports for programs that cannot pick one by themselves."""

from __future__ import annotations

import itertools
import os
import socket

_FIRST = 20_000
_EACH = 500
_WORKERS = 25
_places = itertools.count(os.getpid() * 7)


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens, given to nobody else in this run.

    The system's own choice would not do: outgoing connections take those ports too (Linux: 32768 and more), and the
    same one is given again to whoever asks before it is used. So every test worker has a range of its own below.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    while True:
        port = _FIRST + worker * _EACH + next(_places) % _EACH
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
