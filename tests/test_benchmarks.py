"""The benchmarks measure what they say: their messages are good ones, and their load is answered. No figures here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import load, messages, receive

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("receiver", receive.ORDER, ids=lambda each: each.name)
def test_every_receiver_takes_every_message(
    receiver: receive.Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    figures = _played(receiver, tmp_path)
    assert (figures.requests, figures.refused, figures.broken) == (300, 0, 0)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_wrk_plays_the_same(tmp_path: Path) -> None:
    figures = _played(receive.MEMORY, tmp_path)
    assert (figures.refused, figures.broken) == (0, 0)
    assert 280 <= figures.requests <= 300  # it forgets those under way when the messages are used up


def _played(receiver: receive.Receiver, folder: Path) -> load.Figures:
    requests = folder / "requests"
    messages.write(requests, messages.flapping(300))
    with receiver.start(folder) as program:
        return load.run(requests, program.url, receiver.path, connections=10, seconds=2)


def test_a_wrong_secret_is_counted_as_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "SECRET", "not-the-one-they-know")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    requests = tmp_path / "requests"
    messages.write(requests, messages.flapping(20))
    with receive.MEMORY.start(tmp_path) as program:
        figures = load.run(requests, program.url, "/twitch", connections=5, seconds=10)
    assert (figures.requests, figures.refused) == (20, 20)
