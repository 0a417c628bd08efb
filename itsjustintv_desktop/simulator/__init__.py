"""Twitch on loopback and a receiver of webhooks, to develop, test and show the program without an account."""

from __future__ import annotations

from itsjustintv_desktop.simulator.server import Simulator

__all__ = ["Simulator"]
