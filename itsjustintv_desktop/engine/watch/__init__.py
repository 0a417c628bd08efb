"""The watchdog: a worker that stopped while all looks well is the worst fault of all. See watch.py."""

from itsjustintv_desktop.engine.watch.watch import Watch

__all__ = ["Watch"]
