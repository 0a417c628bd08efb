"""What one endpoint refuses concerns that endpoint: no token, no health, no other question suffers for it."""

from __future__ import annotations

import pytest
import stamina
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.errors import (
    EndpointGivenUpError,
    TwitchError,
    TwitchRateLimitedError,
    TwitchRefusedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.twitch.endpoints import GIVEN_UP_FOR, RESTS_FOR
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from tests.engine.twitch.rig import Rig
from tests.support.bent import refuse

NOTED = "an endpoint of Twitch's is not asked for a while"
SCOPES = [
    "Missing required scope",
    "missing scope: moderator:read:followers",
    "The user access token is missing the moderator:read:followers scope.",
    "The Authorization header is required and must contain a user access token.",
    "The ID in broadcaster_id must match the user ID found in the request's OAuth token.",
]


@pytest.mark.parametrize("words", SCOPES)
async def test_a_missing_scope_is_no_matter_of_the_token(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    await rig.helix.users(ids=[channel])
    asked = refuse(monkeypatch, rig.http, "/followers", 401, words)
    with capture_logs() as lines:
        for number in range(10):
            with pytest.raises(TwitchError) as caught:
                await rig.helix.followers(channel)
            assert isinstance(caught.value, EndpointGivenUpError if number else TwitchRefusedError)
            assert words in caught.value.message
            await rig.helix.users(ids=[channel])
    assert len(asked) == 1, "it is given up"
    assert rig.simulator.other_calls["token"] == 1, "no new token is had for it"
    assert rig.client.status.ok
    assert [line["endpoint"] for line in lines if line["event"] == NOTED] == ["GET /channels/followers"]
    told = [rig.helix.tells_followers]
    for seconds in (GIVEN_UP_FOR - 10, 11):
        rig.clock.advance(seconds)
        told.append(rig.helix.tells_followers)
    assert told == [False, False, True]
    with pytest.raises(TwitchRefusedError):
        await rig.helix.followers(channel)
    assert len(asked) == 2, "a day later it is asked once more"


@pytest.mark.parametrize("path", ["/followers", "/channels"])
@pytest.mark.parametrize(("status", "asks"), [(403, 1), (410, 1), (404, 3)])
async def test_an_endpoint_that_refuses_is_given_up(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch, path: str, status: int, asks: int
) -> None:
    """A 404 may be about one channel."""
    asked = refuse(monkeypatch, rig.http, path, status, "no such thing")
    for _ in range(8):
        with pytest.raises(TwitchError):
            await (rig.helix.followers(channel) if path == "/followers" else rig.helix.channels([channel]))
    assert len(asked) == asks
    assert rig.client.status.ok is not False


async def test_one_that_fails_rests_for_a_while(rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        asked = refuse(patch, rig.http, "/followers", 503)
        with stamina.set_testing(True, attempts=7, cap=True), pytest.raises(EndpointGivenUpError, match="503"):
            await rig.helix.followers(channel)
        assert len(asked) == 3
        with pytest.raises(EndpointGivenUpError):
            await rig.helix.followers(channel)
        assert len(asked) == 3
        assert rig.client.status.ok is not False
    rig.clock.advance(RESTS_FOR + 1)
    assert await rig.helix.followers(channel) is not None
    assert rig.helix.tells_followers


async def test_a_401_for_no_reason_costs_one_new_token_in_all(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.helix.users(ids=[channel])
    asked = refuse(monkeypatch, rig.http, "/followers", 401, "Unauthorized")
    for _ in range(5):
        with pytest.raises(TwitchError):
            await rig.helix.followers(channel)
        await rig.helix.users(ids=[channel])  # the token does well elsewhere
    assert rig.simulator.other_calls["token"] == 2
    assert len(asked) == 3, "with the old token, with a new one, and once it was known to be good"
    assert rig.client.status.ok


async def test_one_that_cannot_be_done_without_goes_on_being_asked(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        asked = refuse(patch, rig.http, "/streams", 401, "Unauthorized")
        for _ in range(5):
            with pytest.raises(TwitchRefusedError):
                await rig.helix.streams([channel])
        assert len(asked) == 6, "one new token, and then none for each question"
        assert rig.client.status.ok is False
    assert await rig.helix.streams([channel]) == []
    assert rig.client.status.ok


async def test_another_client_id_may_have_what_the_one_before_lacked(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, rig.http, "/followers", 403)
        with pytest.raises(TwitchRefusedError):
            await rig.helix.followers(channel)
    rig.simulator.apps["another-client"] = "another-secret"
    rig.credentials = Credentials("another-client", "another-secret")
    await rig.helix.users(ids=[channel])
    assert rig.helix.tells_followers
    assert await rig.helix.followers(channel) is not None


async def test_a_token_that_is_really_revoked_is_had_anew(rig: Rig, channel: str) -> None:
    await rig.helix.followers(channel)
    for number in range(2, 5):
        rig.simulator.faults.revoke_tokens()
        assert await rig.helix.followers(channel) is not None
        assert rig.simulator.other_calls["token"] == number


async def test_a_429_without_headers_backs_off(rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.helix.users(ids=[channel])  # its headers told of a reset that is near
    asked = refuse(monkeypatch, rig.http, "/users", 429)
    waited = []
    for number in range(1, 7):
        with pytest.raises(TwitchRateLimitedError) as limited:
            await rig.helix.users(ids=[channel])
        with pytest.raises(TwitchRateLimitedError):
            await rig.helix.users(ids=[channel])
        assert len(asked) == number, "nothing is sent before it is time"
        with pytest.raises(TwitchRateLimitedError):
            await rig.helix.streams([channel])
        assert not rig.client.spare()
        waited.append(limited.value.retry_at - rig.clock.now())
        rig.clock.advance(waited[-1] + 0.1)
    assert waited == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0]
    assert await rig.helix.streams([channel]) == []
    with pytest.raises(TwitchRateLimitedError) as limited:
        await rig.helix.users(ids=[channel])
    assert limited.value.retry_at - rig.clock.now() == 60.0, "an answer in between begins anew"


@pytest.mark.parametrize("path", ["/followers", "/channels"])
async def test_a_429_of_what_can_be_done_without_holds_nothing_else_up(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asked = refuse(monkeypatch, rig.http, path, 429)
    for _ in range(5):
        with pytest.raises(TwitchError):
            await (rig.helix.followers(channel) if path == "/followers" else rig.helix.channels([channel]))
        assert await rig.helix.users(ids=[channel])
    assert len(asked) == 1
    assert rig.client.status.ok
    rig.clock.advance(RESTS_FOR + 1)
    assert not rig.client.is_given_up("GET /channels")
    assert rig.helix.tells_followers


async def test_a_429_that_names_seconds_is_believed(rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, rig.http, "/users", 429, headers={"Retry-After": "33"})
    with pytest.raises(TwitchRateLimitedError) as limited:
        await rig.helix.users(ids=[channel])
    assert limited.value.retry_at - rig.clock.now() == 33.0


async def test_no_token_for_now_is_not_asked_for_again_at_once(rig: Rig, channel: str) -> None:
    rig.simulator.faults.set("token", status=429)
    for _ in range(5):
        with pytest.raises(TwitchRateLimitedError):
            await rig.helix.users(ids=[channel])
    assert rig.simulator.other_calls["token"] == 1
    rig.simulator.faults.clear()
    rig.clock.advance(31)
    assert await rig.helix.users(ids=[channel])


async def test_a_5xx_where_it_matters_is_the_apis_failure(
    rig: Rig, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, rig.http, "/streams", 503)
    with pytest.raises(TwitchUnreachableError):
        await rig.helix.streams([channel], timeout=0.5)
    assert rig.client.status.ok is False
