"""ngrok as a way: brings the agent up, watches over it, mends it, and tells how it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import os_sentence
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.ingress.ngrok import messages, settings
from itsjustintv_desktop.engine.ingress.ngrok.agent import Running, reap
from itsjustintv_desktop.engine.ingress.ngrok.messages import Fault
from itsjustintv_desktop.engine.ingress.ngrok.settings import NgrokSettings, SettingsCollector
from itsjustintv_desktop.engine.ingress.transports import BaseTransport, TransportState, callback_of

START_SECONDS: Final = 30.0
POLL_SECONDS: Final = 15.0
OFFLINE_SECONDS: Final = 120.0
"""So long the agent may try by itself; then it is started anew, for it can hang after a change of network."""
LOOK_SECONDS: Final = 3600.0
"""Between two looks from outside: each is a request of the 20,000 a month that a free account has."""
_FIRST_LOOK: Final = 5.0
_LOOK_AGAIN: Final = 30.0
_LOOKS_APART: Final = 300.0
_STEADY: Final = 60.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


class NgrokTransport(BaseTransport):
    """Keeps one agent running, and knows at any time whether Twitch's messages can come through it.

    `authtoken` may raise SecretsError. `local_address` is where the public port listens, None while it does not.
    `folder` (0700) holds the installed program, the agent's config while it starts, and the note of its process.
    """

    kind = "ngrok"

    def __init__(
        self,
        clock: Clock,
        on_change: Callable[[], None],
        *,
        config: ConfigHolder,
        authtoken: Callable[[], Awaitable[str | None]],
        local_address: Callable[[], tuple[str, int] | None],
        folder: Path,
        environ: Mapping[str, str],
        outbound: Outbound | None = None,
    ) -> None:
        super().__init__(clock, on_change)
        self._config = config
        self._folder = folder.absolute()
        self._environ = environ
        self._outbound = outbound or Outbound()
        self._planner = SettingsCollector(
            config=config,
            authtoken=authtoken,
            local_address=local_address,
            folder=self._folder,
            environ=environ,
            proxies=self._outbound.proxies,
        )
        self._running: Running | None = None
        self._asked = False
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._ready_at: float | None = None
        self._quota_spent = False

    def trigger(self) -> None:
        self._asked = True
        super().trigger()

    async def run(self) -> None:
        try:
            while True:
                fault = await self._once()
                if fault.told:
                    self._tell_fault(fault)
                pause = self._pause_after(fault)
                await self.close()
                if not self._asked:
                    self._triggered.clear()  # that was only the agent, and it has ended
                    await self._pause(pause)
                self._asked = False
        finally:
            await self.close()

    async def close(self) -> None:
        """End the agent. Cancelled half-way, it can be called again."""
        if self._running is not None:
            await self._running.close()
            self._running = None

    async def _once(self) -> Fault:
        """One run of the agent, up to what ended it."""
        plan = await self._planner.gather()
        if isinstance(plan, Fault):
            return plan
        try:
            await asyncio.to_thread(settings.make_folder, self._folder)
            await asyncio.to_thread(reap, self._folder)
        except OSError as error:
            return messages.unwritable(os_sentence(error))
        self._ready_at = None
        self._running = running = Running(plan, folder=self._folder, environ=self._environ, on_news=self._triggered.set)
        return await running.start() or await self._connect(running) or await self._watch(running)

    async def _connect(self, running: Running) -> Fault | None:
        """Until the agent is connected to ngrok."""
        agent = running.agent
        begun = heard_at = self._clock.monotonic()
        heard = 0
        while not running.ready_for_endpoint:
            now = self._clock.monotonic()
            if agent.ended:
                return running.end()
            if agent.fault is not None:
                return agent.fault
            if agent.heard != heard:
                heard, heard_at = agent.heard, now
            if agent.session is False:
                self._tell_fault(messages.offline(agent.trouble))
                end = min(begun + OFFLINE_SECONDS, heard_at + START_SECONDS)
                over = messages.offline(agent.trouble)
            else:
                end, over = begun + START_SECONDS, messages.start_timeout(START_SECONDS)
            if now >= end:
                return over
            await self._pause(end - now)
        return None

    async def _watch(self, running: Running) -> Fault:
        """While it runs."""
        agent = running.agent
        offline_at: float | None = None
        missing = 0
        begun = served_at = self._clock.monotonic()
        fault = await running.open()
        poll_at = begun + (POLL_SECONDS if running.address else 1.0)
        look_at = looked_at = begun + _FIRST_LOOK
        while fault is None:
            now = self._clock.monotonic()
            asked, self._asked = self._asked, False
            if agent.ended:
                return running.end()
            if agent.fault is not None and not agent.fault.may_pass:
                return agent.fault
            if self._planner.route() != running.plan.route or (asked and await self._plan_changed(running.plan)):
                return messages.CHANGED
            if agent.session is False:
                offline_at = now if offline_at is None else offline_at
                if now - offline_at >= OFFLINE_SECONDS:
                    return messages.offline(agent.trouble)
                self._tell_fault(messages.offline(agent.trouble))
            elif offline_at is not None:
                offline_at, poll_at = None, now
            if asked:
                poll_at = now
                look_at = min(look_at, max(now, looked_at + _LOOKS_APART))
            if now >= poll_at:
                fault = await running.look()
                if fault is not None:
                    break
                poll_at = now + (POLL_SECONDS if running.address else 1.0)
            if running.address is not None:
                served_at = now
            elif now - served_at >= START_SECONDS:
                return messages.start_timeout(START_SECONDS) if self._ready_at is None else messages.ADDRESS_GONE
            elif self._ready_at is not None and agent.session is not False:
                self._tell_fault(messages.ADDRESS_GONE)
            next_at = poll_at
            if agent.session is not False and running.address is not None:
                if now >= look_at:
                    looked_at = now
                    missing = await self._look_from_outside(running.address, missing)
                    if missing >= 2:
                        return messages.offline("ngrok does not know our address")
                    look_at = now + (_LOOK_AGAIN if missing else self._look_seconds)
                self._publish(running)
                next_at = min(poll_at, look_at)
            await self._pause(max(0.05, next_at - self._clock.monotonic()))
        return fault

    @property
    def _look_seconds(self) -> float:
        return messages.RETRY_QUOTA if self._quota_spent else LOOK_SECONDS

    async def _plan_changed(self, plan: NgrokSettings) -> bool:
        """Whether a start now would differ. What is lacking now does not matter to what runs."""
        found = await self._planner.gather()
        return isinstance(found, NgrokSettings) and found != plan

    async def _look_from_outside(self, address: str, missing: int) -> int:
        """Sets whether the allowance is spent; how often in a row ngrok's side did not know the address."""
        said = await messages.look(address, self._outbound)
        if said is None:
            return missing
        if messages.code_of(said) == messages.UNKNOWN_ADDRESS:
            return missing + 1
        self._quota_spent = messages.classify(said, detail="") is messages.QUOTA_SPENT
        return 0

    def _publish(self, running: Running) -> None:
        """Tell where Twitch reaches us."""
        assert running.address is not None
        callback = callback_of(self._config.current.config, running.address.removeprefix("https://"))
        target, before = Webhook(callback), self._target
        host, port = running.plan.route.local
        facts = {"local_address": f"{host}:{port}", "agent": running.version, "region": running.region}
        facts = {name: value for name, value in facts.items() if value}
        if isinstance(before, Webhook) and before != target:
            self._tell(
                TransportState.WAITING,
                "address_changed",
                f"The tunnel's address is now {callback}; it was {before.callback}. Twitch is told.",
                "Set [tunnel] domain to the fixed domain of your account, so that it stays the same.",
                address=callback,
                facts=facts,
            )
        self._set_target(target)
        if self._quota_spent:
            self._tell_fault(messages.QUOTA_SPENT)
            return
        now = self._clock.monotonic()
        self._ready_at = now if self._ready_at is None else self._ready_at
        if now - self._ready_at >= _STEADY:
            self._backoff.reset()
        self._tell(
            TransportState.READY,
            "ready",
            f"Twitch posts to {callback}; ngrok hands it to {host} port {port}.",
            address=callback,
            facts=facts,
        )

    def _tell_fault(self, fault: Fault) -> None:
        self._tell(fault.state, fault.code, fault.message, fault.fix)

    def _pause_after(self, fault: Fault) -> float:
        if fault.retry is not None:
            return fault.retry
        steady = self._ready_at is not None and self._clock.monotonic() - self._ready_at >= _STEADY
        if steady:
            self._backoff.reset()
        return self._backoff.next()
