"""What the ledger remembers of subscriptions and of the places they pointed at."""

from __future__ import annotations

from pathlib import Path

from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.subscribing import Remembered
from tests.support.clock import START, FakeClock


def _made(name: str, fingerprint: str = "0123456789abcdef") -> Remembered:
    return Remembered(
        id=name,
        type="stream.online",
        user_id="100",
        target="webhook https://example.com/twitch",
        fingerprint=fingerprint,
        created_at=START,
    )


async def test_subscriptions_are_remembered_and_forgotten(ledger: Ledger) -> None:
    assert await ledger.subscriptions() == {}
    await ledger.remember_subscription(_made("a"))
    await ledger.remember_subscription(_made("b"))
    await ledger.remember_subscription(_made("b", "fedcba9876543210"))
    assert await ledger.subscriptions() == {"a": _made("a"), "b": _made("b", "fedcba9876543210")}
    await ledger.forget_subscriptions(["a", "never-heard-of"])
    assert set(await ledger.subscriptions()) == {"b"}


async def test_targets_come_latest_first_and_each_once(ledger: Ledger, clock: FakeClock) -> None:
    for target in ("webhook https://one", "conduit two", "webhook https://one"):
        await ledger.remember_target(target)
        clock.advance(1)
    assert await ledger.targets() == ["webhook https://one", "conduit two"]


async def test_both_outlive_the_process(ledger: Ledger, path: Path, clock: FakeClock) -> None:
    await ledger.remember_subscription(_made("a"))
    await ledger.remember_target("conduit two")
    await ledger.close()
    again = Ledger(path, clock)
    await again.open()
    try:
        assert set(await again.subscriptions()) == {"a"}
        assert await again.targets() == ["conduit two"]
    finally:
        await again.close()
