from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.models import Outcome
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.responses import classify, retry_after

NOW = 1_445_412_480.0
"""Wed, 21 Oct 2015 07:28:00 GMT"""


def outcome(status: int) -> Outcome:
    return classify(status).outcome


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_2xx_is_delivered(status: int) -> None:
    verdict = classify(status)
    assert (verdict.outcome, verdict.error) == (Outcome.DELIVERED, None)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 521, 599, 600, 999, 99])
def test_is_tried_again(status: int) -> None:
    assert outcome(status) is Outcome.RETRY


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 431, 451, 499])
def test_may_pass(status: int) -> None:
    verdict = classify(status)
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.error is not None
    assert verdict.error.startswith(f"refused with {status}")
    assert "would not help" not in verdict.error


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
    assert verdict.error is not None
    assert verdict.error.startswith(f"refused with {status}")
    assert verdict.error.endswith("; trying again would not help")
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


@pytest.mark.parametrize("status", [100, 101, 199, 300, 304, 305])
def test_is_final_and_says_which_answer_it_was(status: int) -> None:
    verdict = classify(status)
    assert verdict.outcome is Outcome.DEAD
    assert verdict.error is not None
    assert str(status) in verdict.error


def test_410_is_gone() -> None:
    assert outcome(410) is Outcome.GONE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_says_so_and_not_where_to(status: int) -> None:
    verdict = classify(status)
    assert verdict.outcome is Outcome.DEAD
    assert verdict.error == (
        f"answered with a redirect ({status}) to another address; put the final address into the config"
    )


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


@given(st.one_of(st.text(), st.text("0123456789.-+eE: ,GMTWedOct"), dates), st.floats(0, 1e11))
def test_no_retry_after_ever_raises(value: str, now: float) -> None:
    got = retry_after(value, now)
    assert got is None or got >= 0


@given(st.integers(-10, 2000), st.binary(), st.sampled_from(formats.names()))
def test_every_status_has_a_verdict_with_a_sentence(status: int, body: bytes, kind: str) -> None:
    verdict = classify(status, body, formats.named(kind))
    assert (verdict.error is None) == (verdict.outcome is Outcome.DELIVERED)
