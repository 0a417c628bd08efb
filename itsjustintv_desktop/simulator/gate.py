"""What every request to Twitch passes: it is counted, may meet a fault, and Helix asks for a token and a rate."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter

from aiohttp import web

from itsjustintv_desktop.simulator.answers import Handler, RefusedError, body, hang, problem, reset_connection
from itsjustintv_desktop.simulator.faults import Fault, Faults
from itsjustintv_desktop.simulator.oauth import Tokens, token_in
from itsjustintv_desktop.simulator.state import State

_MESSAGES = {401: "Invalid OAuth token", 429: "Too Many Requests"}


class RateLimit:
    """Twitch's token bucket: `limit` points, refilled evenly over `window` seconds; each call costs one."""

    def __init__(self, state: State, limit: int, window: float) -> None:
        self.limit = limit
        self.window = window
        self._state = state
        self._points = float(limit)
        self._seen = state.now()

    def take(self) -> bool:
        """Use one point if there is one."""
        self._refill()
        if self._points < 1.0:
            return False
        self._points -= 1.0
        return True

    def headers(self) -> dict[str, str]:
        """`Ratelimit-Reset` is the Unix second at which the bucket is full again."""
        self._refill()
        full = self._seen + (self.limit - self._points) * self.window / max(self.limit, 1)
        return {
            "Ratelimit-Limit": str(self.limit),
            "Ratelimit-Remaining": str(int(self._points)),
            "Ratelimit-Reset": str(math.ceil(full)),
        }

    def _refill(self) -> None:
        now = self._state.now()
        gained = max(now - self._seen, 0.0) * self.limit / self.window
        self._points = min(self._points + gained, float(self.limit))
        self._seen = now


class Gate:
    """Wraps the handlers of the simulated Twitch."""

    def __init__(
        self,
        *,
        state: State,
        faults: Faults,
        tokens: Tokens,
        rate: RateLimit,
        stopping: asyncio.Event,
    ) -> None:
        self.calls: Counter[str] = Counter()
        """Helix calls by endpoint; `.total()` sums them, `.clear()` resets."""
        self.other_calls: Counter[str] = Counter()
        """The same for token, validate, revoke and images."""
        self._state = state
        self._faults = faults
        self._tokens = tokens
        self._rate = rate
        self._stopping = stopping

    def plain(self, endpoint: str, handler: Handler) -> Handler:
        """Count and maybe fail, nothing else."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self.other_calls[endpoint] += 1
            return await self._fault(endpoint, request) or await handler(request)

        return handle

    def helix(self, endpoint: str, handler: Handler) -> Handler:
        """Count, maybe fail, ask for token and client id, keep the rate; refusals become Helix errors."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self.calls[endpoint] += 1
            broken = await self._fault(endpoint, request)
            if broken is not None:
                return broken
            try:
                self._authorise(request)
                if not self._rate.take():
                    raise RefusedError(429, _MESSAGES[429])
                response = await handler(request)
            except RefusedError as refused:
                response = problem(refused.status, refused.message, details=refused.details)
                if refused.status == 401:
                    return response
            response.headers.update(self._rate.headers())
            if self._faults.nulls and isinstance(response, web.Response) and isinstance(response.body, bytes):
                response.body = body(self._faults.nulled(json.loads(response.body or b"null")))
            return response

        return handle

    def _authorise(self, request: web.Request) -> None:
        client_id, token = request.headers.get("Client-Id"), token_in(request.headers, "bearer")
        if not token:
            raise RefusedError(401, "OAuth token is missing")
        if not self._tokens.valid(token):
            raise RefusedError(401, _MESSAGES[401])
        if not client_id:
            raise RefusedError(401, "Client ID is missing")
        if client_id != self._tokens.owners[token]:
            raise RefusedError(401, "Client ID and OAuth token do not match")

    async def _fault(self, endpoint: str, request: web.Request) -> web.StreamResponse | None:
        fault = self._faults.strike(endpoint)
        if fault is None:
            return None
        if fault.latency:
            await asyncio.sleep(fault.latency)
        if fault.hang:
            return await hang(self._stopping)
        if fault.reset:
            return reset_connection(request)
        if fault.broken:
            if endpoint == "images":
                return web.Response(body=b"\x89PNG\r\n", content_type="image/png")
            return web.Response(body=b'{"data":[{"id":"1', content_type="application/json")
        return None if fault.status is None else self._status(fault, fault.status)

    def _status(self, fault: Fault, status: int) -> web.Response:
        headers = {}
        if status == 429 and fault.reset_in is not None:
            headers = self._rate.headers()
            headers["Ratelimit-Remaining"] = "0"
            headers["Ratelimit-Reset"] = str(math.ceil(self._state.now() + fault.reset_in))
        return problem(status, fault.message or _MESSAGES.get(status, ""), headers)
