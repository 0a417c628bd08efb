"""Versions as this project numbers them: 1.2.3, and 1.2.3a1, b1 or rc1 before it (a part of PEP 440)."""

from __future__ import annotations

import re

Order = tuple[int, int, int, int, int]
"""Compares as the versions do."""

_FORM = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:(a|b|rc)(\d{1,6}))?", re.ASCII)
_PHASES = {"a": 0, "b": 1, "rc": 2, None: 3}


def order(version: str) -> Order:
    """What to compare it by. Raises ValueError for everything that is not of this very form."""
    found = _FORM.fullmatch(version)
    if found is None:
        raise ValueError("not a version such as 1.2.3")
    major, minor, patch, phase, number = found.groups()
    return int(major), int(minor), int(patch), _PHASES[phase], int(number or 0)


def is_final(of: Order) -> bool:
    """Whether it is a release, and no pre-release such as 1.2.3rc1."""
    return of[3] == _PHASES[None]
