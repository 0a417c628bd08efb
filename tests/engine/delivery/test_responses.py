from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.models import Outcome
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.responses import SHORT, classify, clean, quoted, retry_after
from itsjustintv_desktop.engine.redaction.spellings import address_secrets, worth_hiding

NOW = 1_445_412_480.0
"""Wed, 21 Oct 2015 07:28:00 GMT"""
days = st.sampled_from(["Wed", "Wednesday", "Xyz", ""])
dates = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    days,
    st.integers(-5, 99),
    st.sampled_from(["Oct", "Foo", "13"]),
    st.integers(-1, 10**6),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.one_of(st.sampled_from(["GMT", "-0000", "+9999", "EST", ""]), st.integers().map(str)),
)
DISCORD = "https://discord.com/api/webhooks/112233445566778899/aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123456789"
SLACK = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
TOKEN = "tok/EN+9 'é\"<&>=z"
PAIR = base64.b64encode(b"alice:pass&word").decode()


def hidden(data: str | bytes, secrets: Iterable[str] = (), *, truncated: bool = False) -> str:
    return clean(data if isinstance(data, bytes) else data.encode(), truncated=truncated, secrets=secrets)


OUTCOMES = {
    Outcome.DELIVERED: (200, 201, 202, 204, 206, 299),
    Outcome.RETRY: (408, 425, 429, 500, 502, 503, 504, 521, 599, 600, 999, 99),
    Outcome.REFUSED: (400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 431, 451, 499),
    Outcome.DEAD: (100, 101, 199, 300, 304, 305, 301, 302, 303, 307, 308),
    Outcome.GONE: (410,),
}


@pytest.mark.parametrize(("status", "outcome"), [(each, outcome) for outcome in OUTCOMES for each in OUTCOMES[outcome]])
def test_what_a_status_means(status: int, outcome: Outcome) -> None:
    verdict = classify(status)
    assert verdict.outcome is outcome
    if outcome is Outcome.DELIVERED:
        assert verdict.error is None
    elif status in {301, 302, 303, 307, 308}:
        assert verdict.error == (
            f"answered with a redirect ({status}) to another address; put the final address into the config"
        )
    elif outcome is Outcome.REFUSED:
        assert (verdict.error or "").startswith(f"refused with {status}")
        assert "would not help" not in (verdict.error or "")
    else:
        assert str(status) in (verdict.error or "")


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("discord", 404, b'{"message": "Unknown Webhook", "code": 10015}'),
        ("discord", 401, b'{"message": "Invalid Webhook Token", "code": 50027}'),
        ("discord", 403, b'{"message": "Invalid Webhook Token", "code": 50027}\n'),
        ("discord", 404, b'{"message": "Unknown Channel", "code": 10003}'),
        ("discord", 400, b'{"message": "Invalid Form Body", "code": 50035, "errors": {"embeds": ["0"]}}'),
        ("discord", 400, b'{"message": "Cannot send an empty message", "code": 50006}'),
        ("discord", 400, b'{"message": "Invalid request body (JSON)", "code": 50109}'),
        ("discord", 400, b'{"message": "Webhooks posted to forum channels must have a thread", "code": 220001}'),
        ("slack", 404, b'{"message": "Unknown Webhook", "code": 10015}'),  # Discord's address for Slack's format
        ("slack", 404, b"no_service"),
        ("slack", 404, b"no_team\n"),
        ("slack", 403, b"invalid_token"),
        ("slack", 403, b"action_prohibited"),
        ("slack", 404, b"channel_not_found"),
        ("slack", 404, b"channel_is_archived"),
        ("slack", 400, b"invalid_blocks"),
    ],
)
def test_what_says_that_it_is_final_is_final(kind: str, status: int, body: bytes) -> None:
    verdict = classify(status, body, formats.named(kind))
    assert verdict.outcome is Outcome.DEAD
    assert re.fullmatch(rf"refused with {status}.*; trying again would not help", verdict.error or "")
    assert classify(status, body, formats.DEFAULT).outcome is Outcome.REFUSED


@pytest.mark.parametrize("kind", ["discord", "slack"])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"not found", b"<html>404</html>", b'{"code": 0}', b'{"code": [10015]}', b'{"code": "10015"}',
        b"[10015]", b"10015", b'{"code": 1001', b"\xff", b"[" * 5000, b"no_service here", b'{"code": true}',
    ],
)  # fmt: skip
def test_what_says_nothing_may_pass(kind: str, body: bytes) -> None:
    assert classify(404, body, formats.named(kind)).outcome is Outcome.REFUSED


def test_410_pauses_whatever_it_says() -> None:
    assert classify(410, b"channel_is_archived", formats.named("slack")).outcome is Outcome.GONE


