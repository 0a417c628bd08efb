"""Rules for addresses: webhooks, the callback, listening, domains. No sentence here shows the address itself."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.schema import KEYRING
from itsjustintv_desktop.engine.core.net import proxies
from itsjustintv_desktop.engine.delivery import formats

Warn = Callable[[str], None]

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_HOST_AND_PORT = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::\d{{1,5}})?")
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f\\]")
_LONGEST_NAME = 253
"""RFC 1035, section 2.3.4."""
_CALLBACK_PATH = "/twitch"
_AT_HOME = frozenset(
    {"corp", "fritz", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "onion", "test"}
)
"""Ends of names that no server on the internet has (RFC 6761, RFC 6762, and what routers hand out)."""


def is_loopback(host: str | None) -> bool:
    """Whether a host, as written, is this machine itself."""
    return host is not None and (
        host == "localhost" or host == "::1" or re.match(r"127(\.\d{1,3}){3}$", host) is not None
    )


def has_credentials(url: str) -> bool:
    """Whether an address holds a user name or password (RFC 3986, section 3.2.1)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.username or parts.password)


def http_url(value: str) -> SplitResult:
    """The parts of an http or https address with a host. Raises Mistake."""
    if _UNFIT.search(value):
        raise Mistake("it holds a space, a backslash or a line break; copy the address again")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise Mistake("it is no valid address; its host or port cannot be read") from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise Mistake("it must begin with https:// (or http://)")
    if not parts.hostname:
        raise Mistake("it has no host; write the whole address, such as https://example.com/hook")
    if port == 0:
        raise Mistake("port 0 cannot be reached; leave the port out or write the real one")
    return parts


def webhook_url(value: str, warn: Warn) -> str:
    """Where announcements are sent to, or the word for "in the vault"."""
    value = value.strip()
    if value == KEYRING:
        return value
    mistake = formats.address_mistake(http_url(value))
    if mistake:
        warn(mistake)
    return value


def callback_url(value: str, warn: Warn) -> str:
    """The address Twitch calls us at. Twitch itself wants https on port 443."""
    value = value.strip()
    parts = http_url(value)
    if not is_loopback(parts.hostname) and (parts.scheme.lower() != "https" or parts.port not in {None, 443}):
        warn("Twitch calls only https addresses on port 443; it will refuse this one")
    if not is_loopback(parts.hostname) and (reason := _unreachable(parts.hostname or "")):
        warn(reason)
    if has_credentials(value):
        warn("its user name and password come to stand in the log; leave them out, for Twitch signs what it sends")
    if "#" in value:
        warn("what stands after # is never sent; take it away")
    if "?" in value.partition("#")[0]:
        warn("what stands after ? comes to stand in logs of others; take it away, for Twitch signs what it sends")
    path = parts.path.rstrip("/")
    if path == "":
        warn(f"it has no path; this program answers Twitch at {_CALLBACK_PATH}: add that to the address")
    elif path != parts.path:
        warn(f"it ends with a slash; this program answers Twitch at {_CALLBACK_PATH}, without one: take it away")
    elif path.lower() == _CALLBACK_PATH != path:
        warn(f"this program answers Twitch at {_CALLBACK_PATH}, in lower case; write it that way")
    return value


def external_domain(value: str, warn: Warn) -> str:
    """The name at which Twitch reaches us."""
    name = domain(value, warn)
    if reason := _unreachable(name):
        warn(reason)
    return name


def _unreachable(host: str) -> str:
    """Why nobody outside can reach a host, as written; "" if nothing is seen."""
    name = host.rstrip(".").lower()
    if _is_ip(name):
        if ipaddress.ip_address(name).version == 6:
            return "Twitch calls over IPv4; write a name that has an IPv4 address"
        known = ipaddress.IPv4Address(name)
        if known.is_global and not known.is_multicast:
            return ""
        return "it is an address of a private network, which Twitch cannot reach; write the public name"
    if "." not in name or name.rpartition(".")[2] in _AT_HOME or name.endswith(".home.arpa"):
        return "it is a name of your own network, which Twitch cannot find; write the public name"
    return "it is no whole IP address; write the public name" if re.fullmatch(r"[\d.]+", name) else ""


def authority(value: str, warn: Warn) -> str:
    """The ACME directory. https only, except on this machine."""
    value = value.strip()
    parts = http_url(value)
    if parts.scheme.lower() != "https" and not is_loopback(parts.hostname):
        raise Mistake("a certificate authority is asked over https:// only")
    return value


def proxy_address(value: str, warn: Warn) -> str:
    """Of the network's proxy, or the word for "none"."""
    value = value.strip()
    if value.lower() == proxies.DIRECT:
        return proxies.DIRECT
    try:
        proxies.parse(value, "")
    except ValueError as error:
        raise Mistake(str(error)) from None
    return value


def telemetry_endpoint(value: str, warn: Warn) -> str:
    value = value.strip()
    if "://" not in value and _HOST_AND_PORT.fullmatch(value):
        warn("it has no http:// or https:// before it; http:// is used")
        value = f"http://{value}"
    http_url(value)
    return value


def domain(value: str, warn: Warn) -> str:
    """A host name alone."""
    value = value.strip()
    if "://" in value:
        raise Mistake("write the name alone, without https:// and path, such as example.com")
    if "/" in value:
        raise Mistake("write the name alone, without a path, such as example.com")
    if ":" in value:
        raise Mistake("write the name alone, without a port, such as example.com")
    if "*" in value:
        raise Mistake("a wildcard cannot be used; write each name out")
    name = _ascii(value)
    if len(name) > _LONGEST_NAME or not _HOST_NAME.fullmatch(name):
        raise Mistake("it is no valid host name; write one such as example.com")
    return name.lower()


def domains(value: tuple[str, ...], warn: Warn) -> tuple[str, ...]:
    names: list[str] = []
    for number, name in enumerate(value, 1):
        try:
            names.append(domain(name, warn))
        except Mistake as mistake:
            raise Mistake(f"entry {number}: {mistake}") from None
    return tuple(names)


def listen_address(value: str, warn: Warn) -> str:
    """An IP address of this machine or a name for one, without the port."""
    value = value.strip().removeprefix("[").removesuffix("]")
    if _is_ip(value):
        return value
    if "://" in value or "/" in value:
        raise Mistake('write the address alone, such as "127.0.0.1"')
    if re.search(r":\d+$", value):
        raise Mistake('the port has a key of its own: listen_addr = "127.0.0.1" and port = 8080')
    if re.fullmatch(r"[\d.]+", value) or not _HOST_NAME.fullmatch(_ascii(value)):
        raise Mistake('it is no address of a machine; "127.0.0.1" is this machine alone, "0.0.0.0" all its networks')
    return value


def _is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _ascii(name: str) -> str:
    """An international name in the form DNS knows."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
