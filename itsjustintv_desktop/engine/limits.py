"""What the config can ask for and this version does not do: said at the start, never ignored in silence."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.schema import Config


def not_yet(config: Config) -> list[str]:
    """One sentence for each such wish of the config."""
    found: list[str] = []
    if config.twitch.transport == "conduit":
        found.append(
            'This version cannot receive over a conduit ([twitch] transport = "conduit"); it only listens for '
            "webhooks. Nothing will be announced until a callback of yours reaches it."
        )
    else:
        unused = " [twitch] incoming_webhook_url is not used yet." if config.twitch.incoming_webhook_url else ""
        found.append(
            "This version does not make subscriptions at Twitch by itself; docs/first-stream.md says how to make "
            f"them.{unused}"
        )
    if config.server.tls.enabled:
        found.append("This version gets no certificates ([server.tls]): it speaks plain HTTP. Use a reverse proxy.")
    if config.tunnel.provider != "none":
        found.append("This version starts no tunnel ([tunnel]). Start it yourself, to the port printed as ready.")
    if config.telemetry.enabled:
        found.append("This version sends no telemetry ([telemetry]).")
    return found
