"""The whole program on its own TLS: a real authority's certificate, and a signed message posted over it."""

from __future__ import annotations

import random
import ssl
import time
from pathlib import Path

import aiohttp

from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.acme.pebble import pebble
from tests.support.engine import running_engine
from tests.support.signed import online
from tests.support.waiting import until

CONFIG = """
[server.tls]
enabled = true
domains = ["NAME"]
directory_url = "DIRECTORY"
[destinations.main]
url = "RECEIVER/main"
[streamers.alice]
user_id = "USER"
login = "alice"
destinations = ["main"]
"""


async def test_a_message_over_our_own_certificate_is_announced(tmp_path: Path) -> None:
    name = f"n{random.randrange(10**9)}.example.com"
    folder = tmp_path / "pebble"
    folder.mkdir()
    with pebble(folder) as authority:
        config = CONFIG.replace("NAME", name).replace("DIRECTORY", authority.directory).replace("USER", "100000001")
        environ = {
            **authority.environ,
            "ITSJUSTINTV_SERVER_PORT": str(authority.tls_port),
            "ITSJUSTINTV_SERVER_LISTEN_ADDR": "127.0.0.1",
        }
        async with running_engine(tmp_path, config, environ=environ, subscribe=False, secret=None) as running:
            way = running.engine.reach.way
            await until(lambda: way.status.state is TransportState.READY, timeout=30, what="the certificate is there")
            assert way.target == Webhook(f"https://{name}/twitch")
            secret = running.engine.signing.primary
            assert secret is not None
            message = online(time.time(), user_id="100000001", login="alice").but(secret=secret)
            trust = ssl.create_default_context(cafile=str(tmp_path / "data" / "acme_certs" / "cert.pem"))
            trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            async with (
                aiohttp.ClientSession() as session,
                session.post(
                    f"https://127.0.0.1:{authority.tls_port}/twitch",
                    data=message.body,
                    headers=[(key, str(value)) for key, value in message.headers()],
                    ssl=trust,
                    server_hostname=name,
                ) as answer,
            ):
                assert answer.status == 204
            (got,) = await running.simulator.receiver.wait_for(1, "main")
            assert got.json["streamer_login"] == "alice"
