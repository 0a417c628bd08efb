"""The commented example of a config, from `resources/config.example.toml`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_NAME = "config.example.toml"


def example() -> str:
    """Its text. Works from a wheel or zip (resources inside the package) and from a checkout (beside it)."""
    packaged = files("itsjustintv_desktop") / "resources" / _NAME
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "resources" / _NAME).read_text(encoding="utf-8")
