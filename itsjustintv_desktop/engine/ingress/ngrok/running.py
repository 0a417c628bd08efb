"""The agent as one whole: process, local API and endpoint, from the first line to the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from itsjustintv_desktop.engine.core.errors import TunnelError, TunnelRefusedError, os_sentence
from itsjustintv_desktop.engine.ingress.ngrok import agent_output, messages, orphan, settings
from itsjustintv_desktop.engine.ingress.ngrok.agent import Agent
from itsjustintv_desktop.engine.ingress.ngrok.api import AgentApi
from itsjustintv_desktop.engine.ingress.ngrok.messages import Fault
from itsjustintv_desktop.engine.ingress.ngrok.start_settings import NgrokSettings

_NOT_READY: Final = 503
_NOT_FOUND: Final = 404
_MUTE_LIMIT: Final = 3


class Running:
    """Made for one start. `close` ends everything, whatever state it is in."""

    def __init__(
        self, plan: NgrokSettings, *, folder: Path, environ: Mapping[str, str], on_news: Callable[[], None]
    ) -> None:
        self.plan = plan
        self.agent = Agent(token=plan.token, domain=plan.route.domain, on_news=on_news)
        self.address: str | None = None
        """The public address, https://host."""
        self.version = ""
        self.region = ""
        self._folder = folder
        self._environ = environ
        self._api: AgentApi | None = None
        self._made = 0
        self._mute = 0

    async def start(self) -> Fault | None:
        """Start the process."""
        try:
            path = await asyncio.to_thread(
                settings.write,
                self._folder,
                token=self.plan.token,
                region=self.plan.route.region,
                proxy=self.plan.route.proxy.with_password if self.plan.route.proxy is not None else "",
            )
        except OSError as error:
            return messages.unwritable(os_sentence(error))
        try:
            await self.agent.start(self.plan.program, path, self._environ)
        except TunnelError as error:
            return messages.broken_program(error.message)
        try:
            await asyncio.to_thread(orphan.remember, self._folder, self.agent.pid)
        except OSError as error:
            return messages.unwritable(os_sentence(error))
        return None

    @property
    def ready_for_endpoint(self) -> bool:
        """It is connected to ngrok and can be told what to serve."""
        return self.agent.session is True and self.agent.api_address is not None

    def end(self) -> Fault:
        """Why the process ended by itself."""
        if self.agent.fault is not None and not (self.address and self.agent.fault.may_pass):
            return self.agent.fault
        why = f": {self.agent.trouble}" if self.agent.trouble else ""
        return messages.crashed(f"ended (exit code {self.agent.exit_code}){why}")

    async def open(self) -> Fault | None:
        """Make the endpoint. None also if the agent was not ready after all: it is asked again at the next look."""
        if self._api is None:
            assert self.agent.api_address is not None, "not before it is ready"
            # The token is read by now and need not lie on the disk.
            with contextlib.suppress(OSError):
                await asyncio.to_thread(settings.remove, self._folder)
            self._api = AgentApi(self.agent.api_address)
        route = self.plan.route
        self._made += 1  # a name that was refused once may stay taken
        try:
            address = await self._api.create(self._name, url=route.url, upstream=route.upstream)
        except TunnelRefusedError as error:
            return self._refused(error)
        except TunnelError as error:
            return messages.crashed(f"does not answer ({error.message})") if self._grows_mute() else None
        return self._take(address)

    async def look(self) -> Fault | None:
        """Ask it how it is; make the endpoint anew if it is gone."""
        assert self._api is not None, "not before `open`"
        try:
            status = await self._api.status()
            if status.online is not None:
                self.agent.session = status.online
            self.version, self.region = status.version, status.region
            if self.agent.session is False:
                return None
            address = await self._api.address_of(self._name)
        except TunnelError:
            return messages.crashed("does not answer any more and was stopped") if self._grows_mute() else None
        self._mute = 0
        if address is None:
            self.address = None  # nobody answers there until the new one is made
            return await self.open()
        return self._take(address)

    async def close(self) -> None:
        """Disconnect, end the process, take the token off the disk. In 5 s at most."""
        if self._api is not None and self.address is not None and not self.agent.ended:
            with contextlib.suppress(TunnelError, TimeoutError):
                async with asyncio.timeout(0.7):
                    await self._api.remove(self._name)
        await self.agent.stop()
        if self._api is not None:
            await self._api.close()
        with contextlib.suppress(OSError):
            await asyncio.to_thread(settings.remove, self._folder)
            await asyncio.to_thread(orphan.forget, self._folder)

    @property
    def _name(self) -> str:
        return f"itsjustintv-{self._made}"

    def _take(self, address: str) -> Fault | None:
        if not address.startswith("https://"):
            return messages.crashed("gave an address that is not https")
        self.address = address.rstrip("/")
        return None

    def _refused(self, error: TunnelRefusedError) -> Fault | None:
        if error.status == _NOT_READY:
            return None
        if error.status == _NOT_FOUND:
            return messages.TOO_OLD
        shown = agent_output.redact(error.message, self.plan.token)
        judged = messages.classify(error.message, detail=shown, domain=self.plan.route.domain)
        return judged or messages.crashed(f"could not open the address ({shown})")

    def _grows_mute(self) -> bool:
        self._mute += 1
        return self._mute >= _MUTE_LIMIT
