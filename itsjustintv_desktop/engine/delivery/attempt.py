"""One attempt: where the destination is now, the signature, one POST, and what came of it.

X-Hub style: `<header>: sha256=<hex HMAC of the raw body>`, as GitHub does it (and the Go service). Standard Webhooks
(standardwebhooks.com, spec 1.0): `webhook-signature: v1,<base64>` over `id.timestamp.body`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
import structlog
from multidict import CIMultiDict

from itsjustintv_desktop.engine.config.destinations import format_of
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.schema import KEYRING, Destination
from itsjustintv_desktop.engine.config.validators import standard_key, trimmed
from itsjustintv_desktop.engine.core.clock import Clock, SystemClock
from itsjustintv_desktop.engine.core.errors import ConfigError, SecretsError
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.core.net.client import USER_AGENT, Client, Options, Outbound, headers_of
from itsjustintv_desktop.engine.core.net.errors import RequestError, network_sentence
from itsjustintv_desktop.engine.core.net.limits import parts
from itsjustintv_desktop.engine.core.net.wire import Exchange
from itsjustintv_desktop.engine.delivery import formats, rate_limits, responses
from itsjustintv_desktop.engine.delivery.destination_queues import ONLY_A_LINK
from itsjustintv_desktop.engine.delivery.formats import json
from itsjustintv_desktop.engine.delivery.formats.base import TOO_LARGE, Format
from itsjustintv_desktop.engine.delivery.responses import classify
from itsjustintv_desktop.engine.redaction.spellings import address_secrets, worth_hiding

_log = structlog.get_logger(__name__)

# Shorter than the idle limit of common servers (Node: 5 s), so that a connection is rarely reused while the
# server closes it. Such an attempt would fail and wait for its next turn.
_KEEP_ALIVE = 4.0

_LARGE = 16 * 1024
"""More than this may still be on its way when the receiver answers."""

# They describe the exchange itself. A destination's own value would break it.
_NOT_OURS_TO_SET = ("Connection", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "Expect")
_HASHES = {
    "SHA-1": ("sha1", hashlib.sha1),
    "SHA-256": ("sha256", hashlib.sha256),
    "SHA-512": ("sha512", hashlib.sha512),
}


class Sender:
    """Sends deliveries: no cookies, no redirects, TLS verified by the system's trust store.

    It bounds nothing but time and size; how many attempts run at once is the dispatcher's business.
    """

    def __init__(self, clock: Clock | None = None, outbound: Outbound | None = None) -> None:
        self._clock = clock or SystemClock()
        self._client = (outbound or Outbound()).client(
            Options(keep_alive=_KEEP_ALIVE, lenient=True, decompress=False, buffer=responses.LIMIT)
        )

    async def close(self) -> None:
        """Close its connections for good."""
        await self._client.aclose()

    async def post(
        self,
        destination: Destination,
        *,
        url: str,
        secret: str | None,
        webhook_id: str,
        body: bytes,
        content_type: str = "application/json",
    ) -> AttemptResult:
        """Send `body` once and judge the answer. Never raises for trouble on the way; cancelling passes through.

        `url` and `secret` are looked up by the caller for each attempt. The whole exchange has
        `destination.timeout` seconds. Once a status line has arrived it alone decides, even if the rest of the
        response is not valid, breaks off, never ends or is dropped after 16 KiB.
        """
        exchange = _Exchange(self._client)
        began = self._clock.monotonic()
        kind, url = format_of(destination, url), rate_limits.versioned(url)
        outcome, error, lost = Outcome.RETRY, "", False
        try:
            headers = self.headers(destination, secret, webhook_id, body, content_type)
            async with asyncio.timeout(destination.timeout):
                await exchange.run(url, headers, body)
        except ConfigError as fault:
            outcome, error = Outcome.DEAD, fault.message
        except TimeoutError as fault:
            error, lost = network_sentence(fault), exchange.sent
        except RequestError as fault:
            outcome, error = _judge_fault(fault)
            lost = fault.sent and outcome is Outcome.RETRY
        finally:
            exchange.end()
        duration = self._clock.monotonic() - began
        if exchange.status is None:
            return AttemptResult(outcome=outcome, error=error, duration=duration, lost=lost)
        verdict = classify(exchange.status, exchange.body, kind, formats.service(url))
        said = rate_limits.read(exchange.status, exchange.headers, exchange.body, kind, url, now=self._clock.now())
        secrets = exchange.secrets(url, secret, destination)
        answer = exchange.answer(secrets)
        return AttemptResult(
            outcome=verdict.outcome,
            status=exchange.status,
            error=responses.quoted(verdict.error, answer, secrets),
            answer=answer,
            duration=duration,
            retry_after=said.wait if said is not None and verdict.outcome is Outcome.RETRY else None,
            limits=said,
            lost=verdict.lost,
        )

    def headers(
        self, destination: Destination, secret: str | None, webhook_id: str, body: bytes, content_type: str
    ) -> CIMultiDict[str]:
        """What an attempt now would carry. Raises ConfigError for a secret that cannot be used.

        The destination's own headers win over what describes us, never over what is signed or framed.
        """
        timestamp = int(self._clock.now())
        headers = CIMultiDict({"Content-Type": content_type, "User-Agent": USER_AGENT})
        for name, value in destination.headers.items():
            headers[name] = value
        for name in _NOT_OURS_TO_SET:
            headers.popall(name, None)
        headers["Accept-Encoding"] = "identity"
        signature = signature_headers(destination, secret, webhook_id=webhook_id, timestamp=timestamp, body=body)
        for name, value in (signature | base_headers(webhook_id=webhook_id, timestamp=timestamp)).items():
            headers[name] = value
        return headers


class _Exchange:
    """One request and as much of its answer as had arrived when it ended, however it ended."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._data = bytearray()
        self._complete = False
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._exchange: Exchange | None = None
        self.status: int | None = None
        self.headers: CIMultiDict[str] = CIMultiDict()

    async def run(self, url: str, headers: CIMultiDict[str], body: bytes) -> None:
        """Raises RequestError. Nothing on the way repeats a POST."""
        self._headers = headers
        self._exchange = exchange = Exchange(large=len(body) >= _LARGE)
        async with self._client.stream(
            "POST", url, headers=headers, content=body, extensions={"exchange": exchange}
        ) as response:
            self.status, self.headers = response.status_code, headers_of(response)
            async with parts(response) as pieces:
                async for piece in pieces:
                    self._data += piece
                    if len(self._data) >= responses.LIMIT:
                        break
                else:
                    self._complete = True

    @property
    def sent(self) -> bool:
        """Whether any of the request may have gone out."""
        return self._exchange is not None and self._exchange.sent

    @property
    def body(self) -> bytes:
        """What came back, at most 16 KiB."""
        return bytes(self._data[: responses.LIMIT])

    def end(self) -> None:
        """Where no response was seen, the bytes that came decide."""
        raw = self._exchange.end() if self._exchange is not None else None
        if self.status is None and raw is not None:
            self.status, self.headers = raw.status, raw.headers
            self._data += raw.body

    def secrets(self, url: str, secret: str | None, destination: Destination) -> set[str]:
        """What a receiver could echo and must not be shown."""
        values = [secret or "", *destination.headers.values(), *self._headers.getall(destination.header, [])]
        values += self._headers.getall("webhook-signature", [])
        return address_secrets(url) | worth_hiding(values)

    def answer(self, secrets: set[str]) -> str:
        """The text that came back, without the `secrets` that it echoes."""
        if self.headers.get("Content-Encoding", "identity").lower() != "identity":
            return ""
        return responses.clean(self.body, truncated=not self._complete, secrets=secrets)


