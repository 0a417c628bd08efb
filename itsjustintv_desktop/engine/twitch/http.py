"""One HTTP exchange with Twitch: a deadline, a size cap, TLS by the system's trust store, errors as ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import aiohttp

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import TwitchUnreachableError
from itsjustintv_desktop.engine.core.net.address_guard import Connector
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.core.net.limits import HEADS, read_at_most
from itsjustintv_desktop.engine.core.net.trust import Trust
from itsjustintv_desktop.engine.twitch.clock_skew import ClockSkew

_MAX_ANSWER = 4 * 1024 * 1024
"""Bytes. A page of 100 users is about 100 KB."""
_CONNECTIONS = 10
_USER_AGENT = f"itsjustintv-desktop/{__version__}"
_STOPPING = "Twitch is not asked any more: the program is stopping."


class TwitchResponse(NamedTuple):
    """A complete answer of whatever status. Header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TwitchHttp:
    """One long-lived session for all calls to Twitch. Every answer's `Date` goes into `skew`."""

    def __init__(self, *, clock: Clock, skew: ClockSkew, trust: Trust) -> None:
        self.skew = skew
        self._clock = clock
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None
        self.closed = False
        """Whether no exchange can succeed any more."""

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float,
    ) -> TwitchResponse:
        """Ask once and read the whole answer within `timeout` seconds. Redirects are not followed.

        Raises TwitchUnreachableError.
        """
        sent_at = self._clock.now()
        try:
            async with asyncio.timeout(timeout):
                tls = await self._trust.context() if url.startswith("https:") else True
                sent_at = self._clock.now()
                async with self._opened().request(
                    method,
                    url,
                    params=list(params),
                    headers=headers,
                    data=form if form is not None else body,
                    ssl=tls,
                    allow_redirects=False,
                ) as response:
                    self.skew.observe(response.headers.get("Date"), sent_at, self._clock.now())
                    return TwitchResponse(response.status, response.headers, await _read(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if self.closed:
                raise TwitchUnreachableError(_STOPPING) from error
            raise TwitchUnreachableError(f"Twitch cannot be reached: {network_sentence(error)}.") from error

    async def close(self) -> None:
        """Close all connections for good: exchanges under way break off, and later ones raise at once."""
        self.closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self.closed:
            raise TwitchUnreachableError(_STOPPING)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Connector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _USER_AGENT},
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                **HEADS,
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = await read_at_most(response, _MAX_ANSWER + 1)
    if len(content) > _MAX_ANSWER:
        raise TwitchUnreachableError("Twitch's answer was far too long and was not read.")
    return content
