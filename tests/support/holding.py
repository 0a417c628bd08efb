"""Configs in force, for parts that are tested without the engine."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.active import ActiveConfig, ConfigHolder
from itsjustintv_desktop.engine.config.schema import Config


def holding(config: Config | None = None) -> ConfigHolder:
    return ConfigHolder(ActiveConfig(config or Config(), {}))