def _judge_fault(fault: RequestError) -> tuple[Outcome, str]:
    """What a failure without any answer means."""
    if fault.refused is not None:
        return Outcome.DEAD, fault.refused.message
    if fault.invalid:
        sentence = "the address or a header of this destination is not valid; correct it in the config"
        return Outcome.DEAD, sentence
    return Outcome.RETRY, network_sentence(fault)


class Addresses(Protocol):
    """Where a destination's url and secret come from when the config says "@keyring"."""

    async def destination(self, name: str) -> Any:
        """Something with `url` and `secret`, each str or None. Raises SecretsError."""
        ...


async def address_of(destination: Destination, addresses: Addresses) -> tuple[str | None, str | None]:
    """Its address and its secret, from the config or the vault. Raises SecretsError."""
    url: str | None = destination.url
    secret: str | None = destination.secret or None
    if KEYRING in {url, secret}:
        kept = await addresses.destination(destination.name)
        url = kept.url if url == KEYRING else url
        secret = kept.secret if secret == KEYRING else secret
        if secret is None and destination.secret == KEYRING:
            # Unsigned would be worse than late: the receiver would refuse it, or worse, accept it.
            raise SecretsError("The destination's secret is not in the vault. Enter it again.")
    return trimmed(url or "") or None, trimmed(secret or "") or None


def base_headers(*, webhook_id: str, timestamp: int) -> dict[str, str]:
    """What every attempt carries, signed or not. `timestamp`: Unix seconds of this attempt."""
    return {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp)}


