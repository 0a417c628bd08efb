"""What a destination can do to us, through the whole engine over real sockets: what `deliveries list` says of it, that
nothing is lost by it, and that it is announced once, with the same webhook-id, when the fault is over.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.core.net.trust import client_context
from tests.engine.delivery import servers
from tests.engine.delivery.servers import Behaviour, Receiver
from tests.support.authority import DAY, Authority
from tests.support.clock import FastClock
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

_CONFIG = """
[twitch]
restart_window = "0s"
[destinations.main]
url = "ADDRESS"
timeout = "TIMEOUT"
format = "FORMAT"
[streamers.alice]
login = "alice"
destinations = ["main"]
"""
FIRST, LONGEST = 30.0, 1800.0
"""Seconds; [retry] initial_delay and max_delay as they are by default, and a fifth of jitter."""


def _status(code: int, *headers: str, body: bytes = b"") -> Behaviour:
    """Answers once a connection, so that another behaviour counts from the next attempt on."""
    lines = [f"HTTP/1.1 {code} Whatever", "Connection: close", f"Content-Length: {len(body)}", *headers, "", ""]

    async def behave(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return behave


async def _reset(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await made.read(reader)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _hang(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await made.read(reader)
    await reader.read()


async def _endless(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await made.read(reader)
    writer.write(b"HTTP/1.1 500 X\r\n\r\n")
    while True:
        writer.write(b"z" * 65536)
        await writer.drain()


def _retry_after(value: str | Callable[[], str]) -> Callable[[], Behaviour]:
    return lambda: _status(429, f"Retry-After: {value if isinstance(value, str) else value()}")


def _in_five_minutes() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)


def _just(behaviour: Behaviour) -> Callable[[], Behaviour]:
    return lambda: behaviour


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault. `says` is what `deliveries list` shows as the last answer."""

    says: str
    state: str = "pending"
    behaviour: Callable[[], Behaviour] | None = None
    """None: nobody is asked."""
    url: str = ""
    """Instead of the receiver's own address."""
    again: tuple[float, float] = (0.8 * FIRST, 1.2 * FIRST)
    """Seconds until the next try, at least and at most."""
    timeout: str = "15s"
    format: str = "json"
    tls: Callable[[Authority], ssl.SSLContext] | None = None


def _fault(line: str, **details: Any) -> Any:
    case = Case(**details)
    shown = f'`deliveries list`: {case.state}, "{case.says}"' if case.says else f"`deliveries list`: {case.state}"
    return pytest.param(case, id=line, marks=pytest.mark.fault(f"destinations: {line}", seen=shown))


_PAGE = _status(200, "Content-Type: text/html", body=b"<html><body>Welcome</body></html>")
_INSIDE = "http://169.254.169.254/latest/meta-data/"

