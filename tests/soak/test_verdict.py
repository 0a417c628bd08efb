"""The verdict of a soak sees what was lost and what was doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.receiver import Received
from tests.faults.load import Load
from tests.soak.verdict import settle
from tests.support.builders import make_event


async def _announced(path: Path, message_id: str) -> None:
    """One stream of channel 1, announced to `main`, as the program that took it in leaves it."""
    ledger = Ledger(path, SystemClock())
    await ledger.open()
    try:
        event = make_event(message_id=message_id, broadcaster_id="1", stream_id="stream")
        await ledger.accept_now(event)
        (record,) = await ledger.unfinished()
        await ledger.announce(record.id, streamer="one", payload=b"{}", destinations=("main",))
    finally:
        await ledger.close()


def _post(webhook_id: str, name: str = "main", *, answered: int | None = 204) -> Received:
    return Received(
        name=name, headers={}, body=b"", json=None, webhook_id=webhook_id, verified=True, at=1.0,
        key=(name, "1", "stream"), status_answered=answered,
    )  # fmt: skip


@pytest.mark.parametrize("stored", [True, False])
async def test_what_is_lost_is_seen(tmp_path: Path, stored: bool) -> None:
    simulator = Simulator()
    load = Load(simulator, lambda: None, 1)
    sent = load.go_live(simulator.add_channel("one", user_id="1"))
    sent.acknowledged, sent.stream = 1, "stream"
    await _announced(tmp_path / "ledger.db", sent.message.id if stored else "another")
    account = settle(tmp_path / "ledger.db", load, {"1": ("main", "chat")}, [])
    assert (f"message {sent.message.id} was acknowledged and is not in the ledger" in account.lost) is not stored
    # `main` waits, which is seen; `chat` was forgotten.
    assert [text for text in account.lost if "chat" in text] == [
        "stream stream of 1 neither reached chat nor is seen anywhere"
    ]
    assert not [text for text in account.lost if "main" in text]


async def test_what_is_doubled_is_seen(tmp_path: Path) -> None:
    load = Load(Simulator(), lambda: None, 1)
    path = tmp_path / "ledger.db"
    await _announced(path, "one")
    ledger = Ledger(path, SystemClock())
    await ledger.open()
    try:
        (view,) = await ledger.deliveries()
    finally:
        await ledger.close()
    assert settle(path, load, {}, [_post(view.webhook_id)]).doubled == []
    refused_once = [_post(view.webhook_id, answered=500), _post(view.webhook_id)]
    assert settle(path, load, {}, refused_once).doubled == []
    twice = settle(path, load, {}, [_post(view.webhook_id), _post(view.webhook_id)])
    assert twice.repeats == 1
    assert len(twice.doubled) == 1  # no attempt of ours explains the second
    assert settle(path, load, {}, [_post("msg_unknown")]).other
