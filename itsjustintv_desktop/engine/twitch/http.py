"""One HTTP exchange with Twitch: a deadline, a size cap, TLS by the system's trust store, errors as ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import TwitchUnreachableError
from itsjustintv_desktop.engine.core.net.client import Options, Outbound, Response, headers_of
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, network_sentence
from itsjustintv_desktop.engine.core.net.limits import read_at_most
from itsjustintv_desktop.engine.twitch.clock_skew import ClockSkew

_MAX_ANSWER = 4 * 1024 * 1024
"""Bytes. A page of 100 users is about 100 KB."""
_CONNECTIONS = 10
_STOPPING = "Twitch is not asked any more: the program is stopping."


class TwitchResponse(NamedTuple):
    """A complete answer of whatever status. Header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TwitchHttp:
    """One long-lived client for all calls to Twitch. Every answer's `Date` goes into `skew`."""

    def __init__(self, *, clock: Clock, skew: ClockSkew, outbound: Outbound) -> None:
        self.skew = skew
        self._clock = clock
        self._client = outbound.client(Options(connections=_CONNECTIONS, guarded=False))
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
        if self.closed:
            raise TwitchUnreachableError(_STOPPING)
        try:
            async with asyncio.timeout(timeout):
                sent_at = self._clock.now()
                async with self._client.stream(
                    method, url, params=list(params), headers=headers, data=form, content=body
                ) as response:
                    self.skew.observe(response.headers.get("Date"), sent_at, self._clock.now())
                    return TwitchResponse(response.status_code, headers_of(response), await _read(response))
        except REQUEST_ERRORS as error:
            if self.closed:
                raise TwitchUnreachableError(_STOPPING) from error
            raise TwitchUnreachableError(f"Twitch cannot be reached: {network_sentence(error)}.") from error

    async def close(self) -> None:
        """Close all connections for good: exchanges under way break off, and later ones raise at once."""
        self.closed = True
        await self._client.aclose()


async def _read(response: Response) -> bytes:
    content = await read_at_most(response, _MAX_ANSWER + 1)
    if len(content) > _MAX_ANSWER:
        raise TwitchUnreachableError("Twitch's answer was far too long and was not read.")
    return content
