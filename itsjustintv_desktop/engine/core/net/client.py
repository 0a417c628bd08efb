"""The one HTTP client of the program: httpx over our own aiohttp session, with trust, address guard, proxy and limits.

What the transport changes about httpx-aiohttp: an address
goes out byte for byte as it is given, a failure keeps its true cause (httpx has one word for a refused connection, a
refused address and a request that was read and then dropped), and nothing of an address but its host gets into httpx,
which logs it.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import Any, Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.core.net.address_guard import (
    Connector,
    RefusedAddressError,
    Resolver,
    guarded_socket,
    is_refused,
)
from itsjustintv_desktop.engine.core.net.errors import PROXY_PASSWORD, RequestError
from itsjustintv_desktop.engine.core.net.library import AiohttpTransport, httpx
from itsjustintv_desktop.engine.core.net.limits import HEADS
from itsjustintv_desktop.engine.core.net.proxies import Proxies, Proxy, is_local
from itsjustintv_desktop.engine.core.net.trust import Trust
from itsjustintv_desktop.engine.core.net.wire import CURRENT, Exchange, Wires

USER_AGENT: Final = f"itsjustintv-desktop/{__version__}"
_ONE_PIECE: Final = 256 * 1024
_LOOKUP_SECONDS: Final = 3.0
"""How long a name may take to be found here before the proxy is left to find it."""
_KNOWN_SECONDS: Final = 60.0
_KNOWN_NAMES: Final = 1000
_FAILURES: Final = (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, OSError, ValueError)

Client = httpx.AsyncClient
Response = httpx.Response


@dataclass(frozen=True, slots=True)
class Options:
    """How the clients of one part of the program differ from those of others."""

    connections: int = 0
    """At a time; 0 = as many as are wanted."""
    keep_alive: float = 15.0
    guarded: bool = True
    """Whether link-local and cloud metadata addresses are refused."""
    lenient: bool = False
    """Whether the bytes of a response are kept, for what aiohttp cannot parse; `exchange` of a request has them."""
    decompress: bool = True
    buffer: int = 64 * 1024
    headers: Mapping[str, str] = field(default_factory=lambda: {"User-Agent": USER_AGENT})


class Outbound:
    """What all outgoing connections of the program share. `client` is the one place where a client is made."""

    def __init__(self, trust: Trust | None = None, proxies: Proxies | None = None) -> None:
        self.trust = trust or Trust()
        self.proxies = proxies or Proxies()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], proxy: str = "") -> Outbound:
        """With the proxies of the environment and of the config."""
        return cls(proxies=Proxies(environ, proxy))

    def client(self, options: Options = Options()) -> Client:
        """A client without cookies, redirects, passwords of the machine or waiting of its own: callers bring deadlines.

        It may be made anywhere; it is used on one loop, and closed there (`aclose`).
        """
        return _Client(
            transport=_Transport(options, self.trust, self.proxies),
            cookies=_NoCookies(),
            auth=httpx.Auth(),
            timeout=None,
            trust_env=False,
        )


class _NoCookies(CookieJar):
    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep none."""

    def add_cookie_header(self, request: Any) -> None:
        """Send none."""


class _Client(httpx.AsyncClient):
    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """What httpx is given of it is the host and the body. Raises RequestError for what is not an http address.

        Its own way merges headers, parameters and cookies of which there are none: a fifth of what an attempt costs.
        """
        try:
            address = as_given(str(url))
            if params := options.pop("params", None):
                address = address.extend_query(params)
            headers = CIMultiDict(options.pop("headers", None) or {})
            waits = options.pop("timeout", httpx.USE_CLIENT_DEFAULT)
            waits = self.timeout if waits is httpx.USE_CLIENT_DEFAULT else httpx.Timeout(waits)
            extensions = (options.pop("extensions", None) or {}) | {"timeout": waits.as_dict()}
            origin = _origin(address.scheme, address.host or "", address.explicit_port)
            options = {name: value for name, value in options.items() if name in _BODIES}
            request = httpx.Request(method, origin, extensions=extensions, **options)
        except (ValueError, httpx.InvalidURL) as error:
            raise RequestError(error) from error
        if (kind := request.headers.get("Content-Type")) is not None:  # of a form or of JSON
            headers.setdefault("Content-Type", kind)
        request.extensions |= {"address": address, "headers": headers}
        return request

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """By the transport alone: there is no authentication, redirect, cookie or log line. Raises RequestError."""
        if self.is_closed:
            raise RuntimeError("The client is closed.")
        response = await self._transport.handle_async_request(request)
        if not stream:
            try:
                await response.aread()
            except BaseException:
                await response.aclose()
                raise
        return response


