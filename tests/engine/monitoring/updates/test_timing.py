"""When it is asked for newer versions, and when not at all."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.monitoring.updates import signing
from itsjustintv_desktop.engine.monitoring.updates.check import AGAIN, EVERY, FIRST, LOOK
from tests.engine.monitoring.updates.conftest import OWN, House
from tests.support.versions import not_there

DAY = 86400.0


def shown(house: House) -> str:
    view = house.check.view
    return view.version if view is not None else ""


async def test_it_is_asked_again_after_two_hours_and_once_a_day_after_an_answer(house: House) -> None:
    house.server.answer = not_there
    await house.start()
    await house.asked()
    assert AGAIN * 0.9 - 1 <= house.check._due_in() <= AGAIN * 1.1
    house.server.answer = None
    house.publish(OWN)
    await house.asked()
    assert EVERY * 0.9 - 1 <= house.check._due_in() <= EVERY * 1.1


async def test_nothing_is_asked_in_the_first_minutes(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    assert FIRST <= house.clock.sleeping[0] <= 2 * FIRST
    house.clock.advance(FIRST - 1)
    await house.clock.run_until(lambda: house.clock.sleepers, most=0)
    assert house.server.count == 0
    await house.clock.run_until(lambda: house.server.count, step=10, most=FIRST + 1)


async def test_a_program_started_often_asks_once_a_day(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    for _ in range(3):
        await house.start()
        assert house.check._due_in() > EVERY * 0.8
    house.clock.advance(1.2 * DAY)
    await house.start()
    assert house.check._due_in() <= 2 * FIRST


async def test_a_machine_that_slept_asks_soon_after(house: House) -> None:
    """Its monotonic clock stood still."""
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    before = house.server.count
    house.clock.jump(2 * DAY)
    await house.clock.run_until(lambda: house.server.count > before, step=60, most=LOOK + 60)


async def test_a_clock_set_back_by_a_year_holds_nothing_up(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    before = house.server.count
    house.clock.jump(-365 * DAY)
    house.publish("1.3.1")
    await house.clock.run_until(lambda: house.server.count > before, step=60, most=LOOK + 60)


async def test_switched_off_nothing_is_asked_and_nothing_shown(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    house.switch(on=False)
    for _ in range(200):
        house.clock.advance(LOOK)
        await house.clock.run_until(lambda: house.clock.sleepers, most=0)
    assert house.server.asked == []
    assert (house.check.code, house.check.sentence) == ("off", "It is switched off: [updates] check.")


async def test_switching_it_off_hides_what_was_found_and_on_shows_it_again(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    house.switch(on=False)
    await house.clock.run_until(lambda: house.told[-1] == ("", False), most=0)
    assert house.check.view is None
    house.switch(on=True)
    await house.clock.run_until(lambda: house.told[-1] == ("1.3.0", False), most=0)
    assert shown(house) == "1.3.0"


async def test_without_a_key_nothing_is_asked(house: House) -> None:
    house.pin()
    house.publish("1.3.0")
    await house.start()
    house.clock.advance(10 * DAY)
    await house.clock.run_until(lambda: house.clock.sleepers, most=0)
    assert house.server.asked == []
    assert (house.check.code, house.check.note) == ("no-key", None)
    assert house.check.sentence == "This build has no key for updates, so it does not look for newer versions."


@pytest.mark.parametrize("version", ["1.3.0.dev1", "1.2.3+local", "unknown"])
async def test_a_build_of_ones_own_asks_nobody(house: House, version: str) -> None:
    """There is nothing to compare it with; above all it starts."""
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    count = house.server.count
    check = await house.start(version=version)
    house.clock.advance(10 * DAY)
    await house.clock.run_until(lambda: house.clock.sleepers, most=0)
    assert (check.code, check.view, house.server.count) == ("unreleased", None, count)


async def test_keys_that_cannot_be_read_are_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple[bytes, ...]:
        raise ValueError("line 3 is no Ed25519 public key in base64")

    monkeypatch.setattr(signing, "pinned_keys", broken)
    assert (await house.start()).code == "no-key"


async def test_with_a_simulated_twitch_nobody_outside_is_asked(house: House) -> None:
    simulated = {"api_url": "http://127.0.0.1:1/helix"}
    check = await house.start(updates_url="https://updates.example/latest.json", **simulated)
    assert check.code == "simulated"
    assert check._due_in() == float("inf")
    assert (await house.start(**simulated)).code == "not-asked", "a stand-in on this machine may be"


# Skipping


async def test_a_skipped_version_is_not_shown_again_and_the_next_one_is(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    await house.check.skip("1.3.0")
    await house.clock.run_until(lambda: house.told[-1] == ("", False), most=0)
    assert (house.check.view, house.check.note) == (None, None)
    await house.asked()
    await house.start()
    assert house.check.view is None
    house.publish("1.3.1")
    await house.asked()
    assert shown(house) == "1.3.1"
    assert house.told[-1] == ("1.3.1", True)