@pytest.mark.parametrize(
    ("status", "lost"),
    [(500, False), (502, True), (503, False), (504, True), (519, False), (520, True), (521, False), (524, True)],
)
def test_a_gateway_that_got_no_response_lost_it(status: int, lost: bool) -> None:
    verdict = classify(status)
    assert (verdict.outcome, verdict.lost) == (Outcome.RETRY, lost)


def test_discords_own_gateway_says_by_502_that_it_handed_nothing_on() -> None:
    discord = formats.named("discord")
    assert not classify(502, b"", discord, discord).lost
    assert classify(502, b"", discord).lost, "something else that understands Discord's format"
    assert classify(504, b"", discord, discord).lost


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("0.65", 0.65),
        ("999999999999", 999999999999),
        ("Wed, 21 Oct 2015 07:29:00 GMT", 60),
        ("Wednesday, 21-Oct-15 07:29:00 GMT", 60),
        ("Wed Oct 21 07:29:00 2015", 60),
        ("Wed, 21 Oct 2015 07:29:00", 60),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0),
        ("Wed, 21 Oct 2115 07:28:00 GMT", 36524 * 86400.0),
        ("-1", None),
        ("9e99", None),
        ("9" * 12 + "." + "9" * 9, 1e12),
        ("9" * 13, None),
        ("1." + "0" * 10, None),
        ("9" * 5000, None),
        (f"Wed, 21 Oct 2015 {'07:29:00 GMT':>47}", 60),
        (f"Wed, 21 Oct 2015 {'07:29:00 GMT':>48}", None),
        ("", None),
        ("soon", None),
        ("٣٠", None),
        ("inf", None),
        ("nan", None),
        ("Wed, 99 Oct 99999999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999", 0),
    ],
)
def test_retry_after_of_rfc_9110_and_its_abuse(value: str, expected: float | None) -> None:
    got = retry_after(value, NOW)
    assert got == expected if expected is None else got == pytest.approx(expected)


@given(st.one_of(st.text(), st.text("0123456789.-+eE: ,GMTWedOct"), dates), st.floats(0, 1e11))
def test_no_retry_after_ever_raises(value: str, now: float) -> None:
    got = retry_after(value, now)
    assert got is None or got >= 0


@given(st.integers(-10, 2000), st.binary(), st.sampled_from(formats.names()))
def test_every_status_has_a_verdict_with_a_sentence(status: int, body: bytes, kind: str) -> None:
    verdict = classify(status, body, formats.named(kind))
    assert (verdict.error is None) == (verdict.outcome is Outcome.DELIVERED)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        (DISCORD, "112233445566778899"),
        (DISCORD, "aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123456789"),
        (SLACK, "XXXXXXXXXXXXXXXXXXXXXXXX"),
        (SLACK, "T00000000"),
        ("https://user:hunter22@host/hooks", "hunter22"),
        ("https://host/hooks?code=s3cr3t-v%2Flue", "s3cr3t-v/lue"),
        ("https://host/hooks?code=s3cr3t-v%2Flue", "s3cr3t-v%2Flue"),
    ],
)
@pytest.mark.parametrize("echo", ["<p>{} was not found</p>", '{{"path":"{}"}}', "{}", "GET {} HTTP/1.1"])
def test_an_echoed_part_of_the_address_is_hidden(url: str, secret: str, echo: str) -> None:
    for spelling in (secret, secret.lower(), url):
        text = hidden(echo.format(spelling), address_secrets(url))
        assert secret.lower() not in text.lower()
        assert "[hidden]" in text


UNKNOWN = '{"message": "Unknown Webhook", "code": 10015}'


@pytest.mark.parametrize(
    ("data", "secrets", "expected"),
    [
        (UNKNOWN, address_secrets(DISCORD), UNKNOWN),
        ("no_service /services", address_secrets(SLACK), "no_service /services"),
        ("a Bearer token or sha256 is needed", worth_hiding(["Bearer abcdef1", "sha256=abcdef1"]),
         "a Bearer token or sha256 is needed"),
        ("a\x00b\x1b[31mc\u202ed\u2028e\r\nf\tg\x7fh".encode() + b"\xff", (), "ab[31mcde\nf\tgh\ufffd"),
        (b"to\x00ken-123456", {"token-123456"}, "[hidden]"),
        ("x hunter22", worth_hiding(["hun\u200bter22"]), "x [hidden]"),
        (f"Authorization: Basic {base64.b64encode(b'alice:hunter 22').decode()}, hunter 22",
         address_secrets("https://alice:hunter%2022@host/hooks"), "Authorization: Basic [hidden], [hidden]"),
    ],
    ids=["Discord's code stays", "Slack's word stays", "the name of a scheme stays", "control and direction characters",
         "a NUL in a secret", "an invisible character in our secret", "user and password of an address"],
)  # fmt: skip
def test_what_is_left_of_an_answer(data: str | bytes, secrets: Iterable[str], expected: str) -> None:
    assert hidden(data, secrets) == expected


