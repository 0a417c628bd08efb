"""What the owner does after an import."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.schema import Config


def next_steps(config: Config) -> list[str]:
    """Sentences, in order."""
    steps = [
        "Stop the Go service if it still runs, and repeat this command after that: it writes its queue and what it has "
        "announced only when it is stopped cleanly. While both run, both announce.",
        "`itsjustintv-desktop config check`, then `itsjustintv-desktop serve`, then `itsjustintv-desktop doctor` in a "
        "second terminal.",
    ]
    twitch = config.twitch
    if twitch.transport == "conduit" or config.tunnel.provider != "none":
        steps.append(
            "The subscriptions of the Go service at Twitch (same client id) are deleted by themselves once this "
            "program has its own: see `subscriptions list`."
        )
    elif twitch.incoming_webhook_url:
        steps.append(
            "The subscriptions of the Go service at Twitch (same client id) are replaced by this program's own. The "
            "address in [twitch] incoming_webhook_url must lead to its port now."
        )
    else:
        steps.append(
            "[twitch] incoming_webhook_url is not set, so Twitch is not told where to send events; see "
            "docs/connection.md for the ways there are."
        )
    steps.append(
        "To go back later: stop this program, and delete the Go service's retry_state.json before you start it, or it "
        "sends again what was taken over."
    )
    return steps
