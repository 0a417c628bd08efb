from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.answers import RefusedError, page
from tests.simulator.conftest import Client, SteppingClock


async def test_users_by_id_and_login_once_each(sim: Simulator, client: Client) -> None:
    ada = sim.add_channel("Ada", display_name="エイダ", description="first")
    sim.add_channel("bob", user_id="8")
    _, data, _ = await client.ask("/users", [("id", ada.user_id), ("login", "ADA"), ("login", "bob"), ("id", "99")])
    assert [(user["id"], user["login"]) for user in data["data"]] == [(ada.user_id, "ada"), ("8", "bob")]
    assert data["data"][0]["display_name"] == "エイダ"
    assert data["data"][0]["view_count"] == 0


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/users", []),
        ("/users", [("id", str(n)) for n in range(60)] + [("login", f"u{n}") for n in range(41)]),
        ("/users", [("id", "ada")]),
        ("/users", [("login", "not a login")]),
        ("/channels", []),
        ("/channels", [("broadcaster_id", str(n)) for n in range(101)]),
        ("/streams", [("user_id", str(n)) for n in range(101)]),
        ("/streams", [("user_login", f"u{n}") for n in range(101)]),
        ("/streams", [("first", "101")]),
        ("/streams", [("first", "0")]),
        ("/streams", [("first", "many")]),
        ("/streams", [("type", "vod")]),
        ("/streams", [("after", "what")]),
        ("/channels/followers", []),
        ("/channels/followers", [("broadcaster_id", "12345")]),
        ("/games", []),
        ("/games", [("id", str(n)) for n in range(101)]),
    ],
)
async def test_what_helix_refuses(client: Client, path: str, params: Any) -> None:
    status, data, _ = await client.ask(path, params)
    assert status == 400
    assert (data["error"], data["status"]) == ("Bad Request", 400)
    assert data["message"]


async def test_a_hundred_of_everything_is_not_too_many(sim: Simulator, client: Client) -> None:
    channels = [sim.add_channel(f"c{n}") for n in range(100)]
    for channel in channels:
        await sim.go_live(channel.login, notify=False)
    ids = [channel.user_id for channel in channels]
    for path, name in (("/users", "id"), ("/channels", "broadcaster_id"), ("/streams", "user_id")):
        first = [("first", "100")] if path == "/streams" else []
        _, data, _ = await client.ask(path, [(name, one) for one in ids] + first)
        assert len(data["data"]) == 100, path


async def test_streams_shows_twenty_unless_asked_and_pages_through_all(sim: Simulator, client: Client) -> None:
    for n in range(45):
        sim.add_channel(f"c{n}")
        await sim.go_live(f"c{n}", notify=False, viewers=n)
    sim.add_channel("offline")
    seen: list[str] = []
    after: dict[str, str] = {}
    sizes = []
    while True:
        _, data, _ = await client.ask("/streams", after)
        seen += [stream["user_login"] for stream in data["data"]]
        sizes.append(len(data["data"]))
        if "cursor" not in data["pagination"]:
            break
        after = {"after": data["pagination"]["cursor"]}
    assert sizes == [20, 20, 5]
    assert seen == [f"c{n}" for n in reversed(range(45))]


async def test_streams_by_login_category_and_language(sim: Simulator, client: Client) -> None:
    sim.add_channel("ada", language="de", category="Chess", tags=["Deutsch"], title="Schach")
    sim.add_channel("bob")
    for login in ("ada", "bob"):
        await sim.go_live(login, notify=False, viewers=9)
    game = sim.state.category("Chess").id
    for params in (
        {"user_login": "ADA"},
        {"game_id": game},
        {"language": "de"},
        {"user_id": sim.state.get("ada").user_id},
    ):
        _, data, _ = await client.ask("/streams", params)
        assert [stream["user_login"] for stream in data["data"]] == ["ada"], params
    stream = (await client.ask("/streams", {"user_login": "ada"}))[1]["data"][0]
    assert (stream["title"], stream["game_name"], stream["tags"]) == ("Schach", "Chess", ["Deutsch"])
    assert stream["viewer_count"] == 9
    assert "{width}x{height}" in stream["thumbnail_url"]


async def test_streams_lags_behind_going_live(session: aiohttp.ClientSession, clock: SteppingClock) -> None:
    async with Simulator(clock=clock) as sim:
        client = Client(sim, session)
        sim.add_channel("ada")
        sim.faults.streams_lag = 30.0
        await sim.go_live("ada")
        clock.advance(29.9)
        assert (await client.ask("/streams"))[1]["data"] == []
        clock.advance(0.2)
        assert len((await client.ask("/streams"))[1]["data"]) == 1
        await sim.go_offline("ada")
        assert (await client.ask("/streams"))[1]["data"] == []


