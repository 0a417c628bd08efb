"""A destination renamed: what waits is sent, nothing twice, wherever a kill falls."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.api.settings.destination_drafts import DestinationDraft
from itsjustintv_desktop.engine.api.settings.documents import Documents
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.support.engine import SECRET, Running
from tests.support.waiting import until


async def queued(running: Running) -> None:
    """Alice is live, and her announcement to `main` (in the vault) waits."""
    address = f"{running.simulator.url}/receiver/main"
    await running.engine.api.settings.destinations.save(
        "main", DestinationDraft(name="main", url=address, secret=SECRET)
    )
    text = running.paths.config.read_text(encoding="utf-8")
    changed = text.replace("[destinations.main]", "# Ours.\n[destinations.main] # the best one")
    running.paths.config.write_text(changed, encoding="utf-8")
    running.simulator.faults.set_receiver("main", status=503)
    await running.simulator.go_live("alice")
    await running.failed_once()


async def sent_once(running: Running) -> None:
    """The receiver works again: everything arrives, once, and the stream is not announced a second time."""
    running.simulator.faults.clear()
    for view in await running.deliveries():
        if view.state is not DeliveryState.DELIVERED:
            with suppress(UsageError):  # it is on its way already
                await running.engine.api.deliveries.retry(view.id)
    await running.simulator.receiver.wait_for(1, "main")
    first = (await running.engine.ledger.events(limit=200))[-1].event
    again = msgspec.structs.replace(first, message_id="told-once-more", received_at=running.clock.now())
    assert await running.engine.intake.submit(again)
    running.engine.pipeline.wake()
    await running.settled()
    assert len(running.simulator.receiver.accepted("main")) == 1
    states = {view.state for view in await running.deliveries()}
    assert states == {DeliveryState.DELIVERED}


async def test_what_waits_is_sent_under_the_new_name_and_once(with_vault: Running) -> None:
    await queued(with_vault)
    saved = await with_vault.engine.api.settings.rename.destination("main", "friends")
    assert saved.state == "in_force"
    live = with_vault.engine.live
    assert set(live.destinations) == {"friends"}
    assert live.config.streamers["alice"].destinations == ("friends",)
    text = with_vault.paths.config.read_text(encoding="utf-8")
    assert "# Ours.\n[destinations.friends] # the best one" in text
    assert "main" not in text
    assert [view.destination for view in await with_vault.deliveries()] == ["friends"]
    assert (await with_vault.engine.secrets.destination("main")).url is None
    await sent_once(with_vault)


async def test_what_was_paused_by_hand_stays_paused(with_vault: Running) -> None:
    engine = with_vault.engine
    await queued(with_vault)
    await engine.dispatcher.pause("main", "not now")
    with_vault.simulator.faults.clear()
    await engine.api.settings.rename.destination("main", "friends")
    await with_vault.restart()
    (view,) = await with_vault.engine.api.destinations.list()
    assert (view.name, view.state, view.by_hand) == ("friends", "paused", True)
    assert with_vault.simulator.receiver.accepted("main") == []
    await with_vault.engine.dispatcher.resume("friends")
    await sent_once(with_vault)


async def test_history_follows_so_that_it_can_be_sent_again(with_vault: Running) -> None:
    await with_vault.simulator.go_live("alice")
    await with_vault.simulator.receiver.wait_for(1, "main")
    await with_vault.settled()
    await with_vault.engine.api.settings.rename.destination("main", "friends")
    (view,) = await with_vault.deliveries()
    assert view.destination == "friends"
    await with_vault.engine.api.deliveries.resend(view.id)
    await with_vault.simulator.receiver.wait_for(2, "main")
    await with_vault.settled()


class Killed(BaseException):
    """Falls through everything, as a kill does."""


def kill_at(patch: pytest.MonkeyPatch, where: str) -> None:
    """Let the rename end abruptly before or after one of its steps."""
    step, _, when = where.partition(" ")
    calls = {"copy": (Ledger, "copy_once"), "move": (Ledger, "rename_waiting"), "history": (Ledger, "rename_finished")}
    owner, name = calls.get(step, (Documents, "edit"))
    original: Any = getattr(owner, name)
    seen = {"n": 0}

    async def stand_in(self: Any, *arguments: Any, **named: Any) -> Any:
        seen["n"] += 1
        nth = int(step[-1]) if step.startswith("save") else 1
        if seen["n"] == nth and when == "before":
            raise Killed
        outcome = await original(self, *arguments, **named)
        if seen["n"] == nth:
            raise Killed
        return outcome

    patch.setattr(owner, name, stand_in)


@pytest.mark.slow
@pytest.mark.parametrize(
    "where",
    [
        f"{step} {when}"
        for step in ("save1", "copy", "save2", "move", "history", "save3")
        for when in ("before", "after")
    ],
)
async def test_a_kill_anywhere_loses_nothing_and_doubles_nothing(
    with_vault: Running, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    await queued(with_vault)
    with monkeypatch.context() as patch:
        kill_at(patch, where)
        with pytest.raises(Killed):
            await with_vault.engine.api.settings.rename.destination("main", "friends")
    await with_vault.restart()
    assert {view.state for view in await with_vault.deliveries()} <= {DeliveryState.PENDING, DeliveryState.SENDING}
    if where != "save3 after":
        await with_vault.engine.api.settings.rename.destination("main", "friends")
    assert set(with_vault.engine.live.destinations) == {"friends"}
    await sent_once(with_vault)


async def test_broken_off_without_asking_again_it_is_still_sent_once(
    with_vault: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queued(with_vault)
    with monkeypatch.context() as patch:
        kill_at(patch, "save2 after")
        with pytest.raises(Killed):
            await with_vault.engine.api.settings.rename.destination("main", "friends")
    await with_vault.restart()
    await sent_once(with_vault)


async def test_a_ledger_that_fails_leaves_announcing_at_work(
    with_vault: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise LedgerUnavailableError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "copy_once", broken)
        with pytest.raises(LedgerUnavailableError):
            await with_vault.engine.api.settings.rename.destination("main", "friends")
    await with_vault.simulator.go_live("alice")
    await with_vault.simulator.receiver.wait_for(1, "main")
    await with_vault.settled()


async def test_a_stop_in_between_leaves_nothing_running(with_vault: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, copy, goes_on = with_vault.engine, Ledger.copy_once, asyncio.Event()

    async def slow(self: Any, *arguments: Any) -> Any:
        await goes_on.wait()
        return await copy(self, *arguments)

    monkeypatch.setattr(Ledger, "copy_once", slow)
    renaming = asyncio.ensure_future(engine.api.settings.rename.destination("main", "friends"))
    await until(lambda: not engine.supervisor.keeps("announce.pipeline"))
    await with_vault.stop()
    goes_on.set()
    with pytest.raises(LedgerUnavailableError):
        await renaming
    assert engine._tasks.names == []


async def test_names_that_cannot_be(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    address = f"{with_vault.simulator.url}/receiver/other"
    await editing.destinations.save("", DestinationDraft(name="other", url=address))
    for name in ("other", "main", "", "https://x"):
        with pytest.raises(UsageError):
            await editing.rename.destination("main", name)
    with pytest.raises(NotFoundError):
        await editing.rename.destination("nobody", "x")
