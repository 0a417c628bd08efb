"""Is this process healthy? Asks nothing outside of it, so it is quick, and right for a container's health check."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.monitoring.doctor.probe import get
from itsjustintv_desktop.engine.monitoring.doctor.report import Check, Report, amber, green, once, red, report_of

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

SECONDS = 3.0
HEALTH = "/health"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - these are looked up, nothing is bound
_MORE = "See `doctor` for what to do."


async def look(engine: Engine) -> Report:
    """One check for the program, one for its public port, one for each part of the detailed health."""
    found = [green("program", "It runs, and answers.")]
    if engine.address is not None:
        found.append(await public_port(engine.address, secure=engine.reach.way.context is not None))
    health = await engine.health.report()
    found += [part(name, about) for name, about in health["parts"].items()]
    return report_of(once(found))


async def public_port(address: tuple[str, int], *, secure: bool) -> Check:
    """What GET /health answers there."""
    name = "public port"
    host, port = _ANY.get(address[0], address[0]), address[1]
    where = f"{host} port {port}"
    try:
        async with asyncio.timeout(SECONDS):
            answer = await get(host, port, HEALTH, tls=_ours() if secure else None)
    except OSError as error:
        text = f"It does not answer at {where}: {network_sentence(error)}."
        return red(name, text, "Restart the program.")
    if answer.status == 200:
        return green(name, f"It answers at {where}.")
    if answer.status == 503:
        return red(name, f"It says at {where} that it is not well.", _MORE)
    return red(name, f"Something else answers at {where} ({answer.status}).", "Close the program that holds this port.")


def part(name: str, about: dict[str, Any]) -> Check:
    """A part of the health report. A restart may mend what stands still; the rest mends, or is mended, alive."""
    status, reason = about["status"], str(about["reason"])
    if status == "ok":
        return green(name, reason or "All is well.")
    if status == "failing" and name in {"ledger", "announce", "deliveries"}:
        return red(name, reason, _MORE)
    return amber(name, reason or "It is not ready yet.", _MORE)


def _ours() -> ssl.SSLContext:
    """For our own listener on this machine, which may have no certificate yet: only whether it answers counts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
