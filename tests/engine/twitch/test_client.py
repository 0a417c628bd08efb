from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from itsjustintv_desktop.engine.core.errors import (
    SecretsLockedError,
    TwitchAuthError,
    TwitchRateLimitedError,
    TwitchRefusedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.twitch import client, endpoints
from itsjustintv_desktop.engine.twitch.client import HelixClient
from itsjustintv_desktop.engine.twitch.endpoints import HelixStatus, RateBudget
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsApi
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from tests.engine.twitch.rig import Rig, running_rig


async def test_a_revoked_token_costs_one_new_token_and_one_more_try(rig: Rig, channel: str) -> None:
    await rig.helix.users(ids=[channel])
    rig.simulator.faults.revoke_tokens()
    assert [user.id for user in await rig.helix.users(ids=[channel])] == [channel]
    assert rig.simulator.other_calls["token"] == 2
    assert rig.simulator.calls["users"] == 3
    assert rig.client.status.ok


async def test_many_calls_meeting_a_revoked_token_share_the_new_one(rig: Rig, channel: str) -> None:
    await rig.helix.users(ids=[channel])
    rig.simulator.faults.revoke_tokens()
    await asyncio.gather(*(rig.helix.followers(channel) for _ in range(8)))
    assert rig.simulator.other_calls["token"] == 2


async def test_a_401_that_stays_is_told_and_not_repeated(rig: Rig, channel: str) -> None:
    rig.simulator.faults.set("users", status=401)
    with pytest.raises(TwitchRefusedError) as refused:
        await rig.helix.users(ids=[channel])
    assert refused.value.status == 401
    assert rig.simulator.calls["users"] == 2
    assert rig.client.status.ok is False
    assert rig.client.status.last_error == refused.value.message


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"broken": True}, {"reset": True}])
async def test_what_passes_is_tried_again(rig: Rig, channel: str, fault: dict[str, object]) -> None:
    rig.simulator.faults.set("users", times=1, **fault)
    assert len(await rig.helix.users(ids=[channel])) == 1
    assert rig.simulator.calls["users"] == 2


async def test_what_stays_fails_by_the_deadline_with_its_reason(rig: Rig, channel: str) -> None:
    rig.simulator.faults.set("users", status=503)
    began = time.monotonic()
    with pytest.raises(TwitchUnreachableError, match="503"):
        await rig.helix.users(ids=[channel], timeout=0.6)
    assert time.monotonic() - began < 3.5
    assert rig.simulator.calls["users"] >= 2
    assert rig.client.calls["GET /users"] == rig.client.failures["GET /users"] == rig.simulator.calls["users"]
    assert "503" in (rig.client.status.last_error or "")
    rig.clock.advance(60)
    rig.simulator.faults.clear()
    await rig.helix.users(ids=[channel])
    assert rig.client.status == HelixStatus(ok=True, since=rig.clock.now(), last_ok_at=rig.clock.now())


async def test_a_hanging_twitch_ends_at_the_deadline(rig: Rig, channel: str) -> None:
    rig.simulator.faults.set("users", hang=True)
    began = time.monotonic()
    with pytest.raises(TwitchUnreachableError):
        await rig.helix.users(ids=[channel], timeout=0.3)
    assert time.monotonic() - began < 3.5, "it took the time of a whole try"


