"""One attempt: one POST over one long-lived aiohttp session, and what came of it."""

from __future__ import annotations

import asyncio
import io
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.config.destinations import format_of
from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.clock import Clock, SystemClock
from itsjustintv_desktop.engine.core.errors import ConfigError
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.core.net.address_guard import RefusedAddressError, guarded_socket
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.core.net.limits import HEADS
from itsjustintv_desktop.engine.core.net.trust import Trust
from itsjustintv_desktop.engine.delivery import rate_limits, response_excerpt, wire
from itsjustintv_desktop.engine.delivery.responses import classify
from itsjustintv_desktop.engine.delivery.signing import base_headers, signature_headers
from itsjustintv_desktop.engine.redaction.spellings import address_secrets, worth_hiding

USER_AGENT = f"itsjustintv-desktop/{__version__}"

# Shorter than the idle limit of common servers (Node: 5 s), so that a connection is rarely reused while the
# server closes it. Such an attempt would fail and wait for its next turn.
_KEEP_ALIVE = 4.0

_ONE_PIECE = 256 * 1024
_LARGE = 16 * 1024
"""More than this may still be on its way when the receiver answers."""

# They describe the exchange itself. A destination's own value would break it.
_NOT_OURS_TO_SET = ("Connection", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "Expect")


class Sender:
    """Sends deliveries: no cookies, no redirects, no proxy, TLS verified by the system's trust store.

    It bounds nothing but time and size; how many attempts run at once is the dispatcher's business.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._session: aiohttp.ClientSession | None = None
        self._trust = Trust()

    async def start(self) -> None:
        """Open the session. To be called on the loop that `post` runs on."""
        self._session = aiohttp.ClientSession(
            connector=wire.Wires(
                limit=0,
                keepalive_timeout=_KEEP_ALIVE,
                socket_factory=guarded_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=response_excerpt.LIMIT,
            **HEADS,
        )

    async def close(self) -> None:
        """Close the session and its connections. Harmless when it was never started."""
        if self._session is not None:
            await self._session.close()
            self._session = None

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
        if self._session is None:
            raise RuntimeError("post() before start()")
        exchange = _Exchange(self._session, self._trust)
        began = self._clock.monotonic()
        kind, url = format_of(destination, url), rate_limits.versioned(url)
        outcome, error = Outcome.RETRY, ""
        try:
            headers = self.headers(destination, secret, webhook_id, body, content_type)
            async with asyncio.timeout(destination.timeout):
                await exchange.run(_address(url), headers, body)
        except ConfigError as fault:
            outcome, error = Outcome.DEAD, fault.message
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            outcome, error = _judge_fault(fault)
        finally:
            exchange.end()
        duration = self._clock.monotonic() - began
        if exchange.status is None:
            lost = exchange.sent and outcome is Outcome.RETRY
            return AttemptResult(outcome=outcome, error=error, duration=duration, lost=lost)
        verdict = classify(exchange.status, exchange.body, kind, by_discord=rate_limits.service(url) == "discord")
        said = rate_limits.read(exchange.status, exchange.headers, exchange.body, kind, url, now=self._clock.now())
        secrets = exchange.secrets(url, secret, destination)
        answer = exchange.answer(secrets)
        return AttemptResult(
            outcome=verdict.outcome,
            status=exchange.status,
            error=response_excerpt.quoted(verdict.error, answer, secrets),
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

    def __init__(self, session: aiohttp.ClientSession, trust: Trust) -> None:
        self._session = session
        self._trust = trust
        self._data = bytearray()
        self._complete = False
        self._sent: CIMultiDict[str] = CIMultiDict()
        self._large = False
        self._wire: wire.Wire | None = None
        self.status: int | None = None
        self.headers: CIMultiDict[str] = CIMultiDict()

    async def run(self, url: URL, headers: CIMultiDict[str], body: bytes) -> None:
        """Raises what aiohttp raises. POST is not idempotent, so aiohttp never sends it a second time by itself."""
        self._sent, self._large = headers, len(body) >= _LARGE
        wire.TAKEN_BY.set(self)
        trust = await self._trust.context() if url.scheme == "https" else True
        response = await self._session.post(url, headers=headers, data=_data(body), allow_redirects=False, ssl=trust)
        try:
            self.status = response.status
            self.headers = CIMultiDict(response.headers)
            while len(self._data) < response_excerpt.LIMIT:
                chunk = await response.content.read(response_excerpt.LIMIT - len(self._data))
                if not chunk:
                    break
                self._data += chunk
            self._complete = response.content.at_eof()
        finally:
            # A connection with an unread rest is dropped: the rest may be endless.
            if self._complete:
                response.release()
            else:
                response.close()

    @property
    def sent(self) -> bool:
        """Whether any of the request may have gone out."""
        return self._wire is not None

    @property
    def body(self) -> bytes:
        """What came back, at most 16 KiB."""
        return bytes(self._data)

    def connected(self, made: wire.Wire) -> None:
        """From here on bytes may go out."""
        self._wire = made
        made.begin(self, large=self._large)

    def end(self) -> None:
        """Where aiohttp saw no response, the bytes that came decide."""
        if self._wire is None:
            return
        if self.status is None and (raw := wire.read(self._wire.received())) is not None:
            self.status, self.headers = raw.status, raw.headers
            self._data += raw.body[: response_excerpt.LIMIT]
        self._wire.end(self)

    def secrets(self, url: str, secret: str | None, destination: Destination) -> set[str]:
        """What a receiver could echo and nobody may read."""
        values = [secret or "", *destination.headers.values(), *self._sent.getall(destination.header, [])]
        values += self._sent.getall("webhook-signature", [])
        return address_secrets(url) | worth_hiding(values)

    def answer(self, secrets: set[str]) -> str:
        """The text that came back, without the `secrets` that it echoes."""
        if self.headers.get("Content-Encoding", "identity").lower() != "identity":
            return ""
        return response_excerpt.clean(bytes(self._data), truncated=not self._complete, secrets=secrets)


def _data(body: bytes) -> bytes | io.BytesIO:
    """aiohttp writes bytes in one piece; a large body goes out in pieces, so that it never holds up the loop."""
    return body if len(body) < _ONE_PIECE else io.BytesIO(body)


def _address(url: str) -> URL:
    """The address as it was typed. Raises ValueError if it is not one of the web.

    Receivers sign their query strings, so percent-encoding is left alone where it is valid already.
    """
    parts = urlsplit(url)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an http or https address")
    return URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)


def _judge_fault(fault: Exception) -> tuple[Outcome, str]:
    """What a failure without any answer means."""
    cause = getattr(fault, "os_error", None)
    if isinstance(cause, RefusedAddressError):
        return Outcome.DEAD, cause.message
    if isinstance(fault, aiohttp.ClientError | OSError) and not isinstance(fault, aiohttp.InvalidURL):
        return Outcome.RETRY, network_sentence(fault)
    sentence = "the address or a header of this destination is not valid; correct it in the config"
    return Outcome.DEAD, sentence
