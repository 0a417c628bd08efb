"""Asking who is live, so that no stream depends on one message reaching us. See catch_up.py."""

from itsjustintv_desktop.engine.ingress.catch_up.catch_up import CatchUp, CatchUpState, CatchUpStatus

__all__ = ["CatchUp", "CatchUpState", "CatchUpStatus"]
