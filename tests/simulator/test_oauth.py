from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from itsjustintv_desktop.simulator import Simulator
from tests.simulator.conftest import Client, SteppingClock


async def token(sim: Simulator, session: aiohttp.ClientSession, **changes: str) -> tuple[int, Any]:
    form = {
        "client_id": sim.client_id,
        "client_secret": sim.client_secret,
        "grant_type": "client_credentials",
        **changes,
    }
    async with session.post(f"{sim.auth_url}/token", data=form) as response:
        return response.status, await response.json()


async def test_a_token_from_client_credentials_opens_helix(
    sim: Simulator, session: aiohttp.ClientSession, client: Client
) -> None:
    status, data = await token(sim, session)
    assert status == 200
    assert data["token_type"] == "bearer"
    assert data["expires_in"] == 5_011_271
    client.headers["Authorization"] = f"Bearer {data['access_token']}"
    sim.add_channel("ada", user_id="7")
    assert (await client.ask("/users", {"id": "7"}))[0] == 200


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"client_id": "other"}, 400, "invalid client"),
        ({"client_secret": "wrong"}, 403, "invalid client secret"),
        ({"grant_type": "password"}, 400, "invalid grant type"),
        ({"grant_type": ""}, 400, "missing grant type"),
    ],
)
async def test_bad_credentials_get_no_token(
    sim: Simulator, session: aiohttp.ClientSession, changes: dict[str, str], status: int, message: str
) -> None:
    assert await token(sim, session, **changes) == (status, {"status": status, "message": message})


@pytest.mark.parametrize("scheme", ["OAuth", "Bearer"])
async def test_validate_says_whose_token_it_is_and_how_long(
    sim: Simulator, session: aiohttp.ClientSession, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {sim.tokens.issue()}"}
    async with session.get(f"{sim.auth_url}/validate", headers=headers) as response:
        data = await response.json()
    assert response.status == 200
    assert data["client_id"] == sim.client_id
    assert 5_011_260 < data["expires_in"] <= 5_011_271


async def test_a_token_ends_when_its_time_is_over(session: aiohttp.ClientSession, clock: SteppingClock) -> None:
    async with Simulator(clock=clock, token_lifetime=60.0) as sim:
        headers = {"Authorization": f"OAuth {sim.tokens.issue()}"}
        clock.advance(59)
        async with session.get(f"{sim.auth_url}/validate", headers=headers) as response:
            assert (await response.json())["expires_in"] == 1
        clock.advance(1)
        async with session.get(f"{sim.auth_url}/validate", headers=headers) as response:
            assert response.status == 401
            assert await response.json() == {"status": 401, "message": "invalid access token"}


async def test_revoked_tokens_open_nothing_and_new_ones_do(
    sim: Simulator, session: aiohttp.ClientSession, client: Client
) -> None:
    sim.add_channel("ada", user_id="7")
    sim.faults.revoke_tokens()
    status, data, _ = await client.ask("/users", {"id": "7"})
    assert (status, data) == (401, {"error": "Unauthorized", "status": 401, "message": "Invalid OAuth token"})
    client.headers["Authorization"] = f"Bearer {(await token(sim, session))[1]['access_token']}"
    assert (await client.ask("/users", {"id": "7"}))[0] == 200


async def test_a_client_revokes_its_own_token(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    form = {"client_id": sim.client_id, "token": client.headers["Authorization"].removeprefix("Bearer ")}
    for status in (200, 400):
        async with session.post(f"{sim.auth_url}/revoke", data=form) as response:
            assert response.status == status
    assert (await client.ask("/users", {"id": "1"}))[0] == 401
