"""When a message cannot be kept Twitch hears 503, and its resend is taken once the reason is gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.ingress import intake
from tests.support import signed
from tests.support.public import PublicRig

_CANNOT = "a message could not be taken"


@pytest.mark.expected_errors(_CANNOT, "the ledger cannot be written")
async def test_a_ledger_that_cannot_commit(port: PublicRig) -> None:
    message = signed.online(port.now())
    with closing(sqlite3.connect(port.ledger_path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = await port.post(message)
        assert (answer.status, answer.body) == (503, b"")
        assert port.ledger.failure is not None
        other.execute("ROLLBACK")

    assert (await port.post(message)).status == 204
    assert [record.event.message_id for record in await port.stored()] == [message.id]
    assert port.ledger.failure is None


@pytest.mark.expected_errors(_CANNOT)
async def test_a_ledger_that_takes_too_long(port: PublicRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twitch gives up at about 10 s: it hears 503 before, and what is stored all the same is then a duplicate."""
    monkeypatch.setattr(intake, "COMMIT_SECONDS", 0.1)
    message = signed.online(port.now())
    async with port.ledger_held():
        assert (await port.post(message)).status == 503
    assert (await port.post(message)).status == 204
    assert len(await port.stored()) == 1


def test_the_word_comes_before_twitch_gives_up() -> None:
    assert intake.COMMIT_SECONDS < 10


@pytest.mark.expected_errors(_CANNOT)
async def test_a_closed_ledger(port: PublicRig) -> None:
    await port.ledger.close()
    assert (await port.post(signed.online(port.now()))).status == 503


@pytest.mark.expected_errors(_CANNOT)
async def test_a_secret_that_is_not_there_yet(port: PublicRig) -> None:
    """Never 403: Twitch would count that as a wrong secret and would not send again."""
    known, port.secrets = port.secrets, ()
    message = signed.online(port.now())
    for each in (message, signed.challenge(port.now()), message.but(signature="sha256=" + "0" * 64)):
        answer = await port.post(each)
        assert (answer.status, answer.body) == (503, b"")
    assert await port.stored() == []

    port.secrets = known
    assert (await port.post(message)).status == 204


@pytest.mark.expected_errors(_CANNOT)
async def test_the_reason_is_that_of_the_secret(port: PublicRig) -> None:
    """Without any keyring nobody can unlock one."""
    port.secrets = ()
    for given, said in ((None, "not available yet."), ("This machine has no keyring.", "This machine has no keyring.")):
        port.judge.why_no_secret = partial(lambda sentence: sentence, given)
        with capture_logs() as lines:
            await port.post(signed.online(port.now()))
        port.clock.advance(60)
        assert lines[0]["reason"].endswith(said)
        assert "Unlock" not in lines[0]["reason"]


async def test_a_kind_of_refusal_cannot_hide_another(port: PublicRig) -> None:
    good = signed.online(port.now())
    stale = signed.online(port.now() - 3600)
    with capture_logs() as lines:
        for _ in range(3):
            for message in (good.but(signature="sha256=" + "0" * 64), stale, good.but(timestamp="soon")):
                assert (await port.post(message)).status == 403
            assert (await port.post(good.but(body=b"{"))).status == 400
    told = [line["reason"] for line in lines if line["log_level"] == "warning"]
    assert len(told) == 4
    assert [word for word in ("signature does not fit", "clock right?", "timestamp") if word in " ".join(told)] == [
        "signature does not fit", "clock right?", "timestamp",
    ]  # fmt: skip
    port.clock.advance(60)
    with capture_logs() as lines:
        await port.post(stale)
    assert lines[0]["more_since_last"] == 2


async def test_two_secrets_while_one_replaces_the_other(port: PublicRig) -> None:
    port.secrets = (b"the new secret", signed.SECRET.encode())
    assert (await port.post(signed.online(port.now()))).status == 204
    assert (await port.post(signed.online(port.now()).but(secret="the new secret"))).status == 204
    assert (await port.post(signed.online(port.now()).but(secret="a third"))).status == 403


async def test_an_empty_secret_opens_nothing(port: PublicRig) -> None:
    port.secrets = (b"",)
    assert (await port.post(signed.online(port.now()).but(secret=""))).status == 403
