"""The problems as Let's Encrypt reports them (Pebble is less exact), and what becomes of each."""

from __future__ import annotations

import pytest
from acme import messages

from itsjustintv_desktop.engine.config.schema import Server, Tls
from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.ingress.acme.client import _problem
from itsjustintv_desktop.engine.ingress.acme.errors import Surroundings, explain
from itsjustintv_desktop.engine.ingress.transports import TransportState

SERVER = Server(tls=Tls(enabled=True, domains=("a.example",)))


def explained(error: CertificateError, host: str = "0.0.0.0", server: Server = SERVER) -> tuple[str, str, str]:
    found = explain(error, Surroundings(server, (host, 8443)))
    assert found.message.endswith(".")
    assert found.fix.endswith(".")
    assert found.state in {TransportState.WAITING, TransportState.FAILING}
    return found.code, found.message, found.fix


def problem(kind: str, detail: str) -> messages.Error:
    found = messages.Error.from_json({"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail})
    assert isinstance(found, messages.Error)
    return found


@pytest.mark.parametrize(
    ("kind", "detail", "code"),
    [
        ("dns", "DNS problem: NXDOMAIN looking up A for a.example", "wrong_dns"),
        ("dnssec", "DNSSEC: bogus", "wrong_dns"),
        ("connection", "203.0.113.7: Timeout during connect (likely firewall problem)", "port_closed"),
        ("tls", "203.0.113.7: remote error: tls: no application protocol", "port_closed"),
        ("unauthorized", "203.0.113.7: Invalid response from http://a.example/: 404", "wrong_dns"),
        ("incorrectResponse", "203.0.113.7: Incorrect validation certificate", "wrong_dns"),
        ("caa", "CAA record for a.example prevents issuance", "refused"),
        ("rateLimited", "too many failed authorizations", "rate_limited"),
        ("serverInternal", "remote perspectives failed", "authority_down"),
    ],
)
def test_what_the_authority_saw(kind: str, detail: str, code: str) -> None:
    error = _problem(problem(kind, detail), "b.a.example")
    found, message, fix = explained(error)
    assert found == code
    assert detail in message
    if code == "port_closed":
        assert "TCP port 443" in fix
        assert "port 8443" in fix
    if kind == "caa":
        assert "CAA record of b.a.example" in fix


def test_many_problems_in_one() -> None:
    """RFC 8555 6.7.1: the first is told."""
    inner = {
        "type": "urn:ietf:params:acme:error:caa",
        "detail": "no",
        "identifier": {"type": "dns", "value": "x.example"},
    }
    outer = {"type": "urn:ietf:params:acme:error:compound", "detail": "several", "subproblems": [inner]}
    error = _problem(messages.Error.from_json(outer), "a.example")
    assert explained(error)[0] == "refused"


def test_what_a_stranger_writes_is_shown_in_one_short_line() -> None:
    detail = "one\ntwo\x1b[31m" + "x" * 5000
    error = _problem(problem("dns", detail), "a.example")
    assert "\n" not in error.message
    assert "\x1b" not in error.message
    assert len(error.message) <= 300


def test_where_the_router_has_to_forward_to() -> None:
    closed = CertificateError("no", kind="connection", validation=True)
    assert "192.0.2.9 port 8443" in explained(closed, "192.0.2.9")[2]
    assert "listen_addr" in explained(closed, "127.0.0.1")[2]
    assert "listen_addr" in explained(closed, "localhost")[2]
    assert "listen_addr" not in explained(closed, "0.0.0.0")[2]
    http = Server(tls=Tls(domains=("a.example",), challenge="http-01", http_port=8081))
    _, message, fix = explained(closed, "192.0.2.9", http)
    assert "on port 80:" in message
    assert "TCP port 80 to 192.0.2.9 port 8081" in fix
