"""Garbage of the screen never dies in the engine's thread."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui import gc_control
from itsjustintv_desktop.ui.gc_control import GcControl


class Cycle:
    """Garbage that only the collector finds; it notes in which thread it dies."""

    def __init__(self, died: list[str]) -> None:
        self.me = self
        weakref.finalize(self, lambda: died.append(threading.current_thread().name))


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> Iterator[GcControl]:
    monkeypatch.setattr(gc_control, "EVERY_MS", 10)
    made = GcControl()
    yield made
    made.end()
    assert gc.isenabled()


def busy() -> None:
    for _ in range(5):
        kept = [[] for _ in range(5000)]  # type: ignore[var-annotated]
        del kept


def test_only_the_thread_of_the_screen_collects(one: GcControl, qtbot: QtBot) -> None:
    died: list[str] = []
    for _ in range(20):
        Cycle(died)
    other = threading.Thread(target=busy, name="engine")
    other.start()
    other.join()
    assert died == [], "a busy engine leaves it alone"
    kept = [[] for _ in range(5000)]  # type: ignore[var-annotated]
    qtbot.waitUntil(lambda: len(died) == 20)
    assert set(died) == {threading.current_thread().name}
    del kept


def collected(monkeypatch: pytest.MonkeyPatch, counts: tuple[int, int, int]) -> list[int]:
    """The generations that are collected from now on, with as many objects made as `counts` says."""
    asked: list[int] = []
    monkeypatch.setattr(gc, "get_count", lambda: counts)
    monkeypatch.setattr(gc, "collect", lambda generation=2: asked.append(generation))
    return asked


def test_a_full_collection_waits_for_a_quiet_moment(one: GcControl, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops all threads for long: not while a thousand channels go live."""
    one._timer.stop()
    asked = collected(monkeypatch, (5000, 3, 11))
    for _ in range(3):
        one.look()
    assert asked == [0, 0, 0]
    asked = collected(monkeypatch, (5000, 11, 11))
    one.look()
    assert asked == [1]
    asked = collected(monkeypatch, (10, 3, 11))
    one.look()
    assert asked == [2]


def test_it_does_not_wait_for_ever(one: GcControl, monkeypatch: pytest.MonkeyPatch) -> None:
    one._timer.stop()
    monkeypatch.setattr(gc_control, "PUT_OFF", 5)
    asked = collected(monkeypatch, (5000, 3, 11))
    for _ in range(12):
        one.look()
    assert asked == [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2]


def test_what_the_start_made_is_not_looked_at_again(
    one: GcControl, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(gc_control, "SETTLE_MS", 0)
    monkeypatch.setattr(gc, "collect", lambda generation=2: done.append(f"collect {generation}"))
    monkeypatch.setattr(gc, "freeze", lambda: done.append("freeze"))
    one._timer.stop()
    one.started()
    qtbot.waitUntil(lambda: done == ["collect 2", "freeze"])


def test_without_it_the_engine_would_collect() -> None:
    """So that the test above means something."""
    died: list[str] = []
    gc.collect()
    Cycle(died)
    gc.enable()
    other = threading.Thread(target=lambda: [[] for _ in range(5000)], name="engine")
    other.start()
    other.join()
    gc.disable()
    assert died == ["engine"]
