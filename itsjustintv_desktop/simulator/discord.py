"""Discord's webhooks with their rate limits (Discord developer docs: Execute Webhook, Rate Limits, JSON Error Codes).

Any id is a webhook, and the first token it is called with is its token.
"""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from itsjustintv_desktop.simulator.answers import answer, hang, reset_connection
from itsjustintv_desktop.simulator.clock import Clock
from itsjustintv_desktop.simulator.faults import Faults

SECONDS_SINCE = 8
"""The version of the API since when a rate limit is told in seconds; before, in milliseconds."""


@dataclass(slots=True, eq=False)
class Message:
    """One that a webhook took."""

    webhook: str
    body: dict[str, Any]
    at: float


@dataclass(slots=True)
class _Window:
    ends: float = 0.0
    used: int = 0


class Discord:
    """All webhooks. Their `faults` strike after the message was taken: the response is what gets lost."""

    def __init__(self, clock: Clock, faults: Faults, stopping: asyncio.Event) -> None:
        self.limit, self.window = 5, 2.0
        """Requests that a webhook takes, and in how many seconds."""
        self.everywhere = 50
        """Requests a second that all webhooks together take."""
        self.limit_headers = True
        """Whether responses carry X-RateLimit-*."""
        self.deleted: set[str] = set()
        self.taken: list[Message] = []
        self.rejected: list[str] = []
        """The webhook of each request that a rate limit rejected."""
        self.paths: list[str] = []
        """Of all requests, as they came."""
        self._clock = clock
        self._faults = faults
        self._stopping = stopping
        self._tokens: dict[str, str] = {}
        self._windows: dict[str, _Window] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST /api/webhooks/{id}/{token} and /api/v{version}/webhooks/{id}/{token}"""
        self.paths.append(request.path)
        webhook, token = request.match_info["id"], request.match_info["token"]
        body = await request.read()
        if (over := self._over("", self.everywhere, 1.0)) is not None:
            return self._limited(request, webhook, over, {"X-RateLimit-Global": "true"}, "global")
        over = self._over(webhook, self.limit, self.window)
        headers = self._headers(webhook)
        if over is not None:
            return self._limited(request, webhook, over, headers, "user")
        if webhook in self.deleted:
            return _said(404, "Unknown Webhook", 10015, headers)
        if self._tokens.setdefault(webhook, token) != token:
            return _said(401, "Invalid Webhook Token", 50027, headers)
        message = _object(body)
        if message is None:
            return _said(400, "The request body contains invalid JSON.", 50109, headers)
        if not message.get("content") and not message.get("embeds"):
            return _said(400, "Cannot send an empty message", 50006, headers)
        self.taken.append(Message(webhook, message, self._clock.now()))
        fault = self._faults.strike_receiver(webhook)
        if fault is not None and fault.latency:
            await asyncio.sleep(fault.latency)
        if fault is not None and fault.hang:
            return await hang(self._stopping)
        if fault is not None and fault.reset:
            return reset_connection(request)
        if fault is not None and fault.status is not None:
            return web.Response(status=fault.status)
        if request.query.get("wait") == "true":
            response = answer({"id": str(len(self.taken)), "webhook_id": webhook, **message})
            response.headers.update(headers)
            return response
        return web.Response(status=204, headers=headers)

    def _over(self, key: str, limit: int, seconds: float) -> float | None:
        """Count one; None = there was room, else the seconds until there is."""
        now = self._clock.now()
        window = self._windows.setdefault(key, _Window())
        if now >= window.ends:
            window.ends, window.used = now + seconds, 0
        if window.used >= limit:
            return window.ends - now
        window.used += 1
        return None

    def _headers(self, webhook: str) -> dict[str, str]:
        window = self._windows[webhook]
        if not self.limit_headers:
            return {}
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - window.used),
            "X-RateLimit-Reset": f"{window.ends:.3f}",
            "X-RateLimit-Reset-After": f"{window.ends - self._clock.now():.3f}",
            "X-RateLimit-Bucket": "a0c3f1d2e4b56789",
        }

    def _limited(
        self, request: web.Request, webhook: str, seconds: float, headers: dict[str, str], scope: str
    ) -> web.Response:
        self.rejected.append(webhook)
        in_seconds = int(request.match_info.get("version", "0")) >= SECONDS_SINCE
        said = {
            "message": "You are being rate limited.",
            "retry_after": round(seconds, 3) if in_seconds else math.ceil(seconds * 1000),
            "global": scope == "global",
        }
        response = answer(said, 429)
        response.headers.update(headers)
        response.headers["Retry-After"] = str(math.ceil(seconds if in_seconds else seconds * 1000))
        response.headers["X-RateLimit-Scope"] = scope
        return response


def _said(status: int, message: str, code: int, headers: dict[str, str]) -> web.Response:
    response = answer({"message": message, "code": code}, status)
    response.headers.update(headers)
    return response


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None
