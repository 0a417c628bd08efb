"""`pause` and `resume`: to a running program, and over its files while none runs."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.support.builders import make_event
from tests.support.commands import beside, here
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until

LATER = " That holds when the program runs.\n"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path / "config.toml", tmp_path / "data")
    paths.create()
    paths.config.write_text(ONE_STREAMER.replace("RECEIVER", "https://example.com"), encoding="utf-8")
    return paths


def _queue(paths: Paths) -> None:
    async def fill() -> None:
        ledger = Ledger(paths.ledger, SystemClock())
        await ledger.open()
        await ledger.accept_now(make_event())
        await ledger.announce(1, streamer="alice", payload=b"{}", destinations=["main"])
        await ledger.close()

    asyncio.run(fill())


def test_until_resumed_and_what_the_list_says(paths: Paths) -> None:
    _queue(paths)
    before = here(paths, "deliveries", "list", "--json").json
    result = here(paths, "pause")
    assert (result.code, result.out) == (0, "Announcements are paused until you resume them." + LATER)
    _, row, last = here(paths, "deliveries", "list").out.splitlines()
    assert "when resumed" in row
    assert last == "Announcements are paused until you resume them. `resume` ends that."
    assert here(paths, "deliveries", "list", "--json").json == before, "the contract holds the due time"
    assert here(paths, "resume").out == "Announcements are made again." + LATER
    assert here(paths, "resume").out == "Announcements were not paused." + LATER
    assert "paused" not in here(paths, "deliveries", "list").out


def test_an_empty_list_says_it_too(paths: Paths) -> None:
    here(paths, "pause", "until-resumed")
    assert here(paths, "deliveries", "list").out.splitlines() == [
        "There are no deliveries to show.",
        "Announcements are paused until you resume them. `resume` ends that.",
    ]


@pytest.mark.parametrize("when", ["90m", "tomorrow"])
def test_a_while(paths: Paths, when: str) -> None:
    _queue(paths)
    began = time.time()
    out = here(paths, "pause", when).out
    end = datetime.fromtimestamp(began + 5400).astimezone()
    if when == "tomorrow":
        end = (datetime.now() + timedelta(days=1)).replace(hour=6, minute=0)  # noqa: DTZ005
    minutes = {(end + timedelta(seconds=more)).strftime("%Y-%m-%d %H:%M") for more in (0, 10)}
    assert any(out == f"Announcements are paused until {minute}.{LATER}" for minute in minutes)
    (row,) = here(paths, "deliveries", "list").out.splitlines()[1:2]
    assert any(minute[-5:] in row for minute in minutes), "nothing is tried before"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("0s",), "is no time"),
        (("-1h",), "no such option"),
        (("soon",), "is no time"),
        (("1",), "is no time"),
        (("1h", "--destination", "main"), "leave the time out"),
        (("--reason", "x"), "is for a --destination"),
    ],
)
def test_what_makes_no_sense_is_2(paths: Paths, words: tuple[str, ...], why: str) -> None:
    result = here(paths, "pause", *words)
    assert (result.code, result.out) == (2, "")
    assert why in result.err.lower() or why in result.err
    assert "paused" not in here(paths, "deliveries", "list").out


def test_longer_than_a_year_is_refused(paths: Paths) -> None:
    result = here(paths, "pause", "9000h")
    assert (result.code, result.out) == (1, "")
    assert "within a year" in result.err


def test_one_destination(paths: Paths) -> None:
    _queue(paths)
    result = here(paths, "pause", "--destination", "main", "--reason", "moving")
    assert (result.code, result.out) == (0, "Nothing is sent to main until you resume it." + LATER)
    _, row, last = here(paths, "deliveries", "list").out.splitlines()
    assert "paused" in row
    assert last == "main was paused by hand: moving. Resume it in the app, or with `resume --destination`."
    assert here(paths, "resume", "--destination", "main").out == "What waits for main is sent again." + LATER
    assert here(paths, "resume", "--destination", "main").out == "main was not paused." + LATER
    assert "paused" not in here(paths, "deliveries", "list").out
    for command in ("pause", "resume"):
        unknown = here(paths, command, "--destination", "nobody")
        assert (unknown.code, unknown.out) == (1, "")
        assert "There is no destination 'nobody' in the config." in unknown.err


async def test_a_running_program_holds_back_and_goes_on(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        engine, paths = running.engine, running.paths
        result = await beside(paths, "pause", "1h")
        assert (result.code, result.err) == (0, "")
        assert engine.pause.until == pytest.approx(time.time() + 3600, abs=60)
        assert result.out == f"{engine.pause.sentence}\n"
        assert (await beside(paths, "deliveries", "list")).out.splitlines()[-1] == (
            f"{engine.pause.sentence} `resume` ends that."
        )
        assert (await beside(paths, "resume")).out == "Announcements are made again.\n"
        assert not engine.pause.active

        assert (await beside(paths, "pause", "--destination", "main")).code == 0
        assert engine.dispatcher.queues.paused_by_hand("main")
        await running.simulator.go_live("alice")

        async def queued() -> bool:
            return bool(await running.deliveries())

        await until(queued, what="the announcement is queued")
        listed = await beside(paths, "deliveries", "list")
        assert "main was paused by hand: paused by hand." in listed.out
        assert running.simulator.receiver.all == []
        assert (await beside(paths, "resume", "--destination", "main")).out == "What waits for main is sent again.\n"
        await running.simulator.receiver.wait_for(1, "main")
        assert (await beside(paths, "resume", "--destination", "main")).out == "main was not paused.\n"


async def test_what_was_paused_while_no_program_ran_holds_at_its_start(tmp_path: Path) -> None:
    async with running_engine(tmp_path, start=False) as running:
        assert (await beside(running.paths, "pause", "1h")).out.endswith(LATER)
        assert (await beside(running.paths, "pause", "--destination", "main")).code == 0
        engine = await running.start()
        assert engine.pause.active
        assert engine.dispatcher.queues.paused_by_hand("main")
