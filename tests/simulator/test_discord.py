from __future__ import annotations

import aiohttp
import pytest

from itsjustintv_desktop.simulator import Simulator

MESSAGE = {"content": "Alice is live"}


async def post(http: aiohttp.ClientSession, sim: Simulator, path: str, body: object = MESSAGE) -> tuple[int, object]:
    async with http.post(f"{sim.url}{path}", json=body) as response:
        return response.status, await response.json() if response.content_type == "application/json" else None


async def test_a_webhook_takes_what_its_bucket_holds_and_says_what_is_left() -> None:
    async with Simulator() as sim, aiohttp.ClientSession() as http:
        left = []
        for _ in range(5):
            async with http.post(f"{sim.url}/api/v10/webhooks/1/token", json=MESSAGE) as response:
                assert response.status == 204
                left.append(int(response.headers["X-RateLimit-Remaining"]))
        assert left == [4, 3, 2, 1, 0]
        async with http.post(f"{sim.url}/api/v10/webhooks/1/token", json=MESSAGE) as response:
            said = await response.json()
            assert (response.status, response.headers["X-RateLimit-Scope"]) == (429, "user")
        assert 0 < said["retry_after"] <= 2
        assert int(response.headers["Retry-After"]) in {1, 2}
        assert 0 < float(response.headers["X-RateLimit-Reset-After"]) <= 2
        assert (await post(http, sim, "/api/v10/webhooks/2/token"))[0] == 204, "another webhook has its own"
        assert (len(sim.discord.taken), sim.discord.rejected) == (6, ["1"])


@pytest.mark.parametrize("path", ["/api/webhooks/1/token", "/api/v7/webhooks/1/token"])
async def test_without_a_recent_version_waits_are_milliseconds(path: str) -> None:
    async with Simulator() as sim, aiohttp.ClientSession() as http:
        sim.discord.limit, sim.discord.window = 1, 600.0
        assert (await post(http, sim, path))[0] == 204
        status, said = await post(http, sim, path)
        assert status == 429
        assert isinstance(said, dict)
        assert isinstance(said["retry_after"], int)
        assert 590_000 < said["retry_after"] <= 600_000


async def test_all_webhooks_together_have_a_limit() -> None:
    async with Simulator() as sim, aiohttp.ClientSession() as http:
        sim.discord.everywhere = 1
        assert (await post(http, sim, "/api/v10/webhooks/1/token"))[0] == 204
        status, said = await post(http, sim, "/api/v10/webhooks/2/token")
        assert status == 429
        assert isinstance(said, dict)
        assert said["global"] is True


async def test_its_errors() -> None:
    async with Simulator() as sim, aiohttp.ClientSession() as http:
        path = "/api/v10/webhooks/1/token"
        assert (await post(http, sim, f"{path}?wait=true"))[0] == 200
        sim.discord.limit = 100
        for body, status, code in (({}, 400, 50006), ([], 400, 50109)):
            got, said = await post(http, sim, path, body)
            assert isinstance(said, dict)
            assert (got, said["code"]) == (status, code)
        got, said = await post(http, sim, "/api/v10/webhooks/1/another")
        assert (got, said) == (401, {"message": "Invalid Webhook Token", "code": 50027})
        sim.discord.deleted.add("1")
        assert await post(http, sim, path) == (404, {"message": "Unknown Webhook", "code": 10015})
