"""What the config can ask for and this version does not do: said at the start, never ignored in silence."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.schema import Config


def not_yet(config: Config) -> list[str]:
    """One sentence for each such wish of the config."""
    found: list[str] = []
    if config.telemetry.enabled:
        found.append("This version sends no telemetry ([telemetry]).")
    return found
