"""What a destination would get: shown as it would be sent, and sent to it alone as a test. Leaves no trace."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from itsjustintv_desktop.engine.announce import payload as payloads
from itsjustintv_desktop.engine.api.settings.destination_drafts import DestinationDraft
from itsjustintv_desktop.engine.api.settings.destinations import Destinations
from itsjustintv_desktop.engine.api.settings.streamers import StreamerDraft
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Destination, Streamer
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, ConfigError, UsageError
from itsjustintv_desktop.engine.core.models import Enrichment, Outcome, StreamEvent
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.attempt import Messages, Sender
from itsjustintv_desktop.engine.delivery.formats.base import Summary
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.twitch.twitch import Twitch

MASK = "\u2022" * 6
_EVENTS = 200


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """`sentence` is for a person. `status`: None without an answer. `duration`: seconds. `answer`: what came back,
    without anything secret that it echoes."""

    __test__ = False

    ok: bool
    status: int | None
    sentence: str
    duration: float
    answer: str = ""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The request as it would be made. Values of headers that may be secret are masked; the address is not in it.

    `body` is indented for reading, the picture's bytes left out. `sample`: nothing is known of a stream of this
    channel yet, so the words are made up.
    """

    format: str
    host: str
    headers: tuple[tuple[str, str], ...]
    body: str
    summary: Summary
    sample: bool


class Previews:
    def __init__(
        self,
        destinations: Destinations,
        sender: Sender,
        twitch: Twitch,
        ledger: Ledger,
        config: ConfigHolder,
        clock: Clock,
    ) -> None:
        self._destinations = destinations
        self._sender = sender
        self._messages = Messages(sender, twitch.images.read)
        self._profiles = twitch.profiles
        self._ledger = ledger
        self._config = config
        self._clock = clock

    async def test(self, destination: DestinationDraft | str, streamer: StreamerDraft | None = None) -> TestResult:
        """One POST of a payload with `test: true`, saved or not, switched on or off. It never counts as an attempt.

        Raises NotFoundError, UsageError, ConfigError, SecretsError for a destination that cannot be tried at all.
        """
        made, url, secret = await self._destinations.reachable(destination)
        payload, _ = await self._payload(streamer)
        send = await self._messages.prepare(made, payload, url=url, secret=secret, webhook_id=_webhook_id())
        result = await send()
        ok = result.outcome is Outcome.DELIVERED
        said = f"It arrived. {result.note or ''}".rstrip() if ok else f"It did not arrive: {result.error}."
        sentence = said.replace("..", ".")
        return TestResult(
            ok=ok, status=result.status, sentence=sentence, duration=result.duration, answer=result.answer
        )

    async def render(self, streamer: StreamerDraft | None, destination: DestinationDraft | str) -> Preview:
        """What would be sent. Raises as `test`."""
        try:
            made, url, secret = await self._destinations.reachable(destination)
        except UsageError:
            made, url, secret = _without_address(destination), "", ""
        kind = formats.named(made.format)
        payload, sample = await self._payload(streamer)
        body, content_type = await self._messages.body(made, kind, payload, plain=False)
        shown = msgspec.structs.replace(made, headers=dict.fromkeys(made.headers, MASK))
        try:
            secret = secret if kind.signed else None
            headers = self._sender.headers(shown, secret, _webhook_id(), body, content_type)
        except ConfigError as error:
            raise UsageError(error.message) from None
        hidden = {name.lower() for name in (made.header, "webhook-signature")}
        return Preview(
            format=made.format,
            host=_host(url),
            headers=tuple(
                (f"{name}", _masked(value) if name.lower() in hidden else value) for name, value in headers.items()
            ),
            body=kind.readable(body),
            summary=kind.summary(payload, made.picture),
            sample=sample,
        )

    async def _payload(self, draft: StreamerDraft | None) -> tuple[dict[str, Any], bool]:
        """A payload with what is known of the channel, else with made-up words (True)."""
        now = self._clock.now()
        draft = draft or self._first()
        channel = self._config.current.resolved.get(draft.key)
        user_id = draft.user_id or (channel.user_id if channel is not None else "")
        login = (channel.login if channel is not None else draft.login or draft.key).lower() or "yourchannel"
        profile = self._profiles.get(user_id)
        known = await self._last(draft.key, user_id)
        stream = known.get("stream") or {}
        enrichment = Enrichment(
            login=login,
            name=profile.display_name or known.get("streamer_name") or (channel.display_name if channel else login),
            description=profile.description or None,
            image=profile.image,
            tags=tuple(known.get("tags") or ("English",)),
            language=known.get("language"),
            view_count=known.get("view_count") or 42,
            followers_count=profile.followers if profile.followers is not None else known.get("followers_count"),
            title=stream.get("title") or "The title of the stream",
            category_id=stream.get("category_id") or "509658",
            category_name=stream.get("category_name") or "Just Chatting",
            thumbnail_url=stream.get("thumbnail_url"),
            started_at=now,
        )
        event = StreamEvent(
            source="twitch",
            kind="stream.online",
            message_id=None,
            received_at=now,
            broadcaster_id=user_id,
            broadcaster_login=login,
            stream_id="test",
            started_at=now,
            test=True,
        )
        streamer = Streamer(
            key=draft.key,
            user_id=user_id,
            login=login,
            additional_tags=draft.additional_tags,
            description=draft.description,
        )
        return payloads.build(event, streamer, enrichment, event_id="test"), not known

    def _first(self) -> StreamerDraft:
        for key, one in self._config.current.config.streamers.items():
            return StreamerDraft(key=key, login=one.login, user_id=one.user_id)
        return StreamerDraft(key="", login="yourchannel")

    async def _last(self, key: str, user_id: str) -> dict[str, Any]:
        """The latest payload of that channel in the recent history; empty if there is none."""
        try:
            page = await self._ledger.events(limit=_EVENTS)
        except AppError:
            return {}
        for record in page:
            ours = record.streamer == key or (user_id and record.event.broadcaster_id == user_id)
            if record.payload is not None and ours:
                try:
                    found: dict[str, Any] = msgspec.json.decode(record.payload)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                return found
        return {}


def _without_address(destination: DestinationDraft | str) -> Destination:
    if isinstance(destination, str):
        return Destination(name=destination)
    return Destination(
        name=destination.name or "new",
        format=destination.format or formats.DEFAULT.name,
        header=destination.header,
        hashing=destination.hashing,
        signature="x-hub",
        picture=destination.picture,
        headers=dict(destination.headers or {}),
    )


def _webhook_id() -> str:
    return f"msg_test_{uuid.uuid4().hex}"


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _masked(value: str) -> str:
    """sha256=...: how it is made may be seen, not what came out."""
    kind, sign, _ = value.partition("=")
    if sign and len(kind) < 8:
        return f"{kind}={MASK}"
    kind, comma, _ = value.partition(",")
    return f"{kind},{MASK}" if comma and len(kind) < 4 else MASK
