"""Good, tampered, downgraded, unreachable: what is shown, told and logged of each."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
import structlog
from aiohttp import web

from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.monitoring.updates import fetch
from itsjustintv_desktop.engine.monitoring.updates.check import EVERY, FIRST
from itsjustintv_desktop.engine.monitoring.updates.manifest import LARGEST
from tests.engine.monitoring.updates.conftest import OWN, House
from tests.support.versions import Key, not_there, silence


def shown(house: House) -> str:
    view = house.check.view
    return view.version if view is not None else ""


async def test_a_newer_version_is_shown_and_told_once(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    with structlog.testing.capture_logs() as lines:
        check = await house.asked()
        await house.asked()
    view = check.view
    assert view is not None
    assert (view.version, view.download_url) == ("1.3.0", "https://example.org/releases/1.3.0")
    assert view.notes_url == "https://example.org/notes/1.3.0"
    assert check.code == "newer"
    assert check.health().level == "ok"
    assert check.note == "Version 1.3.0 is there; this is 1.2.3. See https://example.org/releases/1.3.0"
    assert house.told == [("1.3.0", True)]
    assert [line for line in lines if line["log_level"] != "debug"] == [
        {
            "event": "there is a newer version", "log_level": "info", "version": "1.3.0",
            "page": "https://example.org/releases/1.3.0",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("version", [OWN, "1.2.2", "1.2.3rc1", "0.99.99", "1.3.0rc1", "2.0.0a1"])
async def test_the_same_or_an_older_one_is_no_news(house: House, version: str) -> None:
    house.publish(version)
    await house.start()
    check = await house.asked()
    assert (check.code, check.view, check.note) == ("current", None, None)
    assert house.told == []


async def test_a_pre_release_hears_of_the_next_one_and_of_the_release(house: House) -> None:
    for published in ("1.3.0rc2", "1.3.0"):
        house.publish(published)
        await house.start(version="1.3.0rc1")
        house.clock.advance(2 * EVERY)
        await house.asked()
        assert shown(house) == published


async def test_what_is_known_is_shown_from_the_start(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    count = house.server.count
    await house.start()
    assert shown(house) == "1.3.0"
    assert house.told == [("1.3.0", True), ("1.3.0", False)], "it is shown again, and told no second time"
    assert house.server.count == count
    await house.start(version="1.3.0")
    assert shown(house) == "", "it was installed"


# What is not believed


def _another_version(house: House) -> None:
    house.server.raw = house.server.raw.replace(b"1.3.0", b"1.3.1")


def _another_page(house: House) -> None:
    house.server.raw = house.server.raw.replace(b"https://example.org/releases", b"https://evil.example/releases")


def _another_signature(house: House) -> None:
    signature = bytearray(base64.b64decode(house.server.signatures))
    signature[5] ^= 1
    house.server.signatures = base64.b64encode(signature)


def _another_key(house: House) -> None:
    house.server.signatures = Key().sign(house.server.raw)


def _no_signature(house: House) -> None:
    house.server.signatures = b""


def _a_page_instead(house: House) -> None:
    house.server.raw = house.server.signatures = b"<!doctype html><title>Log in to this network</title>"


def _signed_but_not_json(house: House) -> None:
    house.server.raw = b"{"
    house.server.signatures = house.server.key.sign(b"{")


def _signed_but_not_whole(house: House) -> None:
    house.server.raw = b'{"version": "1.3.0"}'
    house.server.signatures = house.server.key.sign(house.server.raw)


@pytest.mark.parametrize(
    "tamper",
    [
        _another_version, _another_page, _another_signature, _another_key, _no_signature, _a_page_instead,
        _signed_but_not_json, _signed_but_not_whole,
    ],
)  # fmt: skip
@pytest.mark.hostile
async def test_what_is_not_ours_is_not_believed(house: House, tamper: Any) -> None:
    house.publish("1.3.0")
    tamper(house)
    await house.start()
    with structlog.testing.capture_logs() as lines:
        check = await house.asked()
    assert (check.code, check.view, house.told) == ("refused", None, [])
    sentence = "What came as the list of versions is not signed by this project, and is not believed."
    assert check.note == sentence
    assert check.health().level == "ok", "it is a note and no alarm"
    warnings = [line["text"] for line in lines if line["log_level"] == "warning" and line["event"] == "updates"]
    assert warnings == [sentence]


async def test_a_tampered_one_takes_nothing_away(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    _another_version(house)
    check = await house.asked()
    assert (check.code, shown(house)) == ("refused", "1.3.0")
    house.publish("1.3.1")
    await house.asked()
    assert shown(house) == "1.3.1"


async def test_files_renewed_between_the_two_questions_are_asked_for_again(house: House) -> None:
    house.publish("1.3.0")
    old = house.server.raw
    house.publish("1.3.1")
    new, first = house.server.raw, True

    async def answer(request: web.Request) -> web.Response:
        nonlocal first
        if request.path.endswith(".sig"):
            return web.Response(body=house.server.signatures)
        body, first = (old if first else new), False
        return web.Response(body=body)

    house.server.answer = answer
    await house.start()
    await house.clock.run_until(lambda: shown(house) == "1.3.1", step=FIRST, most=3 * FIRST)
    assert house.server.count == 2


async def test_keys_are_rotated(house: House) -> None:
    """A manifest signed by both is believed by builds of either key; one by the new key alone by new builds only."""
    old, new = house.server.key, Key()
    house.publish("1.3.0", new, old)
    house.pin(old)
    await house.start()
    await house.asked()
    assert shown(house) == "1.3.0"
    house.publish("1.4.0", new)
    assert (await house.asked()).code == "refused"
    house.pin(old, new)
    await house.start()
    await house.asked()
    assert shown(house) == "1.4.0"
    house.pin(new)
    house.publish("1.5.0", old)
    await house.start()
    assert (await house.asked()).code == "refused", "the old key is no longer believed"


# What is old


async def test_an_older_list_played_again_is_noticed(house: House) -> None:
    house.publish("1.3.0")
    before = house.server.raw, house.server.signatures
    house.publish("1.4.0")
    await house.start()
    await house.asked()
    house.server.raw, house.server.signatures = before
    await house.start()
    with structlog.testing.capture_logs() as lines:
        check = await house.asked()
    assert (check.code, shown(house)) == ("older", "1.4.0")
    assert {"version": "1.3.0", "known": "1.4.0", "log_level": "warning", "event": "updates"}.items() <= lines[
        0
    ].items()
    assert check.note is not None
    assert house.told == [("1.4.0", True), ("1.4.0", False)]


async def test_an_expired_list_is_told_and_not_shown(house: House) -> None:
    house.publish("1.3.0", days=0.001)
    await house.start()
    house.clock.advance(90)
    with structlog.testing.capture_logs() as lines:
        check = await house.asked()
    assert (check.code, check.view) == ("expired", None)
    assert [line["log_level"] for line in lines] == ["warning"]
    house.publish("1.3.0")
    assert (await house.asked()).code == "newer", "it was renewed"


async def test_a_list_that_never_changes_is_noticed_in_the_end(house: House) -> None:
    """Somebody who holds back news can play the last one again, until it expires."""
    house.publish(OWN, days=3)
    await house.start()
    codes = [(await house.asked()).code for _ in range(5)]
    assert codes[:2] == ["current", "current"]
    assert codes[-1] == "expired"


# Nobody to ask


async def _redirect(_: web.Request) -> web.Response:
    raise web.HTTPFound("http://updates.example/latest.json")


async def _to_metadata(_: web.Request) -> web.Response:
    raise web.HTTPFound("https://169.254.169.254/latest.json")


async def _round_and_round(request: web.Request) -> web.Response:
    raise web.HTTPFound(str(request.url))


async def _too_large(_: web.Request) -> web.Response:
    return web.Response(body=b"x" * (LARGEST + 1))


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    while True:
        await answer.write(b"x" * 8192)


async def _nowhere(_: web.Request) -> web.Response:
    return web.Response(status=302)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (_redirect, "It leads to an address that is not https, which is not followed."),
        (_to_metadata, "It could not be asked: the connection failed (ClientConnectorError)."),
        (_round_and_round, "It leads from one address to the next without an end."),
        (_nowhere, "It leads from one address to the next without an end."),
        (_too_large, "What it sends is too large, and was not read."),
        (_endless, "What it sends is too large, and was not read."),
        (not_there, "It answered with status 404."),
        (silence, "It could not be asked: no answer in time."),
    ],
)
async def test_nobody_to_ask_is_no_trouble(
    house: House, monkeypatch: pytest.MonkeyPatch, answer: Any, sentence: str
) -> None:
    monkeypatch.setattr(fetch, "DEADLINE", 1.0 if answer is silence else 20.0)
    house.server.answer = answer
    await house.start()
    with structlog.testing.capture_logs() as lines:
        check = await house.asked()
    assert check.code == "unreachable"
    assert check.sentence.startswith(sentence)
    assert (check.view, check.note, check.health().level) == (None, None, "ok")
    assert {line["log_level"] for line in lines} <= {"info", "debug"}
    assert house.told == []


async def test_skipping_at_the_very_moment_it_is_found_is_kept(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    check = house.check
    skipped: list[asyncio.Task[None]] = []

    async def skip_at_once(**changes: Any) -> None:
        kept = keep(**changes)
        skipping = house.tasks.start("skip", check.skip("1.3.0"))
        await kept
        skipped.append(skipping)

    keep, check._keep = check._keep, skip_at_once  # type: ignore[method-assign]
    await house.asked()
    for each in skipped:
        await each
    assert skipped
    await house.start()
    assert (house.check._kept.skipped, shown(house)) == ("1.3.0", "")


async def test_a_skip_that_cannot_be_kept_is_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()

    async def full(*_: object) -> None:
        raise LedgerUnavailableError("The disk is full.")

    monkeypatch.setattr(house.ledger, "set_meta", full)
    with pytest.raises(LedgerUnavailableError):
        await house.check.skip("1.3.0")
    assert shown(house) == "1.3.0"
    house.publish("1.3.1")
    await house.asked()
    assert shown(house) == "1.3.1", "it goes on in memory"


# What is said to the server


async def test_nothing_personal_is_sent(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    assert [request.path_qs for request in house.server.asked] == ["/latest.json", "/latest.json.sig"]
    for request in house.server.asked:
        assert request.method == "GET"
        assert set(request.headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}
        assert request.headers["User-Agent"].startswith("itsjustintv-desktop/")


async def test_a_damaged_memory_is_left_out(house: House) -> None:
    await house.ledger.set_meta("updates", '{"highest": {"version": "9"}}')
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    assert shown(house) == "1.3.0"
