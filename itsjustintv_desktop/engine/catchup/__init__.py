"""Asking who is live, so that no stream depends on one message reaching us. See catchup.py."""

from itsjustintv_desktop.engine.catchup.catchup import CatchUp
from itsjustintv_desktop.engine.catchup.status import CatchUpState, CatchUpStatus

__all__ = ["CatchUp", "CatchUpState", "CatchUpStatus"]
