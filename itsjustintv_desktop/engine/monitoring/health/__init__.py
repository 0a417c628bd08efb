"""How each part is: one word, since when, and why. The public port shows none of it."""

from itsjustintv_desktop.engine.monitoring.health.health import Health

__all__ = ["Health"]
