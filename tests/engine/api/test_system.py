"""What the operating system tells a desktop program reaches every part that hangs on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engine import ONE_STREAMER, running_engine


@pytest.mark.parametrize(("told", "why"), [("woke", "wake"), ("network_returned", "network")])
async def test_everything_is_looked_at_again(
    told: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_engine(tmp_path, ONE_STREAMER, logins=("alice",)) as running:
        engine, seen = running.engine, list[str]()
        await running.settled()
        monkeypatch.setattr(engine.reach.catch_up, "trigger", lambda reason: seen.append(f"catch-up {reason}"))
        monkeypatch.setattr(
            engine.reach.subscriptions, "trigger", lambda reason: seen.append(f"subscriptions {reason}")
        )
        monkeypatch.setattr(engine.reach.way, "trigger", lambda: seen.append("way"))
        engine.reach.recheck.connect(lambda: seen.append("deliveries and announcements"))
        await getattr(engine.api.connection, told)()
        assert sorted(seen) == [
            f"catch-up {why}", "deliveries and announcements", f"subscriptions {why}", "way",
        ]  # fmt: skip
