"""A subscription that Twitch ends, through the whole engine: made anew at once, or said."""

from __future__ import annotations

from pathlib import Path

from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus
from tests.support.engine import running_engine
from tests.support.waiting import until

CONFIG = '[twitch]\ntransport = "conduit"\n[streamers.alice]\nlogin = "alice"\n'


async def test_one_that_failed_too_often_is_made_anew_at_once(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONFIG, secret=None, subscribe=False) as running:
        reconciler, held = running.engine.reach.subscriptions, running.simulator.eventsub.subscriptions
        await until(lambda: reconciler.status.code == "ok")
        victim = next(iter(held))
        await running.simulator.revoke(victim, "notification_failures_exceeded")
        await until(lambda: victim not in held and len(held) == 2, what="it is made anew")
        await until(lambda: reconciler.status.code == "ok")


async def test_one_that_ended_with_its_channel_is_said(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONFIG, secret=None, subscribe=False) as running:
        reconciler, held = running.engine.reach.subscriptions, running.simulator.eventsub.subscriptions
        await until(lambda: reconciler.status.code == "ok")
        for victim in held:
            await running.simulator.revoke(victim, "user_removed")
        await until(lambda: reconciler.status.code == "channels" and len(held) == 0)
        (state,) = reconciler.states.values()
        assert state.status is ChannelStatus.FAILING
        assert "user_removed" in state.message
