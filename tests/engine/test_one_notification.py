"""Every log line about one notification carries its id, from the POST to the last attempt, also after a restart."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import structlog

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.enrichment import Batcher
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.waiting import until

CONFIG = '[retry]\ninitial_delay = "1s"\nmax_delay = "1s"\n' + ONE_STREAMER


async def tried(running: Running) -> None:
    await until(lambda: running.simulator.receiver.received("main"), what="it was tried")

    async def waits() -> bool:
        return (await running.deliveries())[0].state == "pending"

    await until(waits, what="it waits for its next attempt")


def lines(running: Running) -> list[dict[str, Any]]:
    text = (running.paths.logs / "itsjustintv.log").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


async def test_one_id_from_the_post_to_the_last_attempt(tmp_path: Path) -> None:
    logs.configure("debug")
    async with running_engine(tmp_path, CONFIG) as running:
        logs.open_file(running.paths.logs)
        running.simulator.faults.set_receiver("main", status=503)
        # Enriching has something to complain of, in a task of its own.
        running.simulator.faults.set("channels", status=400)
        await running.simulator.go_live("alice")
        await tried(running)
        await running.restart()
        running.simulator.faults.clear()
        await running.simulator.receiver.wait_for(1, "main")
        await running.settled()
        (sent,) = [one for one in running.simulator.eventsub.sent if one.kind == "notification"]
        logs.close_file()
        said = [line for line in lines(running) if line.get("notification") == sent.message_id]
        deliveries = [line for line in said if line["event"] == "delivery"]
        assert [line["event"] for line in said if line["logger"] == "engine.ingress.intake"] == ["taken in"]
        assert [line["state"] for line in deliveries] == ["pending", "delivered"]
        assert [line["attempt"] for line in deliveries] == [1, 2]
        assert {line["event_id"] for line in said if "event_id" in line} == {1}
        assert {"announced", "delivery", "taken in"} <= {line["event"] for line in said}
        # And nothing about it goes without.
        assert all("notification" in line for line in lines(running) if "event_id" in line)


async def test_what_is_not_announced_has_its_id(tmp_path: Path) -> None:
    logs.configure("info")
    async with running_engine(tmp_path, CONFIG + 'tag_filter = ["nothing has this"]\n') as running:
        logs.open_file(running.paths.logs)
        await running.simulator.go_live("alice")
        await running.settled()
        logs.close_file()
        (sent,) = [one for one in running.simulator.eventsub.sent if one.kind == "notification"]
        (line,) = [line for line in lines(running) if line["event"] == "not announced"]
        assert (line["notification"], line["reason"]) == (sent.message_id, "filtered")


async def test_what_is_asked_for_many_carries_the_id_of_none() -> None:
    seen: list[tuple[list[str], dict[str, Any]]] = []

    async def call(keys: list[str]) -> dict[str, str]:
        seen.append((sorted(keys), structlog.contextvars.get_contextvars()))
        return dict.fromkeys(keys, "value")

    tasks = Tasks()
    batcher = Batcher("test", call, tasks, interval=0.0)

    async def ask(key: str) -> None:
        structlog.contextvars.bind_contextvars(notification=key)
        assert await batcher.get(key, timeout=5.0) == "value"

    await asyncio.wait([tasks.start("one", ask("one"))])
    await asyncio.wait([tasks.start("two", ask("two")), tasks.start("three", ask("three"))])
    await tasks.stop()
    assert seen == [(["one"], {"notification": "one"}), (["three", "two"], {})]
