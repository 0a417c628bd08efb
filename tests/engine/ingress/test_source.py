from __future__ import annotations

import asyncio

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.core.sources import Incoming
from itsjustintv_desktop.engine.ingress import source as module
from itsjustintv_desktop.engine.ingress.source import TwitchSource
from tests.support.events import online


async def _handed_in(source: TwitchSource, count: int) -> tuple[list[asyncio.Task[bool]], list[Incoming]]:
    """Messages whose senders wait, and what the engine gets of them."""
    senders = [asyncio.ensure_future(source.submit(online(stream_id=str(number)))) for number in range(count)]
    events = source.events()
    return senders, [await anext(events) for _ in range(count)]


async def test_who_gets_no_word_hears_so_and_the_others_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_SECONDS", 0.05)
    source = TwitchSource()
    await source.start()
    senders, incoming = await _handed_in(source, 4)
    incoming[0].settle(True)
    incoming[2].settle(False)
    assert (await senders[0], await senders[2]) == (True, False)
    for late in (senders[1], senders[3]):
        with pytest.raises(LedgerUnavailableError, match="in time"):
            await late
    incoming[1].settle(True)  # too late, and harmless
    later, _ = await _handed_in(source, 1)
    with pytest.raises(LedgerUnavailableError):  # the alarm is set anew
        await later[0]
    await source.stop()


async def test_those_who_were_answered_are_forgotten() -> None:
    source = TwitchSource()
    await source.start()
    for _ in range(20):
        senders, incoming = await _handed_in(source, 50)
        for each in incoming:
            each.settle(True)
        assert await asyncio.gather(*senders) == [True] * 50
    assert len(source._unheard) <= 50
    await source.stop()


async def test_nothing_rings_after_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_SECONDS", 0.05)
    source = TwitchSource()
    await source.start()
    sender = asyncio.ensure_future(source.submit(online()))
    await asyncio.sleep(0)
    await source.stop()
    with pytest.raises(LedgerUnavailableError, match="stopping"):
        await sender
    assert source._alarm is None
