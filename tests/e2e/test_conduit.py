"""From an empty config to the first announcement over a conduit: client id, secret, one streamer, one destination."""

from __future__ import annotations

import time
from pathlib import Path

from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.support import rawhttp, signed
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

CONFIG = """
[twitch]
client_id = "simulated-client-id"
client_secret = "simulated-client-secret"
transport = "conduit"
[destinations.main]
url = "RECEIVER/main"
[streamers.alice]
login = "alice"
"""


async def subscribed(running: Running, count: int = 2) -> None:
    def enabled() -> bool:
        held = list(running.simulator.eventsub.subscriptions)
        return len(held) == count and all(each.status == "enabled" for each in held)

    await until(enabled, what="the subscriptions are there")


async def test_from_an_empty_config_to_the_first_announcement(tmp_path: Path) -> None:
    config = CONFIG + 'destinations = ["main"]\n'
    async with running_engine(tmp_path, config, subscribe=False, secret=None) as running:
        await until(lambda: running.engine.reach.way.status.state is TransportState.READY)
        await subscribed(running)
        await running.simulator.go_live("alice")
        (got,) = await running.simulator.receiver.wait_for(1, "main")
        assert got.json["streamer_login"] == "alice"
        assert got.json["event"]["message_id"]
        await running.settled()
        assert running.simulator.receiver.doubles() == {}


async def test_nobody_can_post_to_us_and_no_secret_is_made(tmp_path: Path) -> None:
    config = CONFIG + 'destinations = ["main"]\n'
    async with running_engine(tmp_path, config, subscribe=False, start=False, secret=None) as running:
        made = running.simulator.environment()
        made.pop("ITSJUSTINTV_TWITCH_WEBHOOK_SECRET")
        running.simulator.environment = lambda: made  # type: ignore[method-assign]
        engine = await running.start()
        assert engine.address is not None
        message = signed.online(time.time(), user_id="100000001", login="alice")
        answer = await rawhttp.ask(engine.address, message.request())
        assert (answer.status, answer.body) == (403, b"")
        assert engine.signing.primary is None
        assert (await engine.doctor.health())["parts"]["webhook secret"]["status"] == "ok"
