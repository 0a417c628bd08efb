"""The client id was changed in the config: the conduit of the one before is of no use any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.models import Conduit
from itsjustintv_desktop.engine.ingress.conduit.registry import OWNER, TAKEN
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from tests.engine.ingress.conduit.rig import Rig
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until

OTHER = Credentials("the-other-app", "its-secret")
DELETED = "the conduit of the client id before was deleted"
LEFT = "the conduit of the client id before is left to Twitch"


async def _changed(rig: Rig, credentials: Credentials = OTHER) -> None:
    """What a reload does: another way, once the one before has ended."""
    await rig.stop()
    rig.simulator.apps[OTHER.client_id] = OTHER.client_secret
    rig.credentials = credentials
    rig.told.clear()
    rig.new_way()
    rig.start()


async def _ready_with_another(rig: Rig, credentials: Credentials = OTHER) -> list[str]:
    """What was said about the conduit before."""
    with capture_logs() as lines:
        await _changed(rig, credentials)
        await rig.reached("ready")
    assert "conduit_gone" not in rig.codes, "that is not why"
    assert not any("72 hours" in status.message for status in rig.told)
    return [each["event"] for each in lines if "the client id before" in each["event"]]


async def test_it_gets_a_conduit_of_its_own_and_the_one_before_is_deleted(rig: Rig) -> None:
    await rig.ready()
    before = rig.target
    assert await rig.ledger.meta(OWNER) == rig.simulator.client_id
    assert await _ready_with_another(rig) == [DELETED]
    (made,) = rig.simulator.conduits
    assert made.id != before
    assert made.owner == OTHER.client_id
    assert rig.way.target == Conduit(made.id)
    assert (await rig.ledger.meta("conduit"), await rig.ledger.meta(OWNER)) == (made.id, OTHER.client_id)


async def test_the_way_says_why_it_makes_another(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.ready()
    said: list[tuple[TransportState, str]] = []
    monkeypatch.setattr(rig, "_changed", lambda: said.append((rig.way.status.state, rig.way.status.message)))
    await _changed(rig)
    await rig.reached("ready")
    text = "The client id is another one now. A conduit of its own is made, and the subscriptions with it."
    assert (TransportState.STARTING, text) in said


async def test_what_cannot_be_deleted_is_said_once_and_left_to_twitch(rig: Rig) -> None:
    await rig.ready()
    before = rig.target
    rig.simulator.faults.revoke_tokens()
    (said,) = await _ready_with_another(rig)
    assert said.startswith(LEFT)
    assert "72 hours" in said
    assert {each.id for each in rig.simulator.conduits} == {before, rig.target}
    with capture_logs() as lines:
        await rig.stop()
        rig.new_way()
        await rig.ready()
    assert not any("the client id before" in each["event"] for each in lines)
    assert len(rig.simulator.conduits) == 2


async def test_one_that_another_program_took_over_is_not_deleted(rig: Rig) -> None:
    await rig.ready()
    before = rig.target
    await rig.ledger.set_meta(TAKEN, before)
    (said,) = await _ready_with_another(rig)
    assert said.startswith(LEFT)
    assert before in rig.simulator.conduits


async def test_a_slip_of_the_pen_costs_nothing(rig: Rig) -> None:
    await rig.ready()
    before, right = rig.target, rig.credentials
    await _changed(rig, Credentials("no-such-app", "x"))
    await rig.reached("refused")
    assert before in rig.simulator.conduits
    assert await _ready_with_another(rig, right) == []
    assert rig.target == before
    assert len(rig.simulator.conduits) == 1


async def test_a_ledger_that_does_not_know_whose_it_is_learns_it(rig: Rig) -> None:
    await rig.ready()
    await rig.ledger.set_meta(OWNER, "")
    await rig.stop()
    rig.new_way()
    await rig.ready()
    assert await rig.ledger.meta(OWNER) == rig.simulator.client_id


@pytest.mark.parametrize("restarts", [False, True])
async def test_in_the_config_of_the_whole_program(tmp_path: Path, restarts: bool) -> None:
    """Also while it does not run: in one process the token of the client id before is in its memory."""
    text = '[twitch]\ntransport = "conduit"\nclient_id = "{}"\nclient_secret = "{}"\n' + ONE_STREAMER
    environ = {"ITSJUSTINTV_TWITCH_CLIENT_ID": "", "ITSJUSTINTV_TWITCH_CLIENT_SECRET": ""}
    async with running_engine(tmp_path, start=False, subscribe=False, environ=environ) as running:
        simulator = running.simulator
        simulator.apps[OTHER.client_id] = OTHER.client_secret
        running.write_config(text.format(simulator.client_id, simulator.client_secret))
        await running.start()
        await until(lambda: running.engine.reach.way.status.code == "ready")
        (before,) = simulator.conduits
        if restarts:
            await running.stop()
        running.write_config(text.format(OTHER.client_id, OTHER.client_secret))
        if restarts:
            await running.start()

        def moved() -> bool:
            target = running.engine.reach.way.target
            return running.engine.reach.way.status.code == "ready" and target != Conduit(before.id)

        await until(moved)
        assert [each.owner for each in simulator.conduits if each.id != before.id] == [OTHER.client_id]
        # Secrets are kept in memory here, so that nothing of the client id before outlives a stop.
        assert (before.id in simulator.conduits) is restarts
        await until(lambda: any(held.status == "enabled" for held in simulator.eventsub.subscriptions))
        await simulator.go_live("alice")
        await simulator.receiver.wait_for(1, "main")
