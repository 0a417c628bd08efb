"""The doctor: how things stand now, every check as a report, and how each part is."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.core.status import Status, SystemStatus
from itsjustintv_desktop.engine.monitoring.doctor.collect import FactCollector
from itsjustintv_desktop.engine.monitoring.doctor.collect_delivery import ANSWERS, NOTHING
from itsjustintv_desktop.engine.monitoring.doctor.facts import Facts
from itsjustintv_desktop.engine.monitoring.doctor.overall import judge, system_status
from itsjustintv_desktop.engine.monitoring.doctor.probe import get
from itsjustintv_desktop.engine.monitoring.doctor.report import Check, Report, amber, green, once, red, report_of
from itsjustintv_desktop.engine.monitoring.health import Health, worst
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.counting import Tally
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer

PATIENCE = 120.0
"""Seconds. What is not known by then is no matter of a start any more: it needs attention."""
LEDGER_SECONDS = 2.0
"""So long at most the ledger is waited for: a disk that hangs must not make what is shown hang, too."""
PORT_SECONDS = 3.0
HEALTH = "/health"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - these are looked up, nothing is bound
_MORE = "See `doctor` for what to do."


class Doctor:
    """Lives as long as its engine."""

    def __init__(
        self,
        facts: FactCollector,
        health: Health,
        ledger: Ledger,
        config: ConfigHolder,
        clock: Clock,
    ) -> None:
        self._collector, self._health, self._ledger, self._active, self._clock = facts, health, ledger, config, clock
        self._heard: tuple[Tally, dict[str, LastAnswer]] = NOTHING, {}
        """What the ledger said last."""
        self._config: Config | None = None
        self._unsettled_since: float | None = None
        """Since when, by the monotonic clock, something is not known yet."""

    async def look(self) -> tuple[SystemStatus, Tally]:
        """How things stand, by what is in memory and what the ledger says (or said last, while it does not answer)."""
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                self._heard = await self._ledger.tally(), await self._answers()
        except (LedgerError, TimeoutError):
            pass  # that it does not answer is one of the facts
        tally, answers = self._heard
        # From here on nothing waits, so that all of it is of one moment.
        return self._judge(self._collector.known(tally, answers)), tally

    async def report(self, asked: Streamer | None = None, *, recent: bool = False) -> Report:
        """Every check, about one streamer or about all. `recent`: see FactCollector.gather."""
        facts = self._with_patience(await self._collector.gather(asked, recent=recent))
        return msgspec.structs.replace(judge(facts), summary=system_status(facts).summary)

    async def health(self) -> dict[str, Any]:
        """`{status, announcing, parts: {name: {status, since, reason}}}`, status ok, waiting or failing; times Unix
        seconds. `announcing` is the answer that the window shows, too (see OverallStatus)."""
        status, tally = await self.look()
        found = self._health.observe()
        part, since = found["deliveries"]
        if part == Status() and (waiting := tally.by_state.get("pending", 0)):
            found["deliveries"] = Status(reason=f"{waiting} waiting to be sent"), since
        return {
            "status": worst(part for part, _ in found.values()),
            "announcing": msgspec.to_builtins(status.summary),
            "parts": {
                name: {"status": part.level, "since": since, "reason": part.reason}
                for name, (part, since) in found.items()
            },
        }

    async def local(self, address: tuple[str, int] | None, *, secure: bool) -> Report:
        """Whether this process is healthy, for a container's health check: quick, since it asks nothing outside of it.

        One check for the program, one for its public port at `address`, one for each part.
        """
        found = [green("program", "It runs, and answers.")]
        if address is not None:
            found.append(await public_port(address, secure=secure))
        found += [of_part(name, about) for name, about in (await self.health())["parts"].items()]
        return report_of(once(found))

    async def _answers(self) -> dict[str, LastAnswer]:
        names, found = list(self._active.current.destinations), dict[str, LastAnswer]()
        for start in range(0, len(names), ANSWERS):
            found |= await self._ledger.last_answers(names[start : start + ANSWERS])
        return found

    def _judge(self, facts: Facts) -> SystemStatus:
        status = system_status(self._with_patience(facts))
        if status.is_settled:
            self._unsettled_since = None
        elif self._unsettled_since is None:
            self._unsettled_since = self._clock.monotonic()
        return status

    def _with_patience(self, facts: Facts) -> Facts:
        """What is new gets its time to be known; a changed config gets it anew."""
        if facts.config.config is not self._config:
            self._config, self._unsettled_since = facts.config.config, None
        waited = 0.0 if self._unsettled_since is None else self._clock.monotonic() - self._unsettled_since
        return msgspec.structs.replace(facts, settling=waited < PATIENCE)


async def public_port(address: tuple[str, int], *, secure: bool) -> Check:
    """What GET /health answers there."""
    name = "public port"
    host, port = _ANY.get(address[0], address[0]), address[1]
    where = f"{host} port {port}"
    try:
        async with asyncio.timeout(PORT_SECONDS):
            answer = await get(host, port, HEALTH, tls=_ours() if secure else None)
    except OSError as error:
        text = f"It does not answer at {where}: {network_sentence(error)}."
        return red(name, text, "Restart the program.")
    if answer.status == 200:
        return green(name, f"It answers at {where}.")
    if answer.status == 503:
        return red(name, f"It says at {where} that it is not well.", _MORE)
    return red(name, f"Something else answers at {where} ({answer.status}).", "Close the program that holds this port.")


def of_part(name: str, about: dict[str, Any]) -> Check:
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
