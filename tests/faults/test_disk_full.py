"""The disk fills up while Twitch posts: 503, nothing acknowledged in vain, and with space again all goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import rawhttp, signed
from tests.support.disks import small_disk
from tests.support.engine import Running, running_engine
from tests.support.signed import Message
from tests.support.waiting import until


def _message(running: Running, number: int) -> Message:
    user_id = running.simulator.state.get("alice").user_id
    message = signed.online(time.time(), user_id=user_id, login="alice", stream_id=f"stream-{number}")
    return message.but(secret=running.simulator.webhook_secret)


async def _post(running: Running, message: Message) -> int:
    assert running.engine.address is not None
    return (await rawhttp.ask(running.engine.address, message.request(), timeout=10)).status


async def _health(running: Running) -> int:
    assert running.engine.address is not None
    return (await rawhttp.ask(running.engine.address, rawhttp.request(target="/health"))).status


@pytest.mark.expected_errors
@pytest.mark.fault(
    "disk: full while Twitch posts again and again",
    seen="Twitch hears 503 and sends again; what had got 204 is announced once",
)
@pytest.mark.small_disk
async def test_a_full_disk_loses_and_doubles_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with small_disk(tmp_path / "data", "1200k") as disk:
        # Without an account at Twitch nothing is enriched, which would only take time here.
        environ = {"ITSJUSTINTV_TWITCH_CLIENT_ID": "", "ITSJUSTINTV_TWITCH_RESTART_WINDOW": "0s"}
        async with running_engine(tmp_path, environ=environ) as running:
            assert running.paths.data == disk.path
            assert await _post(running, _message(running, 0)) == 204
            await running.settled()

            disk.fill()
            taken, refused = ["stream-0"], None
            for number in range(1, 3000):  # the log of the ledger has some space left
                message = _message(running, number)
                status = await _post(running, message)
                assert status in {204, 503}
                if status == 503:
                    refused = message
                    break
                taken.append(f"stream-{number}")
            assert refused is not None
            assert await _health(running) == 503
            assert await _post(running, refused) == 503  # a resend, still no space

            disk.free()

            async def healthy() -> bool:
                return await _health(running) == 200

            await until(healthy, what="it is healthy again without a restart and without a message")
            assert await _post(running, refused) == 204
            taken.append(json.loads(refused.body)["event"]["id"])
            await running.simulator.receiver.wait_for(len(taken), "main", timeout=20)
            await running.settled()
            announced = [one.json["stream"]["id"] for one in running.simulator.receiver.accepted("main")]
            record_property("acknowledged", len(taken))
            record_property("lost", len(set(taken) - set(announced)))
            record_property("doubled", len(announced) - len(set(announced)))
            assert sorted(announced) == sorted(taken)
            assert all(entry["success"] for entry in running.output())
