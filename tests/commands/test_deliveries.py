"""`deliveries` over the ledger alone, while no program runs."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.delivery.breaker import Breaker
from itsjustintv_desktop.engine.storage.ledger import Finish, Ledger
from tests.support.builders import make_event
from tests.support.commands import Result, here

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_KEYS = {
    "id", "webhook_id", "event_id", "streamer", "destination", "state", "attempts", "next_at", "last_status",
    "last_error", "created_at", "test",
}  # fmt: skip


async def _fill(path: Path, streams: int, *, states: bool) -> None:
    ledger = Ledger(path, SystemClock())
    await ledger.open()
    try:
        for number in range(streams):
            await ledger.accept_now(make_event(stream_id=str(number)))
        while page := await ledger.unfinished():
            for record in page:
                streamer = "alice" if record.id % 2 else "bob"
                await ledger.announce(record.id, streamer=streamer, payload=b"{}", destinations=["main", "other"])
        if states:
            await _settle_some(ledger)
    finally:
        await ledger.close()


async def _settle_some(ledger: Ledger) -> None:
    """1 delivered, 2 dead, 3 interrupted by a kill, 4 waits."""
    for wanted in (1, 2, 3):
        destination = "main" if wanted % 2 else "other"
        (claimed,) = (await ledger.claim(1, {destination: 1}, 0)).deliveries
        assert claimed.id == wanted
        if wanted == 1:
            result = AttemptResult(outcome=Outcome.DELIVERED, status=204)
            await ledger.finish([Finish(id=1, attempt=1, state=DeliveryState.DELIVERED, result=result)])
        elif wanted == 2:
            result = AttemptResult(outcome=Outcome.DEAD, status=404, error="The address is not there (404).")
            await ledger.finish([Finish(id=2, attempt=1, state=DeliveryState.DEAD, result=result)])


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path / "config.toml", tmp_path / "data")
    paths.create()
    return paths


@pytest.fixture
def small(paths: Paths) -> Callable[..., Result]:
    """A ledger with four deliveries, each in another state."""
    asyncio.run(_fill(paths.ledger, 2, states=True))
    return lambda *command: here(paths, "deliveries", *command)


def _state(small: Callable[..., Result], delivery: int) -> str:
    return next(str(each["state"]) for each in small("list", "--json").json if each["id"] == delivery)


def test_json_is_the_contract(small: Callable[..., Result]) -> None:
    result = small("list", "--json")
    assert (result.code, result.err) == (0, "")
    found: list[dict[str, Any]] = result.json
    assert [each["id"] for each in found] == [4, 3, 2, 1]
    for each in found:
        assert set(each) == _KEYS
        assert isinstance(each["id"], int)
        assert isinstance(each["event_id"], str)
        assert each["webhook_id"].startswith("msg_")
        assert _RFC3339.fullmatch(each["created_at"])
        assert (each["next_at"] is not None) == (each["state"] == "pending")
        assert each["next_at"] is None or _RFC3339.fullmatch(each["next_at"])
    assert [each["state"] for each in found] == ["pending", "pending", "dead", "delivered"]
    dead, delivered = found[2], found[3]
    assert (dead["last_status"], dead["last_error"]) == (404, "The address is not there (404).")
    assert (delivered["last_status"], delivered["last_error"], delivered["attempts"]) == (204, None, 1)


def test_a_table_for_people(small: Callable[..., Result]) -> None:
    result = small("list")
    assert result.code == 0
    heading, *rows = result.out.splitlines()
    assert heading.split() == ["ID", "STREAMER", "DESTINATION", "STATE", "TRIES", "MADE", "NEXT", "LAST", "ANSWER"]
    assert [row.split()[0] for row in rows] == ["4", "3", "2", "1"]  # a row is a line where no terminal is
    assert "The address is not there (404)." in rows[2]
    assert all(line == line.rstrip() for line in result.out.splitlines())


def _keep_breaker(path: Path, name: str, shut: Callable[[Breaker, float], None]) -> None:
    async def keep() -> None:
        ledger = Ledger(path, SystemClock())
        await ledger.open()
        try:
            breaker = Breaker()
            shut(breaker, time.time())
            await ledger.save_breaker(name, msgspec.json.encode(breaker.snapshot()))
        finally:
            await ledger.close()

    asyncio.run(keep())


def _pause(breaker: Breaker, now: float) -> None:
    breaker.pause("answered 410 Gone", "", now)


def _open(breaker: Breaker, now: float) -> None:
    for _ in range(10):
        breaker.record(Outcome.RETRY, now, "no answer")


@pytest.mark.parametrize(
    ("shut", "until", "said"),
    [
        (_pause, "paused", "main is paused: answered 410 Gone. Correct its address"),
        (_open, "when it answers again", "main is left alone for the moment: 10 of the last 10 attempts failed"),
    ],
)
def test_what_waits_for_its_destination_says_so(
    small: Callable[..., Result], paths: Paths, shut: Callable[[Breaker, float], None], until: str, said: str
) -> None:
    before = small("list", "--json").json
    _keep_breaker(paths.ledger, "main", shut)
    _, other, main, *_, last = small("list").out.splitlines()
    assert "other" in other
    assert until not in other
    assert until in main
    assert last.startswith(said)
    assert small("list", "--json").json == before  # the contract holds the due time
    assert "main is" not in small("list", "--state", "delivered").out  # nothing of it is shown waiting


def test_nothing_to_list(paths: Paths) -> None:
    assert here(paths, "deliveries", "list").out == "There are no deliveries to show.\n"
    assert here(paths, "deliveries", "list", "--json").json == []


def test_a_test_can_be_told_from_a_stream_and_each_has_its_day(paths: Paths) -> None:
    async def fill() -> None:
        ledger = Ledger(paths.ledger, SystemClock())
        await ledger.open()
        for is_test in (False, True):
            await ledger.accept_now(make_event(test=is_test))
        for event_id in (1, 2):
            await ledger.announce(event_id, streamer="alice", payload=b"{}", destinations=["main"])
        await ledger.close()

    asyncio.run(fill())
    assert [(each["id"], each["test"]) for each in here(paths, "deliveries", "list", "--json").json] == [
        (2, True), (1, False),
    ]  # fmt: skip
    _, second, first = here(paths, "deliveries", "list").out.splitlines()
    assert "alice (test)  main" in second
    assert "(test)" not in first
    assert time.strftime("%d %b ") in first


def test_a_streamer_that_is_not_there_is_said(paths: Paths) -> None:
    paths.config.write_text("[streamers.alice]\nlogin = 'alice_live'\n[streamers.bob]\n", encoding="utf-8")

    def said(key: str) -> str:
        return here(paths, "deliveries", "list", "--streamer", key).out

    assert said("bob") == "There are no deliveries to show.\n"
    assert said("nope") == "There is no streamer 'nope' in the config.\n"
    assert said("alice_live") == "There is no streamer 'alice_live' in the config. Did you mean alice?\n"
    paths.config.write_text("[streamers", encoding="utf-8")
    assert said("nope") == "There are no deliveries to show.\n", "a config that cannot be used is not the question"


def test_filters(small: Callable[..., Result]) -> None:
    def ids(*options: str) -> list[int]:
        return [each["id"] for each in small("list", "--json", *options).json]

    assert ids("--state", "pending") == [4, 3]
    assert ids("--state", "dead", "--state", "delivered") == [2, 1]
    assert ids("--streamer", "alice") == [2, 1]
    assert ids("--destination", "main") == [3, 1]
    assert ids("--streamer", "bob", "--destination", "main", "--state", "pending") == [3]
    assert ids("--streamer", "nobody") == []
    assert ids("--limit", "3") == [4, 3, 2]


def test_listings_go_beyond_one_page(paths: Paths) -> None:
    asyncio.run(_fill(paths.ledger, 225, states=False))
    everything = here(paths, "deliveries", "list", "--json", "--limit", "1000").json
    assert [each["id"] for each in everything] == list(range(450, 0, -1))
    assert len(here(paths, "deliveries", "list", "--json", "--limit", "401").json) == 401
    assert len(here(paths, "deliveries", "list", "--json").json) == 100
    mains = here(paths, "deliveries", "list", "--json", "--limit", "1000", "--destination", "main").json
    assert len(mains) == 225


def test_retry_brings_back_what_was_given_up(small: Callable[..., Result]) -> None:
    before = {each["id"]: each for each in small("list", "--json").json}
    result = small("retry", "2")
    assert result.code == 0
    assert result.out == "Delivery 2 to other is due now. It goes out when the program runs.\n"
    after = {each["id"]: each for each in small("list", "--json").json}
    assert after[2]["state"] == "pending"
    assert after[2]["webhook_id"] == before[2]["webhook_id"]


def test_drop(small: Callable[..., Result]) -> None:
    result = small("drop", "4", "--json")
    assert result.code == 0
    assert set(result.json) == _KEYS
    assert (result.json["id"], result.json["state"], result.json["next_at"]) == (4, "dropped", None)
    assert small("retry", "4").code == 0
    assert _state(small, 4) == "pending"


def test_resend(small: Callable[..., Result]) -> None:
    result = small("resend", "1", "--json")
    assert result.code == 0
    assert (result.json["id"], result.json["state"], result.json["destination"]) == (5, "pending", "main")
    assert _state(small, 1) == "delivered"


def test_what_a_kill_cut_off_can_be_steered(small: Callable[..., Result]) -> None:
    """It was being sent when the program was killed; nobody sends it now."""
    assert small("drop", "3").code == 0
    assert _state(small, 3) == "dropped"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("retry", "1"), "use resend"),
        (("drop", "1"), "delivered already"),
        (("drop", "2"), "dead already"),
        (("resend", "4"), "use retry"),
        (("retry", "77"), "no delivery 77"),
        (("drop", "77"), "no delivery 77"),
        (("resend", "77"), "no delivery 77"),
    ],
)
def test_no_is_1_and_says_why(small: Callable[..., Result], command: tuple[str, str], why: str) -> None:
    before = small("list", "--json").json
    for options in ((), ("--json",)):
        result = small(*command, *options)
        assert (result.code, result.out) == (1, "")
        assert why in result.err
    assert small("list", "--json").json == before


def test_a_stale_control_json_does_not_matter(paths: Paths, small: Callable[..., Result]) -> None:
    address.write(paths.control, ControlAddress(port=9, token="of a killed process", pid=2**22 + 1))
    assert len(small("list", "--json").json) == 4


def test_a_program_that_runs_and_does_not_answer(paths: Paths, small: Callable[..., Result]) -> None:
    lock = InstanceLock(paths.lock)
    lock.acquire()
    try:
        result = small("list")
    finally:
        lock.release()
    assert (result.code, result.out) == (1, "")
    assert "does not answer" in result.err


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are a POSIX thing")
def test_files_are_private(small: Callable[..., Result], paths: Paths) -> None:
    small("list")
    assert paths.data.stat().st_mode & 0o777 == 0o700
    for path in paths.data.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path.name


def test_a_ledger_of_a_newer_version_is_left_alone(paths: Paths, small: Callable[..., Result]) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(paths.ledger)) as connection:
        connection.execute("PRAGMA user_version = 999")
    result = small("list")
    assert (result.code, result.out) == (1, "")
    assert "newer version" in result.err
