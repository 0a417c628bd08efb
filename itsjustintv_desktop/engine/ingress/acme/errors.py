"""What stood in the way, as a named state with sentences for a person."""

from __future__ import annotations

import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from itsjustintv_desktop.engine.config.schema import Server
from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.ingress.transports import TransportState

_ACCOUNT = frozenset(
    {
        "accountDoesNotExist",
        "badPublicKey",
        "externalAccountRequired",
        "invalidContact",
        "invalidEmail",
        "unsupportedContact",
        "userActionRequired",
        "unauthorized",
    }
)
_ANOTHER_ANSWERS = frozenset({"unauthorized", "incorrectResponse"})
_NO_NAME = frozenset({"dns", "dnssec", "unknownHost"})
_LOOSE = frozenset({"unauthorized", "malformed"})
_DOWN = frozenset({"unreachable", "answer", "late", "serverInternal", "badNonce", "malformed", "orderNotReady", ""})


class Explained(NamedTuple):
    state: TransportState
    code: str
    message: str
    fix: str


class Surroundings(NamedTuple):
    """What the sentences need to know: the config, and where the public port really listens."""

    server: Server
    address: tuple[str, int]

    @property
    def name(self) -> str:
        return self.server.tls.domains[0] if self.server.tls.domains else "the domain"

    @property
    def authority(self) -> str:
        """The authority's host."""
        return urlsplit(self.server.tls.directory_url).hostname or self.server.tls.directory_url

    @property
    def outside(self) -> int:
        """The port an authority comes to, which nobody can choose (RFC 8555 8.3, RFC 8737 3)."""
        return 443 if self.server.tls.challenge == "tls-alpn-01" else 80

    @property
    def here(self) -> str:
        """Where that port has to lead."""
        port = self.address[1] if self.server.tls.challenge == "tls-alpn-01" else self.server.tls.http_port
        return f"{_lan_address(self.address[0])} port {port}"

    @property
    def forward(self) -> str:
        sentence = f"Let your router forward TCP port {self.outside} to {self.here}, and let the firewall of this " \
                   "machine pass it."  # fmt: skip
        if _only_here(self.address[0]):
            return 'Set [server] listen_addr = "0.0.0.0": now only this machine itself can connect. ' + sentence
        return sentence


def explain(error: CertificateError, around: Surroundings) -> Explained:
    """The state that an error means."""
    why = error.message.rstrip(".")
    name = error.domain or around.name
    found = _proving(error, around, why, name) if error.validation else None
    return found or _at_home(error, around, why) or _asking(error, around, why, name)


def _proving(error: CertificateError, around: Surroundings, why: str, name: str) -> Explained | None:
    kind = _kind(error)
    if kind in _NO_NAME:
        return Explained(
            TransportState.FAILING,
            "wrong_dns",
            f"The name {name} does not lead here, the certificate authority says: {why}.",
            f"Give {name} an A record (and an AAAA record only if you have IPv6) with your public address at your DNS "
            "provider. It is tried again by itself.",
        )
    if kind == "connection":
        return Explained(
            TransportState.FAILING,
            "port_closed",
            f"The certificate authority could not connect to {name} on port {around.outside}: {why}.",
            around.forward,
        )
    if kind == "tls":
        return Explained(
            TransportState.FAILING,
            "port_closed",
            f"On port {around.outside} of {name} something else than this program answers: {why}.",
            around.forward,
        )
    if kind in _ANOTHER_ANSWERS:
        return Explained(
            TransportState.FAILING,
            "wrong_dns",
            f"Another machine than this one answers for {name}: {why}.",
            f"Check that the DNS record of {name} holds your public address. {around.forward}",
        )
    return None


def _kind(error: CertificateError) -> str:
    """What was wrong with the proof. Not every authority is as exact as Let's Encrypt: some only say it in words."""
    if error.kind in _LOOSE:
        words = error.message.lower()
        if "resolve" in words or "nxdomain" in words:
            return "dns"
        if "failed to connect" in words or "timeout" in words:
            return "connection"
    return error.kind


def _at_home(error: CertificateError, around: Surroundings, why: str) -> Explained | None:
    if error.kind == "disk":
        return Explained(
            TransportState.FAILING,
            "disk",
            f"Certificates cannot be kept: {why}.",
            "Free some space or make the folder writable for your user, or choose another [server.tls] cert_dir.",
        )
    if error.kind == "http_port":
        return Explained(
            TransportState.FAILING,
            "http_port",
            f"{why}.",
            "Close the program that holds the port, or set [server.tls] http_port to another one and let the router "
            'forward port 80 to it. challenge = "tls-alpn-01" needs no second port at all.',
        )
    if error.kind == "not_serving":
        return Explained(
            TransportState.WAITING,
            "not_serving",
            f"There is a certificate, and the public port does not work with it: {why}.",
            "Check [server] listen_addr and port, and this machine's clock. If it lasts, start the program again.",
        )
    return None


def _asking(error: CertificateError, around: Surroundings, why: str, name: str) -> Explained:
    authority = around.authority
    if error.kind == "rateLimited":
        return Explained(
            TransportState.WAITING,
            "rate_limited",
            f"The certificate authority {authority} wants us to wait: {why}.",
            "Nothing needs doing: it is tried again when the authority allows it.",
        )
    if error.kind in _DOWN or (error.kind == "connection" and not error.validation):
        return Explained(
            TransportState.WAITING,
            "authority_down",
            f"The certificate authority {authority} cannot be used now: {why or 'it gave no reason'}.",
            "It is tried again by itself. If it lasts, check this machine's internet connection, its clock and "
            "[server.tls] directory_url.",
        )
    if error.kind in _ACCOUNT:
        return Explained(
            TransportState.FAILING,
            "bad_account",
            f"The certificate authority {authority} does not accept our account: {why}.",
            "Check [server.tls] email and directory_url. An authority that wants an account made beforehand cannot be "
            "used; Let's Encrypt needs none.",
        )
    if error.kind == "caa":
        fix = f"Allow the authority in the CAA record of {name} at your DNS provider, or remove that record."
    else:
        fix = "Check the names in [server.tls] domains: they must be public names that belong to you."
    return Explained(
        TransportState.FAILING, "refused", f"The certificate authority {authority} refuses {name}: {why}.", fix
    )


def _only_here(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _lan_address(host: str) -> str:
    """The address a router would forward to. No packet is sent for it."""
    if host not in {"", "0.0.0.0", "::"} and not _only_here(host):  # noqa: S104 - it is looked up, nothing is bound
        return host
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
            found: str = probe.getsockname()[0]
            return found
    except OSError:  # no network
        return "this machine"
