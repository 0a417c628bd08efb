"""One delivery with all that is known of it, and nothing secret."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine.api.masking import MASK
from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import DeliveryState
from tests.support.engine import running_engine
from tests.support.waiting import until

CONFIG = """
[retry]
initial_delay = "50ms"
max_delay = "50ms"
[destinations.main]
url = "RECEIVER/main?token=query-secret"
secret = "signing-secret"
headers = { Authorization = "Bearer header-secret", X-Extra = "agent-secret" }
[streamers.alice]
login = "alice"
destinations = ["main"]
"""
SECRETS = ("query-secret", "signing-secret", "header-secret", "agent-secret")


async def test_every_attempt_and_the_request_are_shown(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONFIG, secret="signing-secret") as running:
        desk = running.engine.api
        running.simulator.faults.set_receiver("main", status=503, times=2)
        await running.simulator.go_live("alice")
        (received,) = await running.simulator.receiver.wait_for(1)
        await running.settled()
        (view,) = await running.deliveries()
        found = await desk.delivery_details.of(view.id)
        assert (found.view, found.test, found.problem) == (view, False, "")
        assert [(each.number, each.outcome, each.status) for each in found.attempts] == [
            (1, "failed", 503), (2, "failed", 503), (3, "delivered", 204),
        ]  # fmt: skip
        assert all(each.duration is not None for each in found.attempts)
        assert found.attempts[0].error == "answered 503 Service Unavailable"
        request = found.request
        assert request is not None
        assert (request.method, request.address) == ("POST", f"{running.simulator.url}/{MASK}")
        assert (request.size, request.signed) == (len(received.body), True)
        headers = dict(request.headers)
        assert headers["webhook-id"] == view.webhook_id
        assert headers["Content-Type"] == "application/json"
        assert (headers["Authorization"], headers["X-Hub-Signature-256"], headers["X-Extra"]) == (MASK,) * 3
        assert msgspec.json.decode(request.body)["streamer_login"] == "alice"
        text = msgspec.json.encode(found).decode() + repr(found)
        for secret in (*SECRETS, received.headers["X-Hub-Signature-256"], "sha256="):
            assert secret not in text


async def test_one_that_was_refused_says_so(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONFIG, secret="signing-secret") as running:
        running.simulator.faults.set_receiver("main", redirect="/elsewhere")
        await running.engine.api.announcements.test_event("alice")

        async def dead() -> bool:
            return [each.state for each in await running.deliveries()] == [DeliveryState.DEAD]

        await until(dead)
        found = await running.engine.api.delivery_details.of((await running.deliveries())[0].id)
        assert (found.test, [each.outcome for each in found.attempts]) == (True, ["refused"])


async def test_where_there_is_no_request_it_says_why(tmp_path: Path) -> None:
    kept = '[destinations.main]\nurl = "@keyring"\nsecret = "@keyring"\n'
    streamer = '[streamers.alice]\nlogin = "alice"\ndestinations = ["main"]\n'
    async with running_engine(tmp_path, kept + streamer, secret=None) as running:
        desk = running.engine.api
        await desk.destinations.pause("main")
        await running.engine.api.announcements.test_event("alice")
        await until(running.deliveries)
        (view,) = await running.deliveries()
        found = await desk.delivery_details.of(view.id)
        assert (found.request, found.attempts) == (None, ())
        assert "not in the vault" in found.problem
        await running.engine.secrets.set_destination("main", url="https://discord.com/api/webhooks/1/x", secret="s")
        request = (await desk.delivery_details.of(view.id)).request
        assert request is not None
        assert request.address == f"https://discord.com/{MASK}"
        assert "embeds" in msgspec.json.decode(request.body)
        await running.engine.secrets.set_destination("main", url=None)
        assert (await desk.delivery_details.of(view.id)).problem == "The destination has no address. Set its url."
        running.write_config(streamer.replace('"main"', ""))
        await running.restart()
        assert (
            await running.engine.api.delivery_details.of(view.id)
        ).problem == "The destination was removed from the config."
        with pytest.raises(NotFoundError):
            await running.engine.api.delivery_details.of(view.id + 1)


async def test_an_attempt_that_was_cut_off_is_interrupted(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONFIG, secret="signing-secret") as running:
        await running.engine.api.destinations.pause("main")
        await running.engine.api.announcements.test_event("alice")
        await until(running.deliveries)
        (view,) = await running.deliveries()
        await running.engine.ledger.claim(1, {}, 1)
        found = await running.engine.api.delivery_details.of(view.id)
        assert [each.outcome for each in found.attempts] == ["under way"]
        await running.restart()
        found = await running.engine.api.delivery_details.of(view.id)
        assert [(each.outcome, each.duration) for each in found.attempts] == [("interrupted", None)]
