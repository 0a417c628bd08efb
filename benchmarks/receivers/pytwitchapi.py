"""The receiver of pyTwitchAPI (package twitchAPI), with a callback that does nothing. It keeps nothing."""

from __future__ import annotations

import os
import signal

from twitchAPI.eventsub.webhook import EventSubWebhook
from twitchAPI.object.eventsub import StreamOnlineEvent
from twitchAPI.twitch import Twitch

from benchmarks.messages import SECRET, SUBSCRIPTION
from benchmarks.ports import free_port


async def went_live(_event: StreamOnlineEvent) -> None:
    """What a user of the library would fill in."""


def main() -> None:
    port = free_port()
    webhook = EventSubWebhook(
        "https://example.com", port, Twitch("client", authenticate_app=False), host_binding="127.0.0.1"
    )
    webhook.secret = SECRET
    # What listen_stream_online does once Twitch has answered.
    webhook._add_callback(SUBSCRIPTION, went_live, StreamOnlineEvent)
    webhook.start()  # type: ignore[no-untyped-call]
    print(f"ready http://127.0.0.1:{port}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # its thread would keep the process alive
    signal.pause()


if __name__ == "__main__":
    main()