ANSWERS = [
    _fault("an error of the server (500)", says="answered 500 Internal Server Error",
           behaviour=lambda: _status(500)),
    _fault(
        "429 with a date in five minutes",
        says="answered 429 Too Many Requests", behaviour=_retry_after(_in_five_minutes), again=(290, 301 * 1.2),
    ),
    _fault("429 with Retry-After: -1", says="answered 429 Too Many Requests", behaviour=_retry_after("-1")),
    _fault("429 with Retry-After: 9e99", says="answered 429 Too Many Requests", behaviour=_retry_after("9e99")),
    _fault(
        "429 that asks for thirty years",
        says="answered 429 Too Many Requests", behaviour=_retry_after("999999999"), again=(LONGEST - 2, LONGEST * 1.2),
    ),
    _fault("200 with an HTML page", says="", state="delivered", behaviour=_just(_PAGE)),
    _fault(
        "a redirect to 169.254.169.254",
        says="answered with a redirect (302) to another address; put the final address into the config",
        state="dead", behaviour=lambda: _status(302, f"Location: {_INSIDE}"),
    ),
    _fault("a refusal (404)", says="refused with 404 Not Found", behaviour=lambda: _status(404)),
    _fault(
        "a deleted Discord webhook (404, code 10015)",
        says='refused with 404 Not Found; trying again would not help (it wrote: {"code": 10015})',
        state="dead", format="discord",
        behaviour=lambda: _status(404, body=b'{"code": 10015}'),
    ),
    _fault(
        "a deleted Slack webhook (404, no_service)",
        says="refused with 404 Not Found; trying again would not help (it wrote: no_service)",
        state="dead", format="slack",
        behaviour=lambda: _status(404, body=b"no_service"),
    ),
    _fault("a reset after the body", says="the connection was reset", behaviour=_just(_reset)),
    _fault("no answer at all", says="no answer in time", behaviour=_just(_hang), timeout="500ms"),
    _fault("an answer without an end", says="answered 500 Internal Server Error", behaviour=_just(_endless)),
    _fault("an answer that is no HTTP", says="the answer was not valid HTTP",
           behaviour=_just(servers.answering(b"SSH-2.0-OpenSSH_9.2\r\n"))),
]  # fmt: skip
ADDRESSES = [
    _fault("DNS does not know the name", says="the host name could not be found", url="http://nowhere.invalid/hook"),
    _fault("nobody listens", says="the connection was refused", url="http://127.0.0.1:9/hook"),
]
CERTIFICATES = [
    _fault(
        "an expired certificate",
        says="the server's certificate is not valid: certificate has expired",
        tls=lambda authority: authority.server("127.0.0.1", -DAY),
    ),
    _fault(
        "a certificate for another host",
        says="the server's certificate is not valid: IP address mismatch",
        tls=lambda authority: authority.server("other.test"),
    ),
]


async def _announced(running: Running) -> DeliveryView:
    """Alice goes live; the delivery after its first attempt, as `deliveries list` gets it."""
    await running.simulator.go_live("alice")
    return await _tried(running, 1)


async def _tried(running: Running, attempts: int) -> DeliveryView:
    """The one delivery, once it was tried so often."""
    found = address.read(running.paths.control)
    assert found is not None
    async with ControlClient(found) as client:

        async def tried() -> DeliveryView | None:
            found = await client.deliveries.list()
            ended = found and found[0].state is not DeliveryState.SENDING
            return (
                found[0] if ended and (found[0].attempts >= attempts or found[0].state is DeliveryState.DEAD) else None
            )

        view: DeliveryView = await until(tried, what="it was tried")
        return view


def _config(url: str, case: Case) -> str:
    return _CONFIG.replace("ADDRESS", url).replace("TIMEOUT", case.timeout).replace("FORMAT", case.format)


def _check(view: DeliveryView, case: Case) -> None:
    assert view.last_error == (case.says or None)
    assert view.state == case.state
    if view.state == "pending":
        least, most = case.again
        assert view.next_at is not None
        assert least - 5 <= view.next_at - time.time() <= most


@pytest.mark.parametrize("case", ANSWERS)
async def test_a_bad_answer(tmp_path: Path, case: Case, record_property: Callable[[str, object], None]) -> None:
    assert case.behaviour is not None
    async with (
        servers.receiver(case.behaviour()) as made,
        running_engine(tmp_path, _config(made.url(), case), secret=None) as running,
    ):
        before = await _announced(running)
        _check(before, case)
        assert len(made.requests) == 1
        if case.state == "delivered":
            return
        # The fault is over, and a person says so; what waits by itself comes out the same way later.
        made._behaviour = _status(204)
        await running.engine.api.deliveries.retry(before.id)
        after = await _tried(running, 2)
        assert (after.state, after.webhook_id) == ("delivered", before.webhook_id)
        assert {request.headers["webhook-id"] for request in made.requests} == {before.webhook_id}
        await running.settled()
        assert running.output()[-1]["success"] is True
    record_property("acknowledged", 1)


@pytest.mark.parametrize("case", ADDRESSES)
async def test_a_bad_address(tmp_path: Path, case: Case) -> None:
    async with running_engine(tmp_path, _config(case.url, case), secret=None) as running:
        _check(await _announced(running), case)


