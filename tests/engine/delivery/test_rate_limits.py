from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from itsjustintv_desktop.engine.core.models import RateLimit
from itsjustintv_desktop.engine.delivery import formats, rate_limits
from itsjustintv_desktop.engine.delivery.rate_limits import LONGEST_WINDOW, Pace

NOW = 1_700_000_000.0
PROXY = "https://proxy.example/api/webhooks/1/token"
V10 = "https://discord.com/api/v10/webhooks/1/token"


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.mark.parametrize("host", ["discord.com", "canary.discord.com", "ptb.discord.com", "discordapp.com"])
@pytest.mark.parametrize("version", ["", "/v6", "/v9", "/v10", "/v11"])
def test_discord_is_called_at_version_10(host: str, version: str) -> None:
    url = f"https://{host}/api{version}/webhooks/1/to-ken_?wait=true&thread_id=2"
    assert rate_limits.versioned(url) == f"https://{host}/api/v10/webhooks/1/to-ken_?wait=true&thread_id=2"
    assert rate_limits.versioned(f"https://{host}/api{version}/webhooks/1/t/slack").endswith(
        "/api/v10/webhooks/1/t/slack"
    )


@pytest.mark.parametrize(
    "url",
    [
        PROXY,
        "https://example.com/api/v6/webhooks/1/t",
        "https://discord.com/other/api/webhooks/1/t",
        "https://notdiscord.com/api/webhooks/1/t",
        "http://[::1",
        "",
        "https://example.com/a?b=%2f&c",
    ],
)
def test_any_other_address_is_called_as_it_is(url: str) -> None:
    assert rate_limits.versioned(url) == url


def test_one_webhook_has_one_pace_whatever_its_address_looks_like() -> None:
    spellings = {
        "https://discord.com/api/webhooks/1/t",
        "https://ptb.discord.com/api/v9/webhooks/1/t?thread_id=5",
        "https://discordapp.com/api/v10/webhooks/1/t?wait=true",
    }
    assert len({rate_limits.one_for_all(url) for url in spellings}) == 1
    assert rate_limits.one_for_all("https://discord.com/api/webhooks/2/t") not in map(
        rate_limits.one_for_all, spellings
    )
    assert rate_limits.one_for_all("https://a.example/x?y") == rate_limits.one_for_all("https://a.example/x")


def read(
    headers: dict[str, str], body: Any = None, kind: str = "discord", url: str = V10, status: int = 429
) -> RateLimit | None:
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return rate_limits.read(status, CIMultiDict(headers), raw, formats.named(kind), url, now=NOW)


def waits(headers: dict[str, str], body: Any = None, kind: str = "discord", url: str = V10) -> float | None:
    said = read(headers, body, kind, url)
    return None if said is None else said.wait


