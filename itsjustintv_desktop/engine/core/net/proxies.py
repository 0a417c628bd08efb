"""Which proxy a request goes through: `[network] proxy`, else HTTPS_PROXY and HTTP_PROXY. NO_PROXY excepts hosts.

The variables are read here and nowhere else: libraries that read them by themselves also take passwords from .netrc.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, quote, unquote, urlsplit

DIRECT = "direct"
"""The value of `[network] proxy` with which the variables do not count either."""
_LIKE = "it is not the address of a proxy; write it like http://proxy.example:3128"
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SEPARATORS = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class Proxy:
    """`url` has no user name and no password in it; `headers` carry them to the proxy."""

    url: str
    source: str
    """Where it was set: `[network] proxy` or the name of a variable."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        if not self.user and not self.password:
            return {}
        word = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {word}"}

    @property
    def described(self) -> str:
        """Host, port and where it was set, for a person."""
        return f"{self.url.partition('://')[2]} ({self.source})"

    @property
    def with_password(self) -> str:
        """As one address, for programs and libraries that want it so."""
        if not self.headers:
            return self.url
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{rest}"


def parse(address: str, source: str) -> Proxy:
    """`http://user:password@host:port`, also without the scheme. Raises ValueError; its text is without the address."""
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(_LIKE) from error
    if parts.scheme not in {"http", "https"}:
        raise ValueError("it must be an http or https proxy; others cannot be used")
    if not host or not text.isprintable() or " " in text:
        raise ValueError(_LIKE)
    netloc = f"[{host}]" if ":" in host else host
    return Proxy(
        url=f"{parts.scheme}://{netloc}:{port or _default_port(parts)}",
        source=source,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _default_port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


class Proxies:
    """Asked for each request, so that a change of the config counts from the next one on."""

    def __init__(self, environ: Mapping[str, str] | None = None, configured: str = "") -> None:
        environ = environ or {}
        self._excepted = tuple(filter(None, _SEPARATORS.split(_variable(environ, "NO_PROXY")[1].lower())))
        self.problems: dict[str, str] = {}
        """Variables that cannot be used, and why."""
        self._found = {scheme: self._of_variable(environ, f"{scheme.upper()}_PROXY") for scheme in ("http", "https")}
        self._configured: Proxy | None = None
        self._direct = False
        self.configure(configured)

    def configure(self, configured: str) -> None:
        """Take over `[network] proxy`, which the config has checked."""
        self._direct = configured.strip().lower() == DIRECT
        self._configured = None
        if configured.strip() and not self._direct:
            with suppress(ValueError):
                self._configured = parse(configured, "[network] proxy")

    def for_url(self, url: str) -> Proxy | None:
        """The proxy for this address; None: connect to it directly."""
        parts = urlsplit(url)
        return self.for_host(parts.scheme, parts.hostname or "", parts.port)

    def for_host(self, scheme: str, host: str, port: int | None = None) -> Proxy | None:
        if self._direct or not self.known or is_local(host) or self._is_excepted(host, port or _PORTS.get(scheme)):
            return None
        return self._configured or self._found["https" if scheme in {"https", "wss"} else "http"]

    @property
    def in_use(self) -> tuple[Proxy, ...]:
        """Those that requests may go through: first that of https."""
        if self._direct:
            return ()
        both = (self._configured or self._found["https"], self._configured or self._found["http"])
        return tuple(dict.fromkeys(one for one in both if one is not None))

    @property
    def known(self) -> tuple[Proxy, ...]:
        """Those of the config and of the variables, also if they are not used."""
        return tuple(one for one in (self._configured, *self._found.values()) if one is not None)

    @property
    def excepted(self) -> str:
        """NO_PROXY, for programs that are started."""
        return ",".join(self._excepted)

    def _of_variable(self, environ: Mapping[str, str], name: str) -> Proxy | None:
        found, value = _variable(environ, name)
        if not value.strip():
            return None
        try:
            return parse(value, found)
        except ValueError as error:
            self.problems[found] = str(error)
            return None

    def _is_excepted(self, host: str, port: int | None) -> bool:
        host = host.lower().rstrip(".")
        return any(_matches(entry, host, port) for entry in self._excepted)


def is_local(host: str) -> bool:
    """Whether a name or literal address belongs to this machine or its network. Names are not looked up."""
    host = host.lower().rstrip(".").strip("[]")
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local"))


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Its name as it is spelled there, and its value. Lower case comes first, as everywhere."""
    found = name.lower() if name.lower() in environ else name
    return found, environ.get(found, "")


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    with suppress(ValueError):
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdigit():
        if int(digits) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").strip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))
