"""Configs in force, for parts that are tested without the engine."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.load import Loaded
from itsjustintv_desktop.engine.config.schema import Config


def holding(config: Config | None = None) -> ConfigHolder:
    loaded = Loaded(
        config=config or Config(), warnings=(), notices=(), secrets_in_clear=(), secrets_fixed=(), digest=""
    )
    return ConfigHolder(loaded)
