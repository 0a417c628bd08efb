"""Builds, signs and checks what people install. Each step also runs by hand: docs/releasing.md."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

APP = "itsjustintv-desktop"
"""Name of the project, the command, the packages."""
