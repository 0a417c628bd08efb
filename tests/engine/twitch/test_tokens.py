from __future__ import annotations

import asyncio

import pytest
from rich.pretty import pretty_repr
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.errors import SecretsLockedError, TwitchAuthError, TwitchUnreachableError
from itsjustintv_desktop.engine.twitch import tokens
from itsjustintv_desktop.engine.twitch.tokens import Credentials, Granted
from tests.engine.twitch.rig import Rig, running_rig
from tests.support.bent import MISSING, OTHERS, bend, put


async def finished(rig: Rig) -> None:
    """Background saves are done."""
    while "twitch.token.save" in rig.tasks.names:
        await asyncio.sleep(0)


def asked(rig: Rig) -> int:
    return rig.simulator.other_calls["token"]


async def test_all_who_ask_at_once_share_one_request(rig: Rig) -> None:
    got = await asyncio.gather(*(rig.tokens.get() for _ in range(50)))
    assert len(set(got)) == 1
    assert got[0][0] == rig.simulator.client_id
    assert asked(rig) == 1


@pytest.mark.parametrize(("seconds", "said"), [(5_011_271, "58 days"), (14_400, "4 hours"), (60, "60 s")])
async def test_how_long_a_token_lives_is_said_readably(rig: Rig, seconds: int, said: str) -> None:
    rig.simulator.tokens.lifetime = seconds
    with capture_logs() as lines:
        await rig.tokens.get()
    (line,) = [line for line in lines if line["event"] == "got a new app token"]
    assert line["lives_for"] == said


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(rig: Rig) -> None:
    rig.simulator.faults.set("token", latency=0.1)
    first = asyncio.ensure_future(rig.tokens.get())
    second = asyncio.ensure_future(rig.tokens.get())
    await asyncio.sleep(0.02)
    first.cancel()
    assert rig.simulator.tokens.valid((await second)[1])
    assert first.cancelled()
    assert asked(rig) == 1


async def test_the_token_survives_a_restart(rig: Rig) -> None:
    before = await rig.tokens.get()
    await finished(rig)
    assert await rig.new_tokens().get() == before
    assert asked(rig) == 1


async def test_a_stored_token_of_another_client_id_is_not_used(rig: Rig) -> None:
    before = await rig.tokens.get()
    await finished(rig)
    rig.store.items[tokens.ITEM] = rig.store.items[tokens.ITEM].replace(rig.simulator.client_id, "another")
    assert await rig.new_tokens().get() != before
    assert asked(rig) == 2


async def test_the_token_of_the_client_id_before_is_at_hand_while_it_lasts(rig: Rig) -> None:
    before, token = await rig.tokens.get()
    await finished(rig)
    used = rig.tokens
    assert used.former(before) is None
    rig.simulator.apps["another"] = "its-secret"
    rig.credentials = Credentials("another", "its-secret")
    assert (await used.get())[0] == "another"
    assert (used.former(before), used.former("another"), used.former("")) == (token, None, None)
    rig.clock.advance(rig.simulator.tokens.lifetime)
    assert used.former(before) is None


async def test_a_token_of_an_earlier_run_takes_nothing_back(rig: Rig) -> None:
    """What was made with it may be in use on another machine by now."""
    before, _ = await rig.tokens.get()
    await finished(rig)
    rig.simulator.apps["another"] = "its-secret"
    rig.credentials = Credentials("another", "its-secret")
    used = rig.new_tokens()
    assert (await used.get())[0] == "another"
    assert used.former(before) is None


async def test_a_changed_client_id_counts_at_once(rig: Rig) -> None:
    await rig.tokens.get()
    rig.credentials = Credentials("someone-else", "secret")
    with pytest.raises(TwitchAuthError, match="client id"):
        await rig.tokens.get()


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"client_id": 5}', "\ud800"])
async def test_a_damaged_stored_token_is_replaced(rig: Rig, damaged: str) -> None:
    rig.store.items[tokens.ITEM] = damaged
    assert rig.simulator.tokens.valid((await rig.tokens.get())[1])


async def test_without_a_usable_store_it_lives_in_memory(rig: Rig) -> None:
    rig.store.broken = SecretsLockedError("The keyring is locked.")
    first = await rig.tokens.get()
    await finished(rig)
    assert await rig.tokens.get() == first
    assert asked(rig) == 1
    assert rig.store.items == {}


async def test_it_is_renewed_before_its_end(rig: Rig) -> None:
    before = await rig.tokens.get()
    rig.clock.advance(rig.simulator.tokens.lifetime - 601)
    assert await rig.tokens.get() == before
    rig.clock.advance(2)
    assert rig.simulator.tokens.valid(before[1])
    assert await rig.tokens.get() != before


async def test_an_invalidated_token_is_not_given_out_again(rig: Rig) -> None:
    _, before = await rig.tokens.get()
    rig.tokens.invalidate(before)
    _, after = await rig.tokens.get()
    assert after != before
    rig.tokens.invalidate(before)
    assert (await rig.tokens.get())[1] == after


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (Credentials("", "secret"), "No Twitch client id is set"),
        (Credentials("id", ""), "No Twitch client secret is set"),
        (Credentials("wrong", "secret"), "no app with this client id"),
        (Credentials("simulated-client-id", "wrong-secret-value"), "refuses the client secret"),
    ],
)
async def test_a_refusal_says_what_to_do(rig: Rig, credentials: Credentials, words: str) -> None:
    rig.credentials = credentials
    with pytest.raises(TwitchAuthError, match=words) as refused:
        await rig.tokens.get()
    assert "dev.twitch.tv/console" in refused.value.message
    assert "wrong-secret-value" not in refused.value.message + repr(credentials)