def signature_headers(
    destination: Destination, secret: str | None, *, webhook_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The signature header of one attempt; empty without a secret.

    Raises ConfigError when the secret is not usable for the chosen kind of signature.
    """
    if not secret:
        return {}
    if destination.signature == "standard-webhooks":
        try:
            key = standard_key(secret)
        except Mistake as mistake:
            raise ConfigError([f'The secret of destination "{destination.name}" cannot be used: {mistake}.']) from None
        signed = f"{webhook_id}.{timestamp}.".encode() + body
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        return {"webhook-signature": "v1," + base64.b64encode(digest).decode("ascii")}
    name, algorithm = _HASHES[destination.hashing]
    return {destination.header: f"{name}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"}


ReadImage = Callable[[str], Awaitable[bytes | None]]

_STILL_TOO_LARGE = '{}; it was tried without the picture as well (picture = "link")'
_AS_TEXT = "Sent as text alone, without pictures, because the receiver refused the full message: {}."
_AS_TEXT_AGAIN = "Sent as text alone, without pictures, because the receiver refused the full message before."


class Messages:
    """Makes bodies and has them sent."""

    def __init__(self, sender: Sender, read_image: ReadImage) -> None:
        """`read_image`: the bytes of a picture by its SHA-256, None if they are gone."""
        self._sender = sender
        self._read_image = read_image

    async def body(
        self, destination: Destination, kind: Format, payload: dict[str, Any], *, plain: bool
    ) -> tuple[bytes, str]:
        """Body and content type."""
        image = payload.get("image")
        wanted = kind.carries_picture and destination.picture == "data" and not plain
        data = await self._read_image(image["sha256"]) if image and wanted else None
        return kind.render(payload, data, picture=destination.picture, plain=plain), kind.content_type

    async def prepare(
        self,
        destination: Destination,
        payload: dict[str, Any],
        *,
        url: str,
        secret: str | None,
        webhook_id: str,
        only_link: bool = False,
        as_text: bool = False,
        traceparent: str | None = None,
    ) -> Callable[[], Awaitable[AttemptResult]]:
        """Everything but the sending, which is what comes back: one attempt, with a second POST in the plainer form
        where the first was refused for its decoration.

        `only_link`: the destination is known to refuse the picture; `AttemptResult.only_link` says when it turned out
        to be so. `as_text`: in a format without the picture's bytes, the plainer form from the start. `traceparent`:
        the W3C header; the destination's own headers win over it.
        """
        kind = format_of(destination, url)
        secret = secret if kind.signed else None
        if traceparent is not None and kind.traced:
            more = {"traceparent": traceparent, **destination.headers}
            destination = msgspec.structs.replace(destination, headers=more)
        plain = only_link and destination.picture == "data" if kind.carries_picture else as_text
        body, content_type = await self.body(destination, kind, payload, plain=plain)

        async def post(body: bytes, content_type: str) -> AttemptResult:
            return await self._sender.post(
                destination, url=url, secret=secret, webhook_id=webhook_id, body=body, content_type=content_type
            )

        async def send() -> AttemptResult:
            first = await post(body, content_type)
            if plain:
                return _plain(kind, first, _AS_TEXT_AGAIN)
            if first.status not in kind.refusals:
                return first
            plainer, its_type = await self.body(destination, kind, payload, plain=True)
            if plainer == body:
                return first
            _log.info("refused, and sent once more in a plainer form", status=first.status, reason=first.error)
            second = await post(plainer, its_type)
            second = msgspec.structs.replace(second, duration=first.duration + second.duration)
            return _plain(kind, second, _AS_TEXT.format(first.error))

        return send


def _plain(kind: Format, result: AttemptResult, as_text: str) -> AttemptResult:
    """What came of the plainer form. Only what arrived is noted to have arrived so."""
    if kind.carries_picture and result.status == TOO_LARGE:
        return msgspec.structs.replace(result, error=_STILL_TOO_LARGE.format(result.error))
    note = ONLY_A_LINK if kind.carries_picture else as_text
    return msgspec.structs.replace(
        result,
        note=note if result.outcome is Outcome.DELIVERED else None,
        only_link=kind.carries_picture,
        as_text=not kind.carries_picture,
    )


def complete_payload(load_image: Callable[[str], bytes | None], payload: dict[str, Any]) -> dict[str, Any]:
    """A stored payload with its picture's bytes, as the json format sends it. Reads a file: call it in a thread."""
    image = payload.get("image")
    return json.complete(payload, load_image(image["sha256"]) if image else None)
