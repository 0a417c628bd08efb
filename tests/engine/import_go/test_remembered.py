"""cache.json: what the Go service announced is not announced again by us."""

from __future__ import annotations

from typing import Any

import pytest

from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.import_go.remembered import LONGEST, seen
from itsjustintv_desktop.engine.import_go.report import State
from itsjustintv_desktop.engine.storage.ledger.importing import key_of
from tests.engine.import_go.gofolder import GoFolder, told, when
from tests.support.clock import START

NAME = "cache.json"
TTL = 7200.0


def until(**more: Any) -> list[float]:
    return [at - START for _, at in seen([told("100", "1", -60, **more)], now=START, ttl=TTL).keys]


async def test_they_are_remembered_and_again_changes_nothing(go: GoFolder) -> None:
    go.write(NAME, [told("100", str(number), -60) for number in range(1000)])
    part = await go.part(NAME)
    assert (part.state, part.taken, part.left_out) == (State.DONE, 1000, 0)
    part = await go.part(NAME)
    assert (part.taken, part.already) == (0, 1000)
    key = key_of("100", "7", START - 60)
    assert key is not None
    ledger = await go.ledger()
    try:
        assert await ledger.told([key, b"\0" * 32]) == {key}
        go.clock.advance(2 * 3600 + 1)
        gone = 0
        while bite := await ledger.forget_told():
            assert bite <= 500
            gone += bite
        assert gone == 1000
        assert not await ledger.has_told()
    finally:
        await ledger.close()


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ({}, [3600.12]),
        ({"created_at": when(-60)}, [TTL - 60 + 0.12]),
        ({"created_at": "0001-01-01T00:00:00Z"}, [3600.12]),
        ({"created_at": when(-9000), "expires_at": when(-1800)}, []),
        ({"created_at": when(-9000), "expires_at": "9999-12-31T00:00:00Z"}, [LONGEST]),
        ({"created_at": "9999-12-31T00:00:00Z", "expires_at": "0001-01-01T00:00:00Z"}, [TTL]),
        ({"created_at": None, "expires_at": 5}, [TTL]),
        ({"created_at": when(-9000), "expires_at": "0001-01-01T00:00:00Z"}, []),
    ],
)
def test_until_when_each_counts(times: dict[str, Any], kept: list[float]) -> None:
    assert until(**times) == pytest.approx(kept, abs=0.01)


async def test_expired_and_broken_ones_are_counted(go: GoFolder) -> None:
    expired = told("100", "1", -9000, created_at=when(-9000), expires_at=when(-1800))
    go.write(NAME, [expired, {"key": "zz"}, 5, {"key": 5}, {"key": "ab" * 31}, told("100", "2", -60, data=None)])
    part = await go.part(NAME)
    assert (part.taken, part.left_out) == (1, 5)
    assert any("expired" in note for note in part.notes)


def test_the_key_is_the_go_services() -> None:
    import hashlib

    assert key_of("100", "42", 1_790_000_000.9) == hashlib.sha256(b"100:42:1790000000").digest()
    assert key_of("", "42", 1.0) is key_of("100", "", 1.0) is key_of("100", "42", None) is None


async def test_nothing_of_it_is_an_event(go: GoFolder) -> None:
    go.write(NAME, [told("100", "1", -60)])
    await go.move()
    assert [event for event in await go.events() if event.state is not EventState.NOTED] == []
