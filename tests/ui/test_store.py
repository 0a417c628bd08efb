"""The snapshot all pages share: how often it is taken."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import events
from itsjustintv_desktop.ui import store as module
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge


def taken(bridge: FakeBridge) -> list[int]:
    """Gets an entry for each snapshot that is asked for."""
    asked: list[int] = []

    async def snapshot() -> Any:
        asked.append(len(asked))
        return samples.snapshot()

    bridge.engine.snapshot = snapshot  # type: ignore[method-assign]
    return asked


def test_a_flood_of_events_is_one_question(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    asked = taken(bridge)
    for _ in range(50):
        bridge.happen(*(events.Notice(text=str(n)) for n in range(20)))
    with qtbot.waitSignal(store.changed):
        pass
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("took", "pause"), [(0.001, module.SOON_MS), (0.15, module.PACE * 150), (9.0, module.LONGEST_MS)]
)
def test_a_slow_engine_is_asked_less_often(
    qtbot: QtBot, store: Store, bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch, took: float, pause: int
) -> None:
    taken(bridge)
    moments = iter([50.0, 50.0 + took])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    with qtbot.waitSignal(store.changed):
        store.refresh()
    assert store._soon.interval() == pause
