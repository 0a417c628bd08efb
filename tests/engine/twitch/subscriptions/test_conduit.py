"""The reconciler over a conduit of the simulator."""

from __future__ import annotations

from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.core.models import Conduit, Webhook
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus, SubscriptionsState
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.engine.twitch.subscriptions.rig import Rig
from tests.support.waiting import until


def _at(rig: Rig, conduit_id: str) -> int:
    """How many enabled ones point to that conduit."""
    return sum(
        held.transport.conduit_id == conduit_id and held.status is SubscriptionStatus.ENABLED
        for held in rig.held
        if held.transport.method == "conduit"
    )


async def test_they_are_enabled_at_once_and_need_no_secret(rig: Rig) -> None:
    rig.channels(3)
    rig.secret = None
    conduit = rig.simulator.conduits.create(1)
    rig.target = Conduit(conduit.id)
    rig.run()
    assert await rig.resting() > 3000.0
    assert _at(rig, conduit.id) == 6
    assert rig.reconciler.status.state is SubscriptionsState.OK
    assert {each.fingerprint for each in (await rig.ledger.subscriptions()).values()} == {""}


async def test_from_a_webhook_to_a_conduit_in_one_round(rig: Rig) -> None:
    rig.channels(2)
    await rig.reconciler.sync()
    await rig.handshakes()
    conduit = rig.simulator.conduits.create(1)
    rig.target = Conduit(conduit.id)
    report = await rig.reconciler.sync()
    assert (report.created, report.deleted) == (4, 4)
    assert _at(rig, conduit.id) == len(rig.held) == 4


async def test_after_a_conduit_is_gone_a_new_one_gets_them_all_at_once(rig: Rig) -> None:
    rig.channels(2)
    rig.target = Conduit("26b1c993-bfcf-44d9-b876-379dacafe75a")
    rig.run()
    await rig.resting()
    assert rig.reconciler.status.state is SubscriptionsState.FAILING
    assert {state.status for state in rig.reconciler.states.values()} == {ChannelStatus.FAILING}
    conduit = rig.simulator.conduits.create(1)
    rig.target = Conduit(conduit.id)
    rig.reconciler.trigger_if_moved()
    await until(lambda: rig.clock.sleeping == [1.0])
    await rig.on(1.0)
    assert _at(rig, conduit.id) == 4
    assert rig.reconciler.status.code == "ok"


async def test_the_way_changing_in_another_respect_makes_no_round(rig: Rig) -> None:
    rig.channels(1)
    rig.target = Conduit(rig.simulator.conduits.create(1).id)
    rig.run()
    pause = await rig.resting()
    rig.reconciler.trigger_if_moved()
    rig.target = None
    rig.reconciler.trigger_if_moved()
    assert not rig.reconciler._triggered.is_set()
    assert rig.clock.sleeping == [pause]


async def test_a_rate_limit_in_the_middle_is_waited_out(rig: Rig) -> None:
    rig.channels(4)
    rig.target = Conduit(rig.simulator.conduits.create(1).id)
    await rig.api.list_all()
    create, tries = rig.api.create, 0

    async def limited(*arguments: object, **named: object) -> object:
        nonlocal tries
        tries += 1
        if tries == 3:
            rig.simulator.faults.set("subscriptions", status=429, times=1, reset_in=40)
        return await create(*arguments, **named)  # type: ignore[arg-type]

    rig.api.create = limited  # type: ignore[method-assign,assignment]
    task = rig.tasks.start("test.sync", rig.reconciler.sync())
    await rig.clock.run_until(task.done)
    report = task.result()
    assert (report.created, report.problems) == (8, ())
    assert tries > 8


async def test_a_locked_keyring_is_waited_for(rig: Rig) -> None:
    rig.channels(1)
    rig.target = Webhook(rig.callback())

    async def locked() -> object:
        raise SecretsLockedError("The keyring is locked. Unlock it.")

    rig.client._tokens._credentials = locked  # type: ignore[assignment]
    rig.run()
    assert await rig.resting() == 30.0
    status = rig.reconciler.status
    assert (status.state, status.code) == (SubscriptionsState.WAITING, "secrets")
    assert "Unlock it" in status.message
