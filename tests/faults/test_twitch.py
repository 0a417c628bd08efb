"""Twitch in trouble, through the whole engine: announcements go out, flagged; what ended is said or made anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.announce import pipeline
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

Record = Callable[[str, object], None]

_CONDUIT = '[twitch]\ntransport = "conduit"\n[streamers.alice]\nlogin = "alice"\n'
FLAGGED = "announced, enriched=False"


def _fault(line: str, **details: Any) -> Any:
    seen = f"the announcement arrives with `enriched: false` and names what is missing; `serve` logs {FLAGGED}"
    return pytest.param(details, id=line, marks=pytest.mark.fault(f"Twitch: {line}", seen=seen))


async def _announced(running: Running, lines: list[Any]) -> tuple[dict[str, Any], str]:
    """Alice goes live; what arrived, and what the log said of it."""
    await running.simulator.go_live("alice")
    (received,) = await running.simulator.receiver.wait_for(1, "main", timeout=20)
    await running.settled()
    assert len(running.simulator.receiver.accepted("main")) == 1
    (said,) = [line for line in lines if line["event"] == "announced"]
    payload: dict[str, Any] = received.json
    return payload, f"announced, enriched={said['enriched']}"


@pytest.mark.parametrize(
    "fault",
    [
        _fault("its API answers 401", status=401),
        _fault("its API answers 429", status=429, reset_in=30.0),
        _fault("its API answers 500", status=500),
        _fault("its API hangs", hang=True),
        _fault("its API resets connections", reset=True),
        _fault("its API answers half a JSON", broken=True),
    ],
)
async def test_its_api_fails(
    tmp_path: Path, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    monkeypatch.setattr(pipeline, "ENRICH_SECONDS", 0.4)  # in life it is ten
    async with running_engine(tmp_path) as running:
        await running.engine.channels_looked_up(10.0)
        running.simulator.faults.set("*", **fault)
        with capture_logs() as lines:
            payload, said = await _announced(running, lines)
        assert said == FLAGGED
        assert payload["enriched"] is False
        assert "view_count" in payload["missing"]
        assert (payload["streamer_login"], payload["stream"]["id"]) == (
            "alice",
            running.simulator.state.get("alice").stream.id,  # type: ignore[union-attr]
        )
    record_property("acknowledged", 1)


@pytest.mark.fault(
    "Twitch: the app token is revoked", seen="Nothing: a new one is had at the first 401, and nothing is missing."
)
async def test_the_token_is_revoked(tmp_path: Path, record_property: Record) -> None:
    async with running_engine(tmp_path) as running:
        await running.engine.channels_looked_up(10.0)
        before = running.simulator.other_calls["token"]
        running.simulator.faults.revoke_tokens()
        with capture_logs() as lines:
            payload, _ = await _announced(running, lines)
        assert payload["enriched"] is True
        assert running.simulator.other_calls["token"] == before + 1
    record_property("acknowledged", 1)


@pytest.mark.fault(
    "Twitch: it gives no token (client secret wrong or withdrawn)",
    seen='the announcement arrives with `enriched: false`; the health says "Twitch refuses the client id and secret"',
)
async def test_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record) -> None:
    monkeypatch.setattr(pipeline, "ENRICH_SECONDS", 0.4)
    async with running_engine(tmp_path) as running:
        await running.engine.channels_looked_up(10.0)
        running.simulator.faults.set("token", status=403)
        running.simulator.faults.revoke_tokens()
        with capture_logs() as lines:
            payload, said = await _announced(running, lines)
        assert said == FLAGGED
        assert payload["enriched"] is False
        part = (await running.engine.doctor.health())["parts"]["twitch"]
        assert part["status"] == "failing"
        assert "Twitch refuses the client id and secret" in part["reason"]
    record_property("acknowledged", 1)


def _ended(status: str, words: str) -> Any:
    line = f"Twitch: a subscription is revoked ({status})"
    seen = f'the health says "{words}" of the channel; it is tried again later by itself'
    return pytest.param(status, words, id=status, marks=pytest.mark.fault(line, seen=seen))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        _ended("authorization_revoked", "authorization_revoked"),
        _ended("user_removed", "the channel no longer exists"),
        _ended("moderator_removed", "moderator_removed"),
        _ended("chat_user_banned", "chat_user_banned"),
    ],
)
async def test_a_subscription_ends_because_of_the_channel(tmp_path: Path, status: str, words: str) -> None:
    async with running_engine(tmp_path, _CONDUIT, secret=None, subscribe=False) as running:
        reconciler, held = running.engine.reach.subscriptions, running.simulator.eventsub.subscriptions
        await until(lambda: reconciler.status.code == "ok")
        for victim in list(held):
            await running.simulator.revoke(victim, status)
        await until(lambda: reconciler.status.code == "channels", what="it is said")
        (state,) = reconciler.states.values()
        assert state.status is ChannelStatus.FAILING
        assert words in state.message
        part = (await running.engine.doctor.health())["parts"]["subscriptions"]
        assert part["status"] == "failing"
        assert words in part["reason"]


def _mended(status: str) -> Any:
    line = f"Twitch: a subscription is revoked ({status})"
    return pytest.param(
        status, id=status, marks=pytest.mark.fault(line, seen="Nothing but a line in the log: it is made anew at once.")
    )


@pytest.mark.parametrize(
    "status", [_mended("notification_failures_exceeded"), _mended("version_removed"), _mended("beta_maintenance")]
)
async def test_a_subscription_ends_for_another_reason(tmp_path: Path, status: str) -> None:
    async with running_engine(tmp_path, _CONDUIT, secret=None, subscribe=False) as running:
        reconciler, held = running.engine.reach.subscriptions, running.simulator.eventsub.subscriptions
        await until(lambda: reconciler.status.code == "ok")
        victim = next(iter(held))
        await running.simulator.revoke(victim, status)
        await until(lambda: victim not in held and len(held) == 2, what="it is made anew")
        await until(lambda: reconciler.status.code == "ok")
