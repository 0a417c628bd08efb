"""A full disk, seen from Twitch's side and from a person's."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from tests.support.disks import small_disk
from tests.support.engine import running_engine
from tests.support.waiting import until


@pytest.mark.small_disk
@pytest.mark.expected_errors("ledger cannot be written", "output.json cannot be written", "could not be taken")
@pytest.mark.fault(
    "disk: full while it runs",
    seen='Twitch and `/health` hear 503; the health says "disk is full"; with space again all goes on by itself',
)
async def test_twitch_hears_503_until_there_is_space_and_then_nothing_was_lost(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", "3m") as disk:
        async with running_engine(tmp_path, resend_delays=(0.3,) * 20) as running, aiohttp.ClientSession() as http:
            simulator, engine = running.simulator, running.engine

            async def health() -> int:
                async with http.get(running.callback.replace("/twitch", "/health")) as answer:
                    return answer.status

            assert await health() == 200
            disk.fill()
            user_id = simulator.state.get("alice").user_id
            subscription = next(iter(simulator.eventsub.subscriptions))
            rerun = {
                "id": "1", "type": "rerun", "started_at": "2026-01-01T00:00:00Z", "broadcaster_user_id": user_id,
                "broadcaster_user_login": "alice", "broadcaster_user_name": "x" * 200,
            }  # fmt: skip
            statuses: list[int | None] = []
            for number in range(300):  # the log may have a little room left
                sent = await simulator.send(subscription, rerun, message_id=f"filler-{number}")
                statuses.append(sent.status)
                if statuses[-3:] == [503] * 3:
                    break
            assert statuses[-3:] == [503] * 3
            assert set(statuses) <= {204, 503}
            assert await health() == 503
            report = await engine.doctor.health()
            assert (report["status"], report["parts"]["ledger"]["status"]) == ("failing", "failing")
            assert "disk is full" in report["parts"]["ledger"]["reason"]

            await simulator.go_live("alice")
            await until(lambda: any(s.status == 503 and s.message_id[:6] != "filler" for s in simulator.eventsub.sent))
            assert simulator.receiver.all == []
            disk.free()
            received = await simulator.receiver.wait_for(1, "main")
            assert received[0].verified
            await running.settled()
            assert await health() == 200
            assert (await engine.doctor.health())["parts"]["ledger"]["status"] == "ok"
            assert len(simulator.receiver.accepted("main")) == 1
            assert running.output()[-1]["success"] is True