async def test_refused_credentials_are_not_tried_over_and_over(rig: Rig) -> None:
    good = rig.credentials
    rig.credentials = Credentials(good.client_id, "wrong")
    for _ in range(5):
        with pytest.raises(TwitchAuthError):
            await rig.tokens.get()
    assert asked(rig) == 1
    rig.clock.advance(61)
    with pytest.raises(TwitchAuthError):
        await rig.tokens.get()
    assert asked(rig) == 2
    rig.credentials = good
    await rig.tokens.get()


async def test_an_outage_is_no_refusal(rig: Rig) -> None:
    for details in ({"status": 503}, {"broken": True}, {"reset": True}):
        rig.simulator.faults.set("token", **details)
        with pytest.raises(TwitchUnreachableError):
            await rig.tokens.get()
    rig.simulator.faults.clear()
    await rig.tokens.get()


async def test_validate_keeps_a_good_token_and_replaces_a_bad_one(rig: Rig) -> None:
    before = await rig.tokens.get()
    await rig.tokens.validate()
    assert await rig.tokens.get() == before
    rig.simulator.faults.revoke_tokens()
    await rig.tokens.validate()
    after = await rig.tokens.get()
    assert after != before
    assert rig.simulator.tokens.valid(after[1])


async def test_it_is_validated_at_start_and_hourly_and_sooner_after_a_failure(rig: Rig) -> None:
    rig.simulator.faults.set("validate", status=500, times=1)
    keeper = rig.tasks.start("keep", rig.tokens.keep_valid())
    while rig.simulator.other_calls["validate"] < 4:
        await asyncio.sleep(0.001)
    keeper.cancel()
    assert rig.clock.slept[:3] == [60.0, 3600.0, 3600.0]


async def test_an_outage_is_not_told_each_minute(rig: Rig) -> None:
    rig.simulator.faults.set("validate", status=500, times=10)
    with capture_logs() as lines:
        keeper = rig.tasks.start("keep", rig.tokens.keep_valid())
        while rig.simulator.other_calls["validate"] < 12:
            await asyncio.sleep(0.001)
        keeper.cancel()
    told = [each["event"] for each in lines if "validated" in each["event"]]
    assert told == ["the app token could not be validated", "the app token can be validated again"]


async def test_no_secret_is_logged() -> None:
    with capture_logs() as lines:
        async with running_rig() as rig:
            _, token = await rig.tokens.get()
            rig.simulator.faults.revoke_tokens()
            await rig.tokens.validate()
            rig.credentials = Credentials(rig.simulator.client_id, "wrong-secret-value")
            rig.tokens.invalidate((await rig.new_tokens().get())[1])
            rig.store.items[tokens.ITEM] = f"damaged {token}"
            with pytest.raises(TwitchAuthError):
                await rig.new_tokens().get()
    assert lines
    for secret in (token, rig.simulator.client_secret, "wrong-secret-value"):
        assert secret not in repr(lines)


def test_no_secret_is_in_what_a_traceback_shows() -> None:
    holders = [
        Credentials("an-id", "the-secret-itself"),
        Granted("the-secret-itself", 5.0),
        tokens._Token("an-id", "the-secret-itself", 1.0),
    ]
    for holder in holders:
        assert "the-secret" not in f"{holder!r} {pretty_repr(holder)}"


@pytest.mark.parametrize("value", OTHERS)
@pytest.mark.parametrize("field", ["expires_in", "token_type", "scope"])
async def test_a_token_is_a_token_whatever_else_is_said_of_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, field: str, value: object
) -> None:
    bend(monkeypatch, rig.http, "/token", lambda told: put(told | {field: 1}, (field,), value))
    first = await rig.tokens.get()
    assert await rig.tokens.get() == first
    assert asked(rig) == 1, "it is kept, for an hour at least where no time is said"


@pytest.mark.parametrize("value", [None, MISSING, "", 5, []])
async def test_an_answer_without_a_token_is_none(rig: Rig, monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    bend(monkeypatch, rig.http, "/token", lambda told: put(told, ("access_token",), value))
    with pytest.raises(TwitchUnreachableError):
        await rig.tokens.get()


@pytest.mark.parametrize("value", [None, MISSING, 5, []])
@pytest.mark.parametrize("field", ["client_id", "expires_in", "login", "scopes"])
async def test_a_token_that_holds_holds_whatever_else_is_said_of_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, field: str, value: object
) -> None:
    before = await rig.tokens.get()
    bend(monkeypatch, rig.http, "/validate", lambda told: put(told | {field: told.get(field)}, (field,), value))
    await rig.tokens.validate()
    assert await rig.tokens.get() == before
    assert asked(rig) == 1


@pytest.mark.parametrize("said", [{}, {"message": None}, {"message": 5, "status": None}, []])
async def test_a_refusal_without_words_is_one(rig: Rig, monkeypatch: pytest.MonkeyPatch, said: object) -> None:
    rig.credentials = Credentials(rig.simulator.client_id, "wrong")
    bend(monkeypatch, rig.http, "/token", lambda _: said)
    with pytest.raises(TwitchAuthError, match="refuses the client id and secret"):
        await rig.tokens.get()
