"""The engine's whole surface for others (ui/, commands): nothing below this package is imported from outside.

Importing it costs nothing; the parts are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine as Engine
    from itsjustintv_desktop.engine.engine import EngineOptions as EngineOptions

__all__ = ["Engine", "EngineOptions"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from itsjustintv_desktop.engine import engine

        return getattr(engine, name)
    raise AttributeError(name)
