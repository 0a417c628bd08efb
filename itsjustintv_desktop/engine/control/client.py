"""The commands' way to a running instance: Actions over the control port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from functools import cache
from typing import Any, TypeVar, get_args
from urllib.parse import quote

import msgspec

from itsjustintv_desktop.engine.announce.pause import PauseView
from itsjustintv_desktop.engine.api.events import EventKind, EventPage
from itsjustintv_desktop.engine.control.actions import DestinationView, EventReport
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.pausing import Paused
from itsjustintv_desktop.engine.control.stream import StreamLine
from itsjustintv_desktop.engine.core import errors
from itsjustintv_desktop.engine.core.models import Channel, DeliveryState, DeliveryView
from itsjustintv_desktop.engine.core.net.client import Options, Outbound
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, network_sentence
from itsjustintv_desktop.engine.core.net.limits import parts
from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitView
from itsjustintv_desktop.engine.monitoring.doctor import Report
from itsjustintv_desktop.engine.twitch.subscriptions import Listing, SubscriptionsStatus, SyncReport

T = TypeVar("T")

_SECONDS = 30.0
_ROUND_SECONDS = 1200.0
"""A round over 10,000 subscriptions, as fast as Twitch lets us."""
_DOCTOR_SECONDS = 90.0
"""Its own deadlines together come to less."""
_SILENCE = 45.0
"""Three heartbeats of the stream."""
_LOCAL_SECONDS = 5.0
"""A program that takes longer to look at itself is not well."""


class ControlClient:
    """Implements control.actions.Actions. Open it as an async context manager."""

    def __init__(self, address: ControlAddress) -> None:
        self._url = f"http://127.0.0.1:{address.port}/v1"
        self._headers = {"Authorization": f"Bearer {address.token}"}

    async def __aenter__(self) -> ControlClient:
        # It asks this machine alone, so no proxy counts.
        self._client = Outbound().client(Options(guarded=False, headers=self._headers))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def health(self) -> dict[str, Any]:
        return await self._ask("GET", "/health", dict[str, Any])

    async def stream(self) -> AsyncGenerator[StreamLine, None]:
        """How all is, and then everything that happens; ends when the program stops. Raises ControlError.

        Lines of a kind that this version does not know are left out. Close it (`aclosing`) before the client.
        """
        waits = (_SECONDS, _SILENCE, None, None)
        try:
            async with self._client.stream("GET", self._url + "/stream", timeout=waits) as response:
                if response.status_code >= 400:
                    raise _error(await response.aread())
                rest = b""
                async with parts(response) as pieces:
                    async for piece in pieces:
                        *lines, rest = (rest + piece).split(b"\n")
                        for line in lines:
                            if (found := _line(line)) is not None:
                                yield found
        except REQUEST_ERRORS as error:
            raise _unanswered(error) from error
        except msgspec.DecodeError as error:
            raise _stranger() from error

    async def deliveries(
        self,
        *,
        before: int | None = None,
        states: Sequence[DeliveryState] = (),
        streamer: str | None = None,
        destination: str | None = None,
        limit: int = 200,
    ) -> list[DeliveryView]:
        query = [("state", state.value) for state in states] + [("limit", str(limit))]
        query += [
            (key, str(value))
            for key, value in (("before", before), ("streamer", streamer), ("destination", destination))
            if value is not None
        ]
        return await self._ask("GET", "/deliveries", list[DeliveryView], query=query)

    async def events(
        self,
        *,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        streamer: str | None = None,
        limit: int = 200,
    ) -> EventPage:
        query = [("limit", str(limit)), *(("kind", kind) for kind in kinds)]
        query += [("before", str(before))] if before is not None else []
        query += [("streamer", streamer)] if streamer is not None else []
        return await self._ask("GET", "/events", EventPage, query=query)

    async def retry(self, delivery_id: int) -> DeliveryView:
        return await self._ask("POST", f"/deliveries/{delivery_id}/retry", DeliveryView)

    async def drop(self, delivery_id: int) -> DeliveryView:
        return await self._ask("POST", f"/deliveries/{delivery_id}/drop", DeliveryView)

    async def resend(self, delivery_id: int) -> DeliveryView:
        return await self._ask("POST", f"/deliveries/{delivery_id}/resend", DeliveryView)

    async def destinations(self) -> list[DestinationView]:
        return await self._ask("GET", "/destinations", list[DestinationView])

    async def paused(self) -> PauseView | None:
        return (await self._ask("GET", "/pause", Paused)).paused

    async def pause(self, until: float | None) -> PauseView | None:
        return (await self._ask("POST", "/pause", Paused, body={"until": until})).paused

    async def resume(self) -> None:
        await self._ask("DELETE", "/pause", Paused)

    async def pause_destination(self, name: str, reason: str = "") -> None:
        path = f"/destinations/{quote(name, safe='')}/pause"
        await self._ask("POST", path, dict[str, Any], body={"reason": reason})

    async def resume_destination(self, name: str) -> None:
        await self._ask("POST", f"/destinations/{quote(name, safe='')}/resume", dict[str, Any])

    async def send_anyway(self, event_id: int) -> tuple[str, ...]:
        return await self._ask("POST", f"/events/{event_id}/send-anyway", tuple[str, ...])

    async def test_event(self, login: str) -> int:
        answer = await self._ask("POST", "/test-events", dict[str, int], body={"login": login})
        return answer["event_id"]

    async def event_report(self, event_id: int) -> EventReport:
        return await self._ask("GET", f"/events/{event_id}", EventReport)

    async def subscriptions(self) -> Listing:
        return await self._ask("GET", "/subscriptions", Listing)

    async def subscriptions_status(self) -> SubscriptionsStatus:
        return await self._ask("GET", "/subscriptions/status", SubscriptionsStatus)

    async def sync_subscriptions(self, new_secret: bool = False) -> SyncReport:
        body = {"new_secret": new_secret}
        return await self._ask("POST", "/subscriptions/sync", SyncReport, body=body, seconds=_ROUND_SECONDS)

    async def delete_subscription(self, subscription_id: str) -> None:
        await self._ask("DELETE", f"/subscriptions/{quote(subscription_id, safe='')}", dict[str, Any])

    async def conduits(self) -> list[ConduitView]:
        return await self._ask("GET", "/conduits", list[ConduitView])

    async def adopt_conduit(self, conduit_id: str) -> ConduitView:
        return await self._ask("POST", f"/conduits/{quote(conduit_id, safe='')}/adopt", ConduitView)

    async def delete_conduit(self, conduit_id: str, *, force: bool = False) -> ConduitView:
        query = [("force", "true")] if force else []
        return await self._ask("DELETE", f"/conduits/{quote(conduit_id, safe='')}", ConduitView, query=query)

    async def doctor(self, streamer: str | None = None, local: bool = False) -> Report:
        query = [("local", "true")] if local else [("streamer", streamer)] if streamer is not None else []
        seconds = _LOCAL_SECONDS if local else _DOCTOR_SECONDS
        return await self._ask("GET", "/doctor", Report, query=query, seconds=seconds)

    async def channels(self) -> list[Channel]:
        return await self._ask("GET", "/channels", list[Channel])

    async def _ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Sequence[tuple[str, str]] = (),
        body: object = None,
        seconds: float = _SECONDS,
    ) -> T:
        data = msgspec.json.encode(body) if body is not None else None
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.request(method, self._url + path, params=list(query), content=data)
        except REQUEST_ERRORS as error:
            raise _unanswered(error) from error
        content = response.content
        try:
            if response.status_code >= 400:
                raise _error(content)
            return msgspec.json.decode(content, type=answer)
        except msgspec.DecodeError as error:
            raise _stranger() from error


class _Problem(msgspec.Struct):
    message: str
    title: str | None = None
    kind: str = ""


class _Kind(msgspec.Struct):
    type: str


def _line(line: bytes) -> StreamLine | None:
    """One line of the stream; None: of a kind not known here. Raises msgspec.DecodeError."""
    try:
        return _decoder().decode(line)
    except msgspec.ValidationError:
        if msgspec.json.decode(line, type=_Kind).type in {each.__struct_config__.tag for each in get_args(StreamLine)}:
            raise
        return None


@cache
def _decoder() -> msgspec.json.Decoder[StreamLine]:
    return msgspec.json.Decoder(StreamLine)


def _unanswered(error: Exception) -> errors.ControlError:
    why = network_sentence(error)
    return errors.ControlError(f"The running program could not be asked: {why}. Is it stopping? Try again.")


def _stranger() -> errors.ControlError:
    return errors.ControlError(
        "Another program answers at the address in control.json, or one of another version. Restart it."
    )


def _error(content: bytes) -> errors.AppError:
    problem = msgspec.json.decode(content, type=_Problem)
    known = getattr(errors, problem.kind, None)
    if isinstance(known, type) and known in {errors.NotFoundError, errors.UsageError, errors.LedgerUnavailableError}:
        return known(problem.message, title=problem.title)
    return errors.ControlError(problem.message, title=problem.title)
