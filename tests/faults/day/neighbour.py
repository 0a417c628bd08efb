"""Another program on the same client id: it answers Twitch, and nobody but itself may touch its subscriptions."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.subscriptions import Subscription


class Neighbour:
    """Has webhooks of its own and, if asked, a conduit."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.held: list[Subscription] = []

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{name}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def subscribe(self, login: str, kind: str, name: str = "one") -> None:
        user_id = self._simulator.state.get(login).user_id
        made = await self._simulator.subscribe(user_id, kind, f"{self.url}/{name}", "the-neighbours-secret")
        assert made.status == "enabled", made
        self.held.append(made)

    async def own_conduit(self, login: str) -> None:
        """A conduit with a webhook for its shard, and a subscription in it."""
        conduit = self._simulator.conduits.create(1)
        transport = {"method": "webhook", "callback": f"{self.url}/shard", "secret": "the-neighbours-secret"}
        self._simulator.eventsub.assign(conduit, [{"id": "0", "transport": transport}])
        await self._simulator.eventsub.idle()
        user_id = self._simulator.state.get(login).user_id
        self.held.append(await self._simulator.subscribe(user_id, "stream.online", conduit_id=conduit.id))

    def damage(self) -> list[str]:
        """What became of its subscriptions, a sentence for each that is not as it was."""
        there = self._simulator.eventsub.subscriptions
        lost = [f"the neighbour's {held.type} at {held.transport} is gone" for held in self.held if held not in there]
        return lost + [
            f"the neighbour's {held.type} is {held.status}"
            for held in self.held
            if held in there and held.status != "enabled"
        ]

    async def _answer(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        return web.Response(text=body["challenge"]) if "challenge" in body else web.Response(status=204)
