"""`feed`: to a running program, and over its files while none runs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, Ledger
from tests.support.builders import make_event
from tests.support.commands import beside, here
from tests.support.engine import SECRET, running_engine

_FILTERED = f"""
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[streamers.alice]
login = "alice"
destinations = ["main"]
[streamers.bob]
login = "bob"
destinations = ["main"]
tag_filter = ["nobody uses this"]
"""
_KEYS = {
    "id", "at", "kind", "streamer", "login", "name", "started_at", "reason", "explanation", "test", "deliveries",
}  # fmt: skip
_WHY = "None of its tags is in the filter (nobody uses this)."


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """1 announced, 2 suppressed, 3 missed, 4 a test, 5 nothing for the feed."""
    paths = Paths(tmp_path / "config.toml", tmp_path / "data")
    paths.create()
    paths.config.write_text(_FILTERED.replace("RECEIVER", "https://example.com"), encoding="utf-8")
    asyncio.run(_fill(paths.ledger))
    return paths


async def _fill(path: Path) -> None:
    ledger = Ledger(path, SystemClock())
    await ledger.open()
    for number in range(5):
        login = "alice" if number in {0, 3} else "bob"
        event = make_event(stream_id=str(number), test=number == 3, received_at=time.time(), broadcaster_login=login)
        await ledger.accept_now(event)
    for event_id in (1, 4):
        await ledger.announce(event_id, streamer="alice", payload=b"{}", destinations=["main"])
    ends = (
        (2, EventState.SUPPRESSED, "filtered", "Its tags did not fit."),
        (3, EventState.SUPPRESSED, "missed", "It was found too late."),
        (5, EventState.NOTED, "not_watched", "Nobody watches it."),
    )
    await ledger.settle(
        [
            EventOutcome(event_id=one, state=state, reason=why, explanation=text, streamer="bob")
            for one, state, why, text in ends
        ]
    )
    await ledger.close()


def _ids(paths: Paths, *options: str) -> list[int]:
    return [each["id"] for each in here(paths, "feed", "list", "--json", *options).json]


def test_a_table_for_people_in_the_words_of_the_window(paths: Paths) -> None:
    result = here(paths, "feed", "list")
    assert (result.code, result.err) == (0, "")
    heading, *rows = result.out.splitlines()
    assert heading.split() == ["ID", "WHEN", "STREAMER", "WHAT", "CAME", "OF", "IT", "REASON"]
    day = time.strftime("%d %b")
    said = [[part.strip() for part in row.split("  ") if part.strip()] for row in rows]
    assert [(row[0], row[2:]) for row in said] == [
        ("4", ["alice", "test: main waiting"]),
        ("3", ["bob", "missed", "It was found too late."]),
        ("2", ["bob", "not announced", "Its tags did not fit."]),
        ("1", ["alice", "went live: main waiting"]),
    ]
    assert all(row[1].startswith(day) for row in said), "with the day, today too"


def test_json_is_the_contract_and_filters(paths: Paths) -> None:
    found: list[dict[str, Any]] = here(paths, "feed", "list", "--json").json
    assert all(set(each) == _KEYS for each in found)
    assert [(each["id"], each["kind"], each["test"]) for each in found] == [
        (4, "announced", True), (3, "missed", False), (2, "suppressed", False), (1, "announced", False),
    ]  # fmt: skip
    assert [len(each["deliveries"]) for each in found] == [1, 0, 0, 1]
    assert (found[2]["reason"], found[2]["explanation"]) == ("filtered", "Its tags did not fit.")
    assert _ids(paths, "--not-announced") == [3, 2]
    assert _ids(paths, "--streamer", "bob") == [3, 2]
    assert _ids(paths, "--all", "--limit", "3") == [4, 3, 2]


def test_nothing_found_says_what_is_wrong(paths: Paths) -> None:
    assert here(paths, "feed", "list", "--streamer", "bobb").out == (
        "There is no streamer 'bobb' in the config. Did you mean bob?\n"
    )
    asked = ("feed", "list", "--streamer", "alice", "--not-announced")
    assert here(paths, *asked).out == "Nothing was left unannounced.\n"
    paths.config.write_text('[streamers.carol]\nlogin = "carol_live"\n', encoding="utf-8")
    for known in ("carol", "Carol_Live"):
        assert here(paths, "feed", "list", "--streamer", known).out == "There is nothing in the feed.\n"
    assert here(paths, *asked).out.startswith("There is no streamer 'alice'")


def test_more_than_one_page(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "data")
    paths.create()

    async def fill() -> None:
        ledger = Ledger(paths.ledger, SystemClock())
        await ledger.open()
        for number in range(230):
            await ledger.accept_now(make_event(stream_id=str(number)))
        ends = [
            EventOutcome(event_id=one, state=EventState.SUPPRESSED, reason="missed", explanation="")
            for one in range(1, 231)
        ]
        await ledger.settle(ends)
        await ledger.close()

    asyncio.run(fill())
    assert here(paths, "feed", "list").out.count("\n") == 51
    assert _ids(paths, "--limit", "1000") == list(range(230, 0, -1))
    assert len(_ids(paths, "--limit", "201")) == 201


async def test_beside_a_running_program(tmp_path: Path) -> None:
    async with running_engine(tmp_path, _FILTERED, logins=("alice", "bob")) as running:
        await running.simulator.go_live("alice")
        await running.simulator.go_live("bob")
        await running.settled()
        (left,) = (await beside(running.paths, "feed", "list", "--not-announced", "--json")).json
        assert (left["streamer"], left["explanation"]) == ("bob", _WHY)
        result = await beside(running.paths, "feed", "send-anyway", str(left["id"]))
        assert (result.code, result.err) == (0, "")
        assert result.out.splitlines() == [
            f"Event {left['id']} is sent anyway.", "main: delivered, the answer was 204.",
        ]  # fmt: skip
        assert running.simulator.receiver.accepted("main")[-1].json["streamer_login"] == "bob"
        listed = await beside(running.paths, "feed", "list", "--streamer", "bob")
        assert "went live: main delivered" in listed.out
        again = await beside(running.paths, "feed", "send-anyway", str(left["id"]))
        assert (again.code, again.out) == (1, "")
        assert "was not suppressed" in again.err


async def test_while_no_program_runs_and_announcements_are_paused(tmp_path: Path) -> None:
    async with running_engine(tmp_path, _FILTERED, logins=("alice", "bob")) as running:
        await running.simulator.go_live("bob")
        await running.settled()
        await running.engine.api.announcements.pause()
        await running.stop()
        environ = running.simulator.environment()
        unknown = await beside(running.paths, "feed", "send-anyway", "77", environ=environ)
        assert (unknown.code, unknown.out) == (1, "")
        assert "There is no event 77." in unknown.err
        (left,) = (await beside(running.paths, "feed", "list", "--not-announced", "--json")).json
        result = await beside(running.paths, "feed", "send-anyway", str(left["id"]), "--json", environ=environ)
        assert (result.code, result.json["destinations"]) == (0, ["main"]), result.err
        assert [each["state"] for each in result.json["deliveries"]] == ["delivered"]
        (one,) = running.simulator.receiver.accepted("main")
        assert (one.verified, one.json["streamer_login"]) == (True, "bob")


async def test_pages_over_the_control_port(tmp_path: Path) -> None:
    from itsjustintv_desktop.engine.control import address
    from itsjustintv_desktop.engine.core.errors import UsageError

    async with running_engine(tmp_path, _FILTERED, logins=("alice", "bob")) as running:
        for login in ("alice", "bob"):
            await running.simulator.go_live(login)
            await running.settled()
        found = address.read(running.paths.control)
        assert found is not None
        async with ControlClient(found) as client:
            page = await client.events.list(limit=1)
            assert [each.kind for each in page.events] == ["suppressed"]
            assert page.before == page.events[0].id
            older = await client.events.list(before=page.before)
            assert [each.kind for each in older.events] == ["announced"]
            assert older.before is None
            assert [view.state.value for view in older.events[0].deliveries] == ["delivered"]
            assert not (await client.events.list(kinds=("missed", "notice"))).events
            assert [each.login for each in (await client.events.list(streamer="ALICE")).events] == ["alice"]
            with pytest.raises(UsageError, match="'nonsense' is no kind"):
                await client.events.list(kinds=("nonsense",))  # type: ignore[arg-type]
