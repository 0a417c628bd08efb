"""The watchdog: a worker that stopped while all looks well is the worst fault of all. See watchdog.py."""

from itsjustintv_desktop.engine.monitoring.watchdog.watchdog import Watchdog

__all__ = ["Watchdog"]