@pytest.mark.parametrize("kind", ["json", "discord", "slack"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [("120", 120.0), ("0", 0.0), ("0.65", 0.65), ("-1", None), ("9e99", None), ("soon", None)],
)
def test_retry_after(kind: str, value: str, expected: float | None) -> None:
    assert waits({"retry-after": value}, kind=kind) == expected


def test_reset_after_is_always_seconds_and_preferred() -> None:
    for url in (PROXY, V10):
        assert waits({"X-RateLimit-Reset-After": "1.5", "Retry-After": "1500"}, {"retry_after": 1500}, url=url) == 1.5
        assert waits({"X-RateLimit-Reset-After": "1.5", "X-RateLimit-Remaining": "0"}, url=url) == 1.5
    assert waits({"X-RateLimit-Reset-After": "1.5", "Retry-After": "1500"}, kind="json") == 1.5


def test_another_limit_than_that_of_the_bucket() -> None:
    """The bucket has room (the example for "shared" in Discord's documentation), or it is not the bucket at all."""
    shared = {"Retry-After": "1337", "X-RateLimit-Remaining": "9", "X-RateLimit-Reset-After": "64.57"}
    assert waits(shared | {"X-RateLimit-Scope": "shared"}, {"retry_after": 1336.57, "global": False}) == 1336.57
    assert waits(shared) == 1337
    everywhere = {"Retry-After": "3", "X-RateLimit-Reset-After": "0.5"}
    for headers, body in (
        ({"X-RateLimit-Global": "true"}, None),
        ({"X-RateLimit-Scope": "global"}, None),
        ({}, {"retry_after": 2.5, "global": True}),
    ):
        said = read(everywhere | headers, body)
        assert said is not None
        assert (said.everywhere, said.wait) == (True, 3.0 if body is None else 2.5)


@pytest.mark.parametrize(
    ("url", "headers", "body", "expected"),
    [
        (V10, {"Retry-After": "2"}, {"retry_after": 1.337}, 1.337),
        (V10, {"Retry-After": "1500"}, {"retry_after": 1500}, 1500.0),
        (V10, {"Retry-After": "1500"}, None, 1500.0),  # of the network in front of it, after too many bad requests
        ("https://proxy.example/api/v8/webhooks/1/t", {}, {"retry_after": 1500}, 1500.0),
        (PROXY, {"Retry-After": "1500"}, {"retry_after": 1500}, 1.5),
        ("https://proxy.example/api/v7/webhooks/1/t", {}, {"retry_after": 1500}, 1.5),
        (PROXY, {"Retry-After": "1500"}, None, 1.5),
        (PROXY, {"Retry-After": "1000"}, None, 1.0),
        (PROXY, {"Retry-After": "999"}, None, 999.0),
        (PROXY, {"Retry-After": " 1500 "}, None, 1.5),
        (PROXY, {"Retry-After": "1500.0"}, None, 1500.0),
        (PROXY, {}, {"retry_after": 100}, 0.1),
        (PROXY, {}, {"retry_after": 99}, 99.0),
        (PROXY, {}, {"retry_after": 1500.0}, 1500.0),
        (PROXY, {"Retry-After": "2"}, {"retry_after": 10**12}, 2.0),
        (V10, {"Retry-After": "2"}, {"retry_after": 0}, 0.0),
        (PROXY, {"Retry-After": "2"}, None, 2.0),
        (PROXY, {"Retry-After": "2"}, {"retry_after": 1.5}, 1.5),
        (PROXY, {"Retry-After": "2"}, {"retry_after": True}, 2.0),
        (PROXY, {"Retry-After": "2"}, {"retry_after": "soon"}, 2.0),
        (PROXY, {"Retry-After": "2"}, {"retry_after": -5}, 2.0),
        (PROXY, {}, [1500], None),
    ],
)
def test_seconds_or_milliseconds(url: str, headers: dict[str, str], body: Any, expected: float | None) -> None:
    assert waits(headers, body, url=url) == expected


def test_a_json_receiver_means_seconds() -> None:
    assert waits({"Retry-After": "1500"}, {"retry_after": 3}, kind="json", url=PROXY) == 1500.0
    assert waits({"Retry-After": "1500"}, kind="slack", url=PROXY) == 1500.0


@pytest.mark.parametrize(
    ("status", "wait"),
    [(200, None), (399, None), (400, None), (404, None), (408, 7.0), (429, 7.0), (499, None), (500, 7.0), (503, 7.0)],
)
@pytest.mark.parametrize("asked", ["header", "body"])
def test_only_a_response_that_asks_for_another_attempt_is_a_limit(status: int, wait: float | None, asked: str) -> None:
    """A message that is refused for what it holds (400) must not keep the next one back."""
    said = (
        read({"Retry-After": "7"}, status=status) if asked == "header" else read({}, {"retry_after": 7}, status=status)
    )
    assert said == (None if wait is None else RateLimit(wait=wait))


@pytest.mark.parametrize(("status", "left"), [(400, 0), (204, 4)], ids=["refused", "delivered"])
def test_one_that_is_not_limited_says_what_is_left(status: int, left: int) -> None:
    headers = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset-After": "1.9"}
    assert read(headers | {"Retry-After": "7"}, status=status) == RateLimit(limit=5, remaining=left, reset_after=1.9)
    assert read({"X-RateLimit-Remaining": "0"}, status=status) is None


@given(
    st.dictionaries(
        st.sampled_from(["Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset-After", "X-RateLimit-Limit"]),
        st.text() | st.sampled_from(["0", "5", "1e9", "-1", "nan", "9" * 400]),
    ),
    st.binary() | st.sampled_from([b'{"retry_after": 1e999}', b'{"retry_after": NaN}', b"[" * 5000]),
    st.text(),
)
def test_nothing_that_is_said_breaks_it(headers: dict[str, str], body: bytes, url: str) -> None:
    said = read(headers, body, url=url)
    if said is not None:
        assert said.wait is None or 0 <= said.wait < math.inf
        pace = Pace()
        post(pace, said)
        assert pace.most(NOW + LONGEST_WINDOW) >= 1


# Pace


def left(remaining: int, reset_after: float = 2.0, bucket: str = "b") -> RateLimit:
    return RateLimit(limit=5, remaining=remaining, reset_after=reset_after, bucket=bucket)


def post(
    pace: Pace, said: RateLimit | None, at: float = NOW, *, ended: float | None = None, lost: bool = False
) -> None:
    """One POST from begin to end."""
    pace.begin(at)
    pace.end(said, at if ended is None else ended, answered=not lost)


def test_as_many_as_are_left_may_be_under_way(pace: Pace) -> None:
    assert pace.room(NOW) == math.inf
    for _ in range(4):
        pace.begin(NOW)
    pace.end(left(4), NOW, answered=True)
    assert pace.room(NOW) == 1, "three more are under way, and four are left"
    pace.begin(NOW)
    assert pace.room(NOW) == 0
    for remaining in (2, 3, 1, 0):  # responses overtake each other
        pace.end(left(remaining, 1.9), NOW + 0.1, answered=True)
    assert pace.room(NOW + 0.1) == 0
    assert pace.opens(NOW + 0.1) == NOW + 2.0
    assert pace.room(NOW + 2.0) == 5
    assert pace.opens(NOW + 2.0) == 0.0


@pytest.mark.parametrize("other", ["a", "other"])
def test_a_new_window_and_a_new_bucket_begin_anew(other: str, pace: Pace) -> None:
    post(pace, left(0))
    post(pace, left(3, 2.0), NOW + 1, ended=NOW + 2.1)
    assert pace.room(NOW + 2.1) == 3
    post(pace, left(7, 1.9, other), NOW + 2.1, ended=NOW + 2.2)
    assert pace.room(NOW + 2.2) == 7


def test_the_end_of_a_window_may_vary_by_half_a_second() -> None:
    for later, room in ((0.5, 0), (0.51, 3)):
        pace = Pace()
        post(pace, left(0))
        post(pace, left(3, 2.0 + later))
        assert pace.room(NOW) == room, "a response of the same window that was overtaken gives nothing back"
        assert pace.opens(NOW) == (NOW + 2.0 + later if not room else 0.0)


def test_what_waits_is_let_go_on_demand(pace: Pace) -> None:
    post(pace, left(0))
    pace.forget()
    assert (pace.room(NOW), pace.opens(NOW), pace.limited) == (math.inf, 0.0, False)


def test_a_limit_is_known_once_it_is_told() -> None:
    assert (Pace(1.0).limited, Pace().limited) == (True, False)
    pace = Pace()
    post(pace, left(5))
    assert pace.limited
    post(pace, None, NOW + 3.0, lost=True)
    assert pace.limited, "a response that was lost says nothing"
    post(pace, None, NOW + 3.0)
    assert not pace.limited, "it takes them without saying anything"


def test_a_wait_is_added_to_the_window_and_never_shortens_it(pace: Pace) -> None:
    for said in (left(4, 9.0), RateLimit(wait=3.0)):
        post(pace, said)
    assert (pace.room(NOW), pace.opens(NOW)) == (0, NOW + 9.0)


def test_one_that_was_rejected_waits_and_then_one_tries(pace: Pace) -> None:
    post(pace, RateLimit(wait=3.0))
    assert (pace.room(NOW + 2.9), pace.opens(NOW + 2.9)) == (0, NOW + 3.0)
    assert pace.room(NOW + 3.0) == 1
    post(pace, None, NOW + 3.0, ended=NOW + 3.1)
    assert pace.room(NOW + 3.1) == math.inf


def test_no_wait_is_longer_than_a_minute_and_none_survives_a_clock_set_back(pace: Pace) -> None:
    post(pace, RateLimit(wait=9e9))
    assert pace.opens(NOW) == NOW + 60.0
    assert pace.opens(NOW - 1e6) == NOW - 1e6 + 60.0


def test_one_whose_response_is_lost_counts(pace: Pace) -> None:
    for _ in range(2):
        pace.begin(NOW)
    pace.end(left(3), NOW, answered=True)
    pace.end(None, NOW + 0.1, answered=False)
    assert pace.room(NOW + 0.1) == 2


def test_a_pause_between_two() -> None:
    pace = Pace(1.0)
    assert pace.room(NOW) == 1
    pace.begin(NOW)
    assert (pace.room(NOW), pace.opens(NOW)) == (0, NOW + 1.0)
    assert pace.room(NOW + 1.0) == 0, "it is still under way"
    pace.end(None, NOW + 1.5, answered=True)
    assert pace.room(NOW + 1.5) == 1
