"""The simulated Twitch and receiver in a process of their own: `python -m benchmarks.world CHANNELS`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from benchmarks import messages
from itsjustintv_desktop.simulator import Simulator

RECEIVER = "fast"


async def main(channels: int) -> None:
    async with Simulator() as simulator:
        simulator.receiver.keep_bodies = False
        for number in range(channels):
            simulator.add_channel(messages.login(number), user_id=messages.user_id(number), tags=("English",))
        print(f"ready {simulator.url}", flush=True)
        await asyncio.Event().wait()


def environment(url: str) -> Mapping[str, str]:
    """What points the program at the world at `url`: its Helix needs the simulator's own client id."""
    return {
        "ITSJUSTINTV_TWITCH_API_URL": f"{url}/helix",
        "ITSJUSTINTV_TWITCH_AUTH_URL": f"{url}/oauth2",
        "ITSJUSTINTV_TWITCH_CLIENT_ID": "simulated-client-id",
        "ITSJUSTINTV_TWITCH_CLIENT_SECRET": "simulated-client-secret",
    }


class World:
    """Steers a running one over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def go_live(self, number: int, stream_id: str) -> None:
        """Without a notification: those are the benchmark's own."""
        await self._post(f"channels/{messages.login(number)}/live", {"stream_id": stream_id, "notify": False})

    async def faults(self, **faults: Any) -> None:
        await self._post("faults", faults)

    async def calls(self) -> dict[str, int]:
        """Helix calls so far, by endpoint."""
        calls: dict[str, int] = (await self._get("state"))["calls"]
        return calls

    async def accepted(self) -> int:
        """Webhooks the receiver took."""
        return int((await self._get(f"receivers/{RECEIVER}"))["accepted"])

    async def _get(self, path: str) -> dict[str, Any]:
        async with self._session.get(f"{self.url}/simulator/{path}") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        async with self._session.post(f"{self.url}/simulator/{path}", json=body) as answer:
            answer.raise_for_status()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
