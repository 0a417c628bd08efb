"""Garbage of the screen never dies in the engine's thread."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui import collecting
from itsjustintv_desktop.ui.collecting import Collecting


class Cycle:
    """Garbage that only the collector finds; it notes in which thread it dies."""

    def __init__(self, died: list[str]) -> None:
        self.me = self
        weakref.finalize(self, lambda: died.append(threading.current_thread().name))


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collecting]:
    monkeypatch.setattr(collecting, "EVERY_MS", 10)
    made = Collecting()
    yield made
    made.end()
    assert gc.isenabled()


def busy() -> None:
    for _ in range(5):
        kept = [[] for _ in range(5000)]  # type: ignore[var-annotated]
        del kept


def test_only_the_thread_of_the_screen_collects(one: Collecting, qtbot: QtBot) -> None:
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