_BODIES = frozenset({"content", "data", "files", "json"})


@lru_cache(maxsize=1000)
def _origin(scheme: str, host: str, port: int | None) -> httpx.URL:
    return httpx.URL(scheme=scheme, host=host, port=port)


def as_given(address: str) -> URL:
    """An http address as it was typed. Raises ValueError if it is not one.

    Receivers sign their query strings, so percent-encoding is left alone where it is valid already.
    """
    url = URL(address, encoded=address.isascii() and address.isprintable() and " " not in address)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("not an http or https address")
    return url


def headers_of(response: Response) -> CIMultiDict[str]:
    """Its headers, each as it came: httpx joins those of one name."""
    return CIMultiDict(response.headers.multi_items())


class _Transport(AiohttpTransport):
    def __init__(self, options: Options, trust: Trust, proxies: Proxies) -> None:
        # A context that trusts nobody: the session gets ours with each request.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client=self._session, trust_env=False)
        self._options = options
        self._trust = trust
        self._proxies = proxies
        self._names = _LocalNames()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange: Exchange = request.extensions.get("exchange") or Exchange()
        try:
            response = await self._send(request, exchange)
        except _FAILURES as error:
            by_proxy = isinstance(error, aiohttp.ClientHttpProxyError)
            raise RequestError(error, sent=exchange.sent and not by_proxy, request=request) from error
        decoded = self._options.decompress
        return httpx.Response(
            status_code=response.status,
            headers=[pair for pair in response.raw_headers if not decoded or pair[0].lower() != b"content-encoding"],
            stream=_Body(response),
            request=request,
        )

    async def _send(self, request: httpx.Request, exchange: Exchange) -> aiohttp.ClientResponse:
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        address: URL = request.extensions["address"]
        headers: CIMultiDict[str] = request.extensions["headers"]
        proxy = await self._proxy(address)
        if proxy is not None and address.scheme == "http":
            headers = headers.copy()
            headers.update(proxy.headers | {"Connection": "close"})
        secure = address.scheme == "https" or (proxy is not None and proxy.url.startswith("https:"))
        limits = request.extensions["timeout"]
        CURRENT.set(exchange)
        response = await self.client.request(
            request.method,
            address,
            headers=headers,
            data=_data(request.content),
            ssl=await self._trust.context() if secure else True,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits["connect"], sock_read=limits["read"]),
            proxy=proxy.url if proxy is not None else None,
            proxy_headers=proxy.headers if proxy is not None else None,
        )
        if proxy is not None and response.status == PROXY_PASSWORD:
            response.close()
            raise aiohttp.ClientHttpProxyError(response.request_info, (), status=PROXY_PASSWORD)
        return response

    async def _proxy(self, address: URL) -> Proxy | None:
        """The proxy to send this through; None: directly. Raises RefusedAddressError."""
        proxy = self._proxies.for_host(address.scheme, address.host or "", address.port)
        if proxy is None or not self._options.guarded:
            return proxy
        # A direct connection is guarded where it is made. Here the proxy makes it, so all we know is looked at.
        found = await self._names.addresses(address.host or "")
        if any(map(is_refused, found)):
            raise RefusedAddressError
        return None if found and all(map(is_local, found)) else proxy

    def _session(self) -> aiohttp.ClientSession:
        options = self._options
        kind = Wires if options.lenient else Connector
        connector = kind(
            limit=options.connections,
            keepalive_timeout=options.keep_alive,
            socket_factory=guarded_socket if options.guarded else None,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=options.headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=options.decompress,
            read_bufsize=options.buffer,
            trust_env=False,
            **HEADS,
        )


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._response.content.iter_any():
                yield part
        except _FAILURES as error:
            raise RequestError(error, sent=True) from error

    async def aclose(self) -> None:
        # A connection with an unread rest is dropped: the rest may be endless.
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class _LocalNames:
    """The addresses that a name has here, remembered for a minute: the proxy is asked for every request."""

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Empty if it is not known here, or not in time."""
        loop = asyncio.get_running_loop()
        until, found = self._known.get(host, (0.0, ()))
        if loop.time() < until:
            return found
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                rows = await self._resolver.resolve(host)
                found = tuple(row["host"] for row in rows)
        except OSError:
            found = ()
        if len(self._known) >= _KNOWN_NAMES:
            self._known.clear()
        self._known[host] = (loop.time() + _KNOWN_SECONDS, found)
        return found


def _data(body: bytes) -> bytes | io.BytesIO | None:
    """aiohttp writes bytes in one piece; a large body goes out in pieces, so that it never holds up the loop."""
    if not body:
        return None
    return body if len(body) < _ONE_PIECE else io.BytesIO(body)
