"""Which way the config asks for. One choice, in this order."""

from __future__ import annotations

from typing import Literal

from itsjustintv_desktop.engine.config.schema import Config

TransportKind = Literal["conduit", "ngrok", "tls", "own", "none"]


def transport_kind(config: Config) -> TransportKind:
    """conduit, or for webhooks: ngrok, our own certificate, somebody else's proxy or tunnel, or nothing at all."""
    if config.twitch.transport == "conduit":
        return "conduit"
    if config.tunnel.provider == "ngrok":
        return "ngrok"
    if config.server.tls.enabled:
        return "tls"
    if config.twitch.incoming_webhook_url or config.server.external_domain:
        return "own"
    return "none"


def callback_of(config: Config, host: str = "") -> str:
    """The callback by the config: [twitch] incoming_webhook_url, else /twitch at `host` or external_domain; "" = none.

    `host` (a name, perhaps with a port other than 443) is where a way found itself.
    """
    if config.twitch.incoming_webhook_url:
        return config.twitch.incoming_webhook_url
    name = host or config.server.external_domain
    return f"https://{name}/twitch" if name else ""
