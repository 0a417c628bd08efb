"""What happens to a tunnel that was up: each trouble is told, and it mends itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.schema import Config, Tunnel
from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.ingress.ngrok import api
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.ngrok.conftest import Rig
from tests.support.public import public_port
from tests.support.waiting import until

FIXED = Config(tunnel=Tunnel(provider="ngrok", domain="mine.ngrok-free.dev"))


@pytest.mark.fault(
    "tunnel: its program dies",
    seen='the way says "crashed", and starts it again',
)
async def test_a_program_that_dies_is_started_again(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    target = rig.way.target
    (process,) = rig.running()
    process.kill()
    status = await rig.state("crashed")
    assert status.state is TransportState.WAITING
    assert rig.way.target == target, "the last one that worked stays"
    assert await rig.retried() == 1.0
    await rig.ready()
    assert len(rig.seen("pid")) == 2


async def test_one_that_dies_again_and_again_is_started_less_and_less(rig: Rig) -> None:
    rig.script(exit=7, last_words=["something is odd"])
    rig.start()
    status = await rig.state("crashed")
    assert "exit code 7): something is odd" in status.message

    def started_more_often_than(number: int) -> bool:
        return len(rig.seen("pid")) > number

    pauses = []
    for number in range(1, 9):
        pauses.append(await rig.rests())
        rig.clock.advance(pauses[-1])
        await until(partial(started_more_often_than, number))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert rig.codes() == ["crashed"]
    await rig.rests()
    rig.script()
    await rig.retried()
    await rig.ready()


@pytest.mark.fault(
    "tunnel: its address changes",
    seen='the way says "address_changed" and to set "[tunnel] domain"; subscriptions follow',
)
async def test_a_changed_address_is_told_once(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    before = rig.way.target
    rig.script(host="elsewhere.test")
    await rig.passes(lambda: rig.way.target != before, most=20)
    assert rig.codes() == ["ready", "address_changed", "ready"]
    changed = next(status for status in rig.told if status.code == "address_changed")
    assert "[tunnel] domain" in changed.fix
    assert "elsewhere.test" in changed.address
    await rig.passed(16)
    assert rig.codes() == ["ready", "address_changed", "ready"]


@pytest.mark.fault(
    "tunnel: the network is away",
    seen='the way says "offline"; the address stays',
)
async def test_offline_and_back(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    target = rig.way.target
    rig.script(session="dial")
    await rig.state("offline")
    assert rig.way.target == target
    rig.script()
    await rig.ready()
    assert len(rig.seen("pid")) == 1
    assert rig.codes() == ["ready", "offline", "ready"]


async def test_its_own_former_session_is_no_other_agent(rig: Rig) -> None:
    """After a change of network ngrok may still count the lost session; that passes by itself."""
    rig.start()
    await rig.ready()
    rig.script(session="sessions")
    await rig.state("offline")
    await rig.passed(30)
    assert rig.way.status.code == "offline"
    rig.script()
    await rig.ready()
    assert len(rig.seen("pid")) == 1


async def test_a_token_that_is_revoked(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    rig.script(session="bad_token")
    await rig.state("bad_token")


async def test_closing_that_was_cancelled_half_way_can_be_repeated(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    running = rig.way._running
    assert running is not None
    await running.close()
    running.agent.exit_code = None  # what it said is not read to the end yet
    await running.close()


async def test_offline_for_long_starts_it_anew(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    rig.script(session="dial")
    await rig.state("offline")
    await rig.passes(lambda: rig.way._running is None, most=1000)
    rig.script()
    await rig.retried()
    await rig.ready()
    assert rig.codes() == ["ready", "offline", "address_changed", "ready"]
    assert len(rig.seen("pid")) == 2


@pytest.mark.fault(
    "tunnel: it is dead and does not say so",
    seen='the way says it "does not answer", and starts it again',
)
async def test_one_that_hangs_is_stopped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_SECONDS", 0.2)
    rig.start()
    await rig.ready()
    rig.script(mute=True)
    await rig.passes(lambda: rig.way._running is None, most=100)
    assert rig.way.status.code == "crashed"
    assert "does not answer" in rig.way.status.message
    rig.script()
    await rig.retried()
    await rig.ready()
    assert len(rig.seen("pid")) == 2


@pytest.mark.fault(
    "tunnel: its quota is spent",
    seen='the way says "quota_spent"; it waits, and is back by itself',
)
async def test_a_spent_allowance_is_seen_from_outside(rig: Rig, tmp_path: Path) -> None:
    async with public_port(tmp_path) as public:
        rig.upstream = public.address
        rig.script(spent=True)
        rig.start()
        await rig.ready()
        await rig.passes(lambda: rig.way.status.code == "quota_spent", most=20)
        assert rig.way.status.state is TransportState.WAITING
        assert len(rig.running()) == 1, "the agent stays, it cannot help it"
        rig.script()
        await rig.passes(lambda: rig.way.status.code == "ready", most=1900)
        assert rig.codes() == ["ready", "quota_spent", "ready"]


async def test_an_address_that_ngrok_does_not_know_is_made_anew(rig: Rig) -> None:
    rig.script(edge="The endpoint is offline.\r\n\r\nERR_NGROK_3200")
    rig.start()
    await rig.ready()
    await rig.passes(lambda: rig.way.status.code == "offline", most=60)
    rig.script()
    await rig.retried()
    await rig.ready()
    assert len(rig.seen("pid")) == 2


async def test_a_change_of_the_config_is_followed(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    rig.config = FIXED
    rig.way.trigger()
    await until(lambda: "mine.ngrok-free.dev" in rig.way.status.address)
    assert len(rig.running()) == 1
    rig.upstream = ("127.0.0.1", 8765)
    await rig.passes(lambda: rig.seen("asked")[-1]["upstream"]["url"] == "http://127.0.0.1:8765", most=20)
    await rig.ready()


async def test_a_new_token_is_used_after_a_nudge_and_a_locked_keyring_disturbs_nothing(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    rig.token = SecretsLockedError("Unlock it.")
    rig.way.trigger()
    await until(lambda: not rig.way._asked and rig.clock.sleeping)
    assert (rig.way.status.code, len(rig.seen("pid"))) == ("ready", 1)
    rig.token = "another-token"
    rig.way.trigger()
    await until(lambda: len(rig.seen("settings")) == 2)
    assert "another-token" in rig.seen("settings")[1]
    await rig.ready()


async def test_an_endpoint_that_vanished_is_made_again(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    assert rig.way._running is not None
    local = rig.way._running._api
    assert local is not None
    await local.remove(rig.seen("asked")[0]["name"])
    await rig.passes(lambda: len(rig.seen("asked")) == 2, most=20)
    await rig.ready()
    assert len(rig.seen("pid")) == 1


async def test_an_address_that_is_gone_is_not_called_well(rig: Rig) -> None:
    """Whatever took it away: until the agent has it again, nobody answers there."""
    rig.start()
    await rig.ready()
    await rig.passed(6)  # the look from outside is over; the next one is an hour away
    assert rig.clock.sleeping[0] > 6
    rig.script(not_ready=True)
    running = rig.way._running
    assert running is not None
    assert running._api is not None
    await running._api.remove(running._name)
    rig.clock.advance(15)
    status = await rig.state("address_gone")
    assert status.state is TransportState.WAITING
    rig.script()
    await rig.passes(lambda: rig.way.status.code == "ready", most=10)
    assert len(rig.seen("pid")) == 1, "the agent itself was well"
    rig.script(not_ready=True)
    await running._api.remove(running._name)
    await rig.passes(lambda: rig.way._running is None, most=60)
    rig.script()
    await rig.retried()
    await rig.passes(lambda: rig.way.status.code == "ready", most=10)
    assert len(rig.seen("pid")) == 2