async def test_channels_work_offline_and_followers_are_a_number(sim: Simulator, client: Client) -> None:
    ada = sim.add_channel("ada", followers=123_456, tags=["English"], title="Tea", category="Chess")
    _, data, _ = await client.ask("/channels", {"broadcaster_id": ada.user_id})
    assert data["data"][0]["title"] == "Tea"
    assert data["data"][0]["tags"] == ["English"]
    _, data, _ = await client.ask("/channels/followers", {"broadcaster_id": ada.user_id})
    assert data == {"total": 123_456, "data": [], "pagination": {}}


async def test_games_by_id_and_name(sim: Simulator, client: Client) -> None:
    chess, tea = sim.state.category("Chess"), sim.state.category("Tea")
    _, data, _ = await client.ask("/games", [("id", chess.id), ("name", "TEA"), ("id", "1")])
    assert [game["id"] for game in data["data"]] == [chess.id, tea.id]


async def test_a_renamed_channel_keeps_its_id(sim: Simulator, client: Client) -> None:
    ada = sim.add_channel("ada")
    sim.state.rename("ada", "lovelace")
    assert (await client.ask("/users", {"login": "ada"}))[1]["data"] == []
    for params in ({"id": ada.user_id}, {"login": "lovelace"}):
        assert (await client.ask("/users", params))[1]["data"][0]["login"] == "lovelace"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Authorization": ""}, "OAuth token is missing"),
        ({"Authorization": "Bearer nonsense"}, "Invalid OAuth token"),
        ({"Client-Id": ""}, "Client ID is missing"),
        ({"Client-Id": "other"}, "Client ID and OAuth token do not match"),
    ],
)
async def test_helix_wants_token_and_client_id(client: Client, changes: dict[str, str], message: str) -> None:
    client.headers.update(changes)
    status, data, headers = await client.ask("/users", {"id": "1"})
    assert (status, data) == (401, {"error": "Unauthorized", "status": 401, "message": message})
    assert "Ratelimit-Remaining" not in headers


async def test_the_rate_limit_counts_down_refuses_and_refills(
    session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    async with Simulator(clock=clock, rate_limit=3) as sim:
        client = Client(sim, session)
        remaining = []
        for _ in range(3):
            status, _, headers = await client.ask("/users", {"id": "1"})
            assert (status, headers["Ratelimit-Limit"]) == (200, "3")
            remaining.append(headers["Ratelimit-Remaining"])
        assert remaining == ["2", "1", "0"]
        status, data, headers = await client.ask("/users", {"id": "1"})
        assert (status, data["error"]) == (429, "Too Many Requests")
        wait = int(headers["Ratelimit-Reset"]) - clock.now()
        assert 59 < wait <= 61
        clock.advance(wait)
        _, _, headers = await client.ask("/users", {"id": "1"})
        assert headers["Ratelimit-Remaining"] == "2"


async def test_calls_are_counted_by_endpoint(sim: Simulator, client: Client) -> None:
    await client.ask("/users", {"id": "1"})
    await client.ask("/streams")
    await client.ask("/streams")
    assert dict(sim.calls) == {"users": 1, "streams": 2}
    assert sim.calls.total() == 3
    sim.calls.clear()
    assert sim.calls.total() == 0


async def test_the_date_header_is_twitchs_clock(session: aiohttp.ClientSession, clock: SteppingClock) -> None:
    async with Simulator(clock=clock) as sim:
        client = Client(sim, session)
        for skew in (0.0, 3600.0):
            sim.faults.clock_skew = skew
            _, _, headers = await client.ask("/users", {"id": "1"})
            assert parsedate_to_datetime(headers["Date"]).timestamp() == int(clock.now() + skew)


async def test_what_helix_does_not_have(client: Client) -> None:
    for method, path in (("GET", "/nothing"), ("POST", "/users")):
        status, data, _ = await client.ask(path, method=method)
        assert (status, data["error"]) == (404, "Not Found")


async def test_a_login_or_id_cannot_be_taken_twice(sim: Simulator) -> None:
    sim.add_channel("ada", user_id="5")
    with pytest.raises(ValueError, match="exists already"):
        sim.add_channel("ADA")
    with pytest.raises(ValueError, match="exists already"):
        sim.add_channel("bob", user_id="5")
    sim.add_channel("bob", user_id="100000001")
    assert sim.add_channel("eve").user_id != "100000001"


@given(st.lists(st.integers()), st.integers(1, 20))
def test_paging_forward_and_back_gives_every_item_once(items: list[int], size: int) -> None:
    seen: list[int] = []
    pages: list[list[int]] = []
    after: str | None = None
    while True:
        some, pagination = page(items, size, after)
        pages.append(some)
        seen += some
        after = pagination.get("cursor")
        if after is None:
            break
    assert seen == items
    if len(pages) > 1:
        _, pagination = page(items, size, None)
        assert page(items, size, None, before=pagination["cursor"])[0] == pages[0]


@given(st.text())
def test_a_foreign_cursor_is_refused(given_cursor: str) -> None:
    if given_cursor:
        with pytest.raises(RefusedError):
            page([1, 2, 3], 1, given_cursor)