@given(st.integers(3, 36))
def test_a_token_cut_off_by_the_limit_is_hidden_too(shown: int) -> None:
    token = DISCORD.rsplit("/", 1)[1]
    assert hidden(f"unknown: {token[:shown]}", address_secrets(DISCORD), truncated=True) == "unknown: [hidden]"


@given(st.binary(max_size=400), st.booleans(), st.sets(st.text(min_size=6, max_size=30), max_size=3))
def test_any_answer_becomes_printable_text(data: bytes, truncated: bool, secrets: set[str]) -> None:
    text = clean(data, truncated=truncated, secrets=secrets)
    assert all(char.isprintable() or char in "\n\t" or not char.isascii() for char in text)
    text.encode()


def test_short_values_are_not_worth_hiding() -> None:
    assert worth_hiding(["a", "", "12345", "123456"]) == {"123456"}


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer abcdef123456", "abcdef123456"),
        ("token abcdef123456", "abcdef123456"),
        ('Token token="abcdef123456", id=5', "abcdef123456"),
        ("key=abcdef123456;v=1", "abcdef123456"),
        (f"Basic {PAIR}", PAIR),
        (f"Basic {PAIR}", "alice:pass&word"),
        (f"basic {PAIR.rstrip('=')}", "pass&word"),
        ("v1,abcdef/123456+Q=", "abcdef/123456+Q="),
        ("sha256=abcdef123456", "abcdef123456"),
        (TOKEN, TOKEN),
    ],
)
@pytest.mark.parametrize(
    "spell",
    [
        str,
        quote,
        quote_plus,
        lambda text: quote(text, safe="").lower(),
        html.escape,
        lambda text: html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;").replace("+", "&#43;"),
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
        lambda text: json.dumps(text)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    ],
)
def test_a_piece_of_a_header_is_hidden_however_it_is_spelled(
    header: str, secret: str, spell: Callable[[str], str]
) -> None:
    text = hidden(f"refused: {spell(secret)}!", worth_hiding([header]))
    assert text.rstrip("=!").removesuffix("%3D").removesuffix("%3d") == "refused: [hidden]"


def test_the_longest_answer_is_cleaned_quickly() -> None:
    secrets = address_secrets(DISCORD) | worth_hiding([f"Bearer {'aB3-' * 500}", f"Basic {PAIR}", TOKEN, "s" * 64])
    data = ("aB3-" * 5000)[: 16 * 1024].encode()
    began = time.thread_time()
    clean(data, truncated=True, secrets=secrets)
    assert time.thread_time() - began < 0.1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", "refused"),
        (" \n ", "refused"),
        ("no_service", "refused (it wrote: no_service)"),
        ('{"message": "No",\n "code": 10015}', 'refused (it wrote: {"message": "No", "code": 10015})'),
        ("<html><head><title>413 Too Large</title></head><body>x", "refused (it wrote: 413 Too Large)"),
        ("<!DOCTYPE html>\n<style>p { }</style><p>Here &amp; there</p>", "refused (it wrote: Here & there)"),
        ("z" * 5000, "refused"),
        ("<html><script>never closed", "refused"),
        ("1 < 2 is true", "refused (it wrote: 1 < 2 is true)"),
        ("x" * 201, f"refused (it wrote: {'x' * 199}…)"),
        ("<p>&#27;[31mred&#x202e;</p>", "refused (it wrote: [31mred)"),
    ],
)  # fmt: skip
def test_an_error_quotes_the_beginning_of_the_answer(answer: str, expected: str) -> None:
    assert quoted("refused", answer, ()) == expected
    assert quoted(None, answer, ()) is None


@given(st.text(), st.text(max_size=300))
def test_what_is_quoted_is_one_short_line(sentence: str, answer: str) -> None:
    told = quoted(sentence, hidden(answer.encode("utf-8", "replace")), ())
    assert told is not None
    rest = told.removeprefix(sentence)
    assert len(rest) <= SHORT + 15
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", rest)


def test_what_a_page_spells_letter_by_letter_is_not_quoted() -> None:
    secret = "aBcDeFgHiJkL"
    spelled = "&#97;" + secret[1:]
    page = hidden(f"<p>No such path: {spelled}</p>", [secret])
    told = quoted("refused", page, [secret]) or ""
    assert "No such path" in told
    assert secret not in told
