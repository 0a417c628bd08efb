"""How many files and sockets this process may have open at once."""

from __future__ import annotations

import sys

_WITHOUT_END = (65_536, 10_240)
"""Tried where the system names no limit and grants less all the same, as macOS does."""


def raise_limit() -> int | None:
    """Raise the soft limit as far as the hard one allows. The limit then; None: there is none, or it is not known."""
    if sys.platform == "win32":
        return None
    import resource

    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError:  # forbidden by a sandbox
        return None
    if soft in {hard, resource.RLIM_INFINITY}:
        return None if soft == resource.RLIM_INFINITY else soft
    for wanted in (hard, *_WITHOUT_END):
        if wanted == resource.RLIM_INFINITY or wanted > soft:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            except (OSError, ValueError):
                continue
            return None if wanted == resource.RLIM_INFINITY else wanted
    return soft
