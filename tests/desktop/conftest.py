"""Qt without a screen."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

pytest.importorskip(
    "PySide6.QtWidgets", reason="Qt's libraries are not on this machine (make system-deps)", exc_type=ImportError
)
