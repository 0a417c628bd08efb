"""Receives webhooks under any name, keeps them, checks their signatures, and fails on demand."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from itsjustintv_desktop.simulator.answers import hang, reset_connection
from itsjustintv_desktop.simulator.clock import Clock
from itsjustintv_desktop.simulator.faults import Faults, ReceiverFault
from itsjustintv_desktop.simulator.signatures import Expectation, Scheme

StreamKey = tuple[str, str, str]
"""Receiver, streamer id, stream id: what must be announced once."""


@dataclass(slots=True, eq=False)
class Received:
    """One POST. `at` is Unix seconds; `status_answered` None = it got no answer."""

    name: str
    headers: Mapping[str, str]
    body: bytes
    json: Any
    """None if the body is not JSON, or is not kept."""
    webhook_id: str
    verified: bool | None
    """None = no signature was expected here."""
    at: float
    key: StreamKey | None
    """What it announces; None for a test and for a body in another format."""
    status_answered: int | None = None

    @property
    def accepted(self) -> bool:
        return self.status_answered is not None and 200 <= self.status_answered < 300


class Receiver:
    """All receivers at once; each exists as soon as it is posted to. `keep_bodies = False` bounds memory."""

    def __init__(self, clock: Clock, faults: Faults, stopping: asyncio.Event) -> None:
        self.keep_bodies = True
        self.all: list[Received] = []
        """Every POST read to its end, oldest first."""
        self._clock = clock
        self._faults = faults
        self._stopping = stopping
        self._expected: dict[str, Expectation] = {}
        self._accepted: dict[str, list[Received]] = defaultdict(list)
        self._accepted_total = 0
        self._waiting: list[tuple[int, str | None, asyncio.Future[None]]] = []

    def expect(
        self,
        name: str,
        *,
        secret: str,
        header: str = "X-Hub-Signature-256",
        hashing: str = "SHA-256",
        scheme: Scheme = "x-hub",
        tolerance: float | None = 300.0,
    ) -> None:
        """From now on POSTs to `name` must be signed so; others get 401. Raises ValueError."""
        self._expected[name] = Expectation(secret, header, hashing, scheme, tolerance)

    def received(self, name: str | None = None) -> list[Received]:
        """All POSTs (to one receiver), whatever was answered."""
        return [one for one in self.all if name is None or one.name == name]

    def accepted(self, name: str | None = None) -> list[Received]:
        """Those answered 2xx, oldest first."""
        if name is not None:
            return list(self._accepted.get(name, ()))
        return [one for one in self.all if one.accepted]

    def doubles(self) -> dict[StreamKey, list[Received]]:
        """Streams a receiver accepted more than once, each with all its POSTs."""
        groups: dict[StreamKey, list[Received]] = defaultdict(list)
        for one in self.all:
            if one.key is not None and one.accepted:
                groups[one.key].append(one)
        return {key: group for key, group in groups.items() if len(group) > 1}

    def clear(self) -> None:
        """Forget what was received; expectations stay."""
        self.all.clear()
        self._accepted.clear()
        self._accepted_total = 0

    async def wait_for(self, n: int, name: str | None = None, *, timeout: float = 30.0) -> list[Received]:
        """Wait until `n` POSTs (to one receiver) were accepted; gives them all. Raises TimeoutError."""
        if self._count(name) < n:
            arrived = asyncio.get_running_loop().create_future()
            entry = (n, name, arrived)
            self._waiting.append(entry)
            try:
                async with asyncio.timeout(timeout):
                    await arrived
            except TimeoutError:
                where = f" at {name}" if name else ""
                raise TimeoutError(f"{self._count(name)} of {n} webhooks accepted{where}") from None
            finally:
                self._waiting.remove(entry)
        return self.accepted(name)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST /receiver/{name}"""
        name = request.match_info["name"]
        body = await request.read()
        received = self._read(name, request.headers, body)
        fault = self._faults.strike_receiver(name)
        if fault is not None:
            return await self._fail(request, received, fault)
        if received.verified is False:
            return self._finish(received, web.Response(status=401, text="the signature is not right"))
        return self._finish(received, web.Response(status=204))

    def _read(self, name: str, headers: Mapping[str, str], body: bytes) -> Received:
        expected = self._expected.get(name)
        now = self._clock.now()
        try:
            json = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            json = None
        received = Received(
            name=name,
            headers=headers,
            body=body if self.keep_bodies else b"",
            json=json if self.keep_bodies else None,
            webhook_id=headers.get("webhook-id", ""),
            verified=None if expected is None else expected.holds(headers, body, now),
            at=now,
            key=_key(name, json),
        )
        self.all.append(received)
        return received

    async def _fail(self, request: web.Request, received: Received, fault: ReceiverFault) -> web.StreamResponse:
        if fault.latency:
            await asyncio.sleep(fault.latency)
        if fault.hang:
            return await hang(self._stopping)
        if fault.reset:
            return reset_connection(request)
        if fault.endless:
            received.status_answered = 200
            self._note(received)
            return await self._endless(request)
        status = fault.status
        if status is None:
            status = 302 if fault.redirect else 401 if received.verified is False else 204
        response = web.Response(status=status)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        if fault.redirect is not None:
            response.headers["Location"] = fault.redirect
        return self._finish(received, response)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        chunk = b"and so on, " * 1000
        while not self._stopping.is_set():
            await response.write(chunk)
            await asyncio.sleep(0.01)
        return response

    def _finish(self, received: Received, response: web.Response) -> web.Response:
        received.status_answered = response.status
        if received.accepted:
            self._note(received)
        return response

    def _note(self, received: Received) -> None:
        self._accepted[received.name].append(received)
        self._accepted_total += 1
        for n, name, arrived in self._waiting:
            if not arrived.done() and self._count(name) >= n:
                arrived.set_result(None)

    def _count(self, name: str | None) -> int:
        return self._accepted_total if name is None else len(self._accepted.get(name, ()))


def _key(name: str, json: Any) -> StreamKey | None:
    if not isinstance(json, dict) or json.get("test") is True:
        return None
    stream = json.get("stream")
    streamer_id, stream_id = json.get("streamer_id"), stream.get("id") if isinstance(stream, dict) else None
    if not isinstance(streamer_id, str) or not isinstance(stream_id, str):
        return None
    return name, streamer_id, stream_id
