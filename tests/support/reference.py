"""Reference material that a checkout may lack: captured messages, Twitch's own description of its API."""

from __future__ import annotations

import os
from pathlib import Path

REFERENCE = Path(os.environ.get("TESTS_REFERENCE") or Path(__file__).parents[3] / "shared" / "reference")
"""Beside the checkout, or where the environment says. Without it some tests skip (.ci/tests knows why)."""