async def test_a_machine_that_stood_still_says_nothing_of_twitch(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.helix.users(ids=[channel])
    rig.simulator.faults.set("users", hang=True)
    with monkeypatch.context() as patch:
        patch.setattr(rig.clock, "monotonic", time.monotonic)
        patch.setattr(client, "_STALLED", 0.1)
        asking = asyncio.create_task(rig.helix.users(ids=[channel], timeout=0.3))
        await asyncio.sleep(0.1)
        time.sleep(0.6)  # nothing on this loop runs
        with pytest.raises(TwitchUnreachableError):
            await asking
    assert rig.client.status.ok
    with pytest.raises(TwitchUnreachableError):
        await rig.helix.users(ids=[channel], timeout=0.3)
    assert rig.client.status.ok is False


async def test_one_exchange_that_hangs_leaves_time_for_another(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_TRY_TIMEOUT", 0.1)
    rig.simulator.faults.set("users", hang=True, times=1)
    assert len(await rig.helix.users(ids=[channel], timeout=5)) == 1


async def test_nobody_there_is_said_without_an_address(rig: Rig) -> None:
    rig.client = HelixClient(http=rig.http, tokens=rig.tokens, api_url="http://127.0.0.1:9/helix", clock=rig.clock)
    with pytest.raises(TwitchUnreachableError, match="refused") as failure:
        await rig.client.request("GET", "/users", decode=bytes, timeout=0.3)
    assert "127.0.0.1" not in failure.value.message


async def test_a_refused_question_is_not_repeated_and_the_api_counts_as_well(rig: Rig) -> None:
    with pytest.raises(TwitchRefusedError, match="400") as refused:
        await rig.helix.users(logins=["not a login"])
    assert refused.value.status == 400
    assert rig.simulator.calls["users"] == 1
    assert rig.client.status.ok


async def test_a_delete_is_not_repeated_after_a_5xx(rig: Rig) -> None:
    rig.simulator.faults.set("subscriptions", status=500)
    with pytest.raises(TwitchUnreachableError):
        await SubscriptionsApi(rig.client).delete("some-id")
    assert rig.simulator.calls["subscriptions"] == 1


async def test_a_429_is_waited_out_when_the_deadline_allows(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_SHORTEST", 0.1)
    rig.simulator.faults.set("users", status=429, times=1, reset_in=0)
    assert len(await rig.helix.users(ids=[channel])) == 1
    assert rig.simulator.calls["users"] == 2


async def test_a_429_with_a_far_reset_is_told_at_once_and_nothing_more_is_sent(rig: Rig, channel: str) -> None:
    rig.simulator.faults.set("users", status=429, times=1, reset_in=45)
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(TwitchRateLimitedError) as limited:
            await rig.helix.users(ids=[channel])
        assert limited.value.retry_at == pytest.approx(rig.clock.now() + 45, abs=2)
    assert time.monotonic() - began < 5
    assert rig.simulator.calls["users"] == 1
    rig.clock.advance(46)
    assert len(await rig.helix.users(ids=[channel])) == 1


async def test_the_reset_is_understood_although_our_clock_is_wrong(rig: Rig, channel: str) -> None:
    rig.simulator.faults.clock_skew = 7200.0
    await rig.helix.users(ids=[channel])
    rig.simulator.faults.set("users", status=429, times=1, reset_in=45)
    with pytest.raises(TwitchRateLimitedError) as limited:
        await rig.helix.users(ids=[channel])
    assert limited.value.retry_at == pytest.approx(rig.clock.now() + 45, abs=3)


async def test_every_answer_measures_the_skew(rig: Rig, channel: str) -> None:
    rig.simulator.faults.clock_skew = -31_536_000.0
    await rig.helix.users(ids=[channel])
    assert rig.http.skew.seconds == pytest.approx(-31_536_000.0, abs=1.5)


async def test_the_budget_is_known_and_judged() -> None:
    async with running_rig(rate_limit=10) as rig:
        channel = rig.simulator.add_channel("cool_user").user_id
        assert rig.client.budget.ample(rig.clock.now())
        await rig.helix.users(ids=[channel])
        assert (rig.client.budget.limit, rig.client.budget.remaining) == (10, 9)
        for _ in range(5):
            await rig.helix.users(ids=[channel])
        assert not rig.client.budget.ample(rig.clock.now())
        rig.clock.advance(120)
        assert rig.client.budget.ample(rig.clock.now())


async def test_refused_credentials_and_a_locked_keyring_end_it_at_once(rig: Rig, channel: str) -> None:
    rig.credentials = Credentials(rig.simulator.client_id, "wrong")
    began = time.monotonic()
    with pytest.raises(TwitchAuthError):
        await rig.helix.users(ids=[channel])

    async def locked() -> Credentials:
        raise SecretsLockedError("The keyring is locked.")

    rig.tokens._credentials = locked
    with pytest.raises(SecretsLockedError):
        await rig.helix.users(ids=[channel])
    assert time.monotonic() - began < 5
    assert rig.client.status.last_error == "The keyring is locked."


async def test_the_token_is_part_of_the_deadline(rig: Rig, channel: str) -> None:
    rig.simulator.faults.set("token", hang=True)
    began = time.monotonic()
    with pytest.raises(TwitchUnreachableError):
        await rig.helix.users(ids=[channel], timeout=0.2)
    assert time.monotonic() - began < 3.5, "it took the time of a whole try"


@asynccontextmanager
async def served(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_an_endless_answer_is_cut_off(rig: Rig) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    async with served(endless) as url:
        helix = HelixClient(http=rig.http, tokens=rig.tokens, api_url=url, clock=rig.clock)
        with pytest.raises(TwitchUnreachableError, match="too long"):
            await helix.request("POST", "/x", decode=bytes, timeout=5)


async def test_a_redirect_is_not_followed(rig: Rig) -> None:
    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": rig.simulator.api_url})

    async with served(elsewhere) as url:
        helix = HelixClient(http=rig.http, tokens=rig.tokens, api_url=url, clock=rig.clock)
        with pytest.raises(TwitchUnreachableError, match="302"):
            await helix.request("POST", "/x", decode=bytes, timeout=5)
    assert not rig.simulator.calls


@pytest.mark.parametrize("odd", ["", "-1", "9e99", "soon", "١٢", "9" * 5000])
def test_odd_rate_headers_are_left_out(odd: str) -> None:
    budget = RateBudget()
    budget.learn({"Ratelimit-Limit": odd, "Ratelimit-Remaining": odd, "Ratelimit-Reset": odd}, 0.0)
    assert budget == RateBudget()


def test_an_absurd_reset_counts_as_one_window() -> None:
    budget = RateBudget()
    budget.learn({"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": "99999999999"}, 0.0)
    assert budget.exhausted(1000.0).retry_at == 1060.0


def test_a_reset_that_seems_past_is_waited_for_a_moment() -> None:
    budget = RateBudget()
    budget.learn({"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": "999"}, 0.0)
    budget.check(1000.0)
    assert budget.exhausted(1000.0).retry_at == 1001.0


def test_a_clock_that_is_set_back_does_not_end_all_calls() -> None:
    budget = RateBudget()
    budget.learn({"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": "90000"}, 0.0)
    with pytest.raises(TwitchRateLimitedError):
        budget.check(89_990.0)
    assert not budget.ample(89_990.0)
    budget.check(3600.0)  # a day earlier: nothing would ever be asked again, and so nothing learnt
    assert budget.ample(3600.0)
