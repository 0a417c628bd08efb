"""The chain behind "will my next stream be announced?": each link green, amber or red, with what mends it."""

from itsjustintv_desktop.engine.monitoring.doctor.report import Check, CheckState, Report, Unsettled

__all__ = ["Check", "CheckState", "Report", "Unsettled"]
