"""The receiver of TwitchIO (AiohttpAdapter), with a listener that does nothing. It keeps nothing."""

from __future__ import annotations

import asyncio

import twitchio
from twitchio.web import AiohttpAdapter

from benchmarks.messages import SECRET
from benchmarks.ports import free_port


class Client(twitchio.Client):
    async def event_stream_online(self, payload: twitchio.StreamOnline) -> None:
        """What a user of the library would fill in."""


async def main() -> None:
    port = free_port()
    adapter: AiohttpAdapter[Client] = AiohttpAdapter(
        host="127.0.0.1", port=port, eventsub_path="twitch", eventsub_secret=SECRET
    )
    client = Client(client_id="client", client_secret="secret", adapter=adapter)
    adapter.client = client
    await adapter.run()
    while True:
        await asyncio.sleep(0.05)
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            continue
        writer.close()
        break
    print(f"ready http://127.0.0.1:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