@pytest.mark.parametrize("case", CERTIFICATES)
async def test_a_bad_certificate(tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert case.tls is not None
    authority = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    if client_context().cert_store_stats()["x509_ca"] != 1:
        pytest.skip("the trust store of this system is not a file")
    async with (
        servers.receiver(_status(204), case.tls(authority)) as made,
        running_engine(tmp_path, _config(made.url(scheme="https"), case), secret=None) as running,
    ):
        _check(await _announced(running), case)
        assert made.requests == [], "nothing of the announcement was sent there"


@pytest.mark.fault(
    "destinations: an address at 169.254.169.254 itself",
    seen='`deliveries list`: dead, "leads to a link-local or cloud metadata address"',
)
async def test_a_metadata_address_in_the_config(tmp_path: Path) -> None:
    case = Case(says="", url=_INSIDE, state="dead")
    async with running_engine(tmp_path, _config(case.url, case), secret=None) as running:
        view = await _announced(running)
        assert view.state == "dead"
        assert "leads to a link-local or cloud metadata address" in (view.last_error or "")


@pytest.mark.fault(
    "destinations: 410 pauses it, and its deliveries wait",
    seen='`serve` logs "a destination is paused now"; '
    '`deliveries list` ends with "Correct its address, or `deliveries retry`"',
)
async def test_gone(tmp_path: Path) -> None:
    case = Case(says="answered 410 Gone: this webhook no longer exists there")
    async with (
        servers.receiver(_status(410)) as made,
        running_engine(tmp_path, _config(made.url(), case), secret=None) as running,
    ):
        with capture_logs() as lines:
            before = await _announced(running)
            _check(before, case)
            await until(lambda: _said(lines, "a destination is paused now"), what="it says so")
        (view,) = await running.engine.api.destinations.list()
        assert "Correct its address, or `deliveries retry`" in (view.sentence or "")
        await running.simulator.go_offline("alice")
        await running.simulator.go_live("alice")  # another stream: it waits and is not sent
        await until(lambda: _count(running, DeliveryState.PENDING, 2), what="both wait")
        assert len(made.requests) == 1
        made._behaviour = _status(204)  # the address is good again
        await running.engine.api.deliveries.retry(before.id)
        await until(lambda: _count(running, DeliveryState.DELIVERED, 2), what="both are delivered")
        assert [request.headers["webhook-id"] for request in made.requests].count(before.webhook_id) == 2
        assert len(made.requests) == 3


_NO_RESPONSE: dict[str, Behaviour] = {
    "a reset": _reset,
    "nothing": _hang,
    "a page of another protocol": servers.answering(b"220 mail.example ESMTP\r\n"),
    "a timeout of its gateway": _status(504),
    "a part of a status line": servers.answering(b"HTTP/1.1 2"),
}


@pytest.mark.fault(
    "destinations: a Discord or Slack webhook takes the message and its response is lost, again and again",
    seen='`deliveries list`: dead after two attempts, "it may have arrived"',
)
@pytest.mark.parametrize("answer", _NO_RESPONSE.values(), ids=_NO_RESPONSE)
@pytest.mark.parametrize("format", ["discord", "slack"])
async def test_lost_responses(tmp_path: Path, answer: Behaviour, format: str) -> None:  # noqa: A002
    config = '[retry]\ninitial_delay = "200ms"\n' + _config("ADDRESS", Case(says="", timeout="300ms", format=format))
    async with (
        servers.receiver(answer) as made,
        running_engine(tmp_path, config.replace("ADDRESS", made.url()), secret=None, clock=FastClock()) as running,
    ):
        await running.simulator.go_live("alice")

        async def given_up() -> bool:
            return bool(await running.deliveries(states=[DeliveryState.DEAD]))

        await until(given_up, what="it is given up")
        (view,) = await running.deliveries()
        assert "so it may have arrived" in (view.last_error or "")
        assert len(made.requests) == 2
        await running.settled()
        assert running.output()[-1]["success"] is False


def _said(lines: Sequence[Any], event: str) -> bool:
    return any(line["event"] == event for line in lines)


async def _count(running: Running, state: DeliveryState, number: int) -> bool:
    return len(await running.deliveries(states=[state])) == number
