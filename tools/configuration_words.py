"""What docs/configuration.md says of a table beyond the help of its keys: a sentence, an example, defaults in words."""

from __future__ import annotations

ABOUT: dict[str, str] = {
    "server": "Where this program listens. The defaults suit a conduit and most proxies: see "
    "[choosing a connection](connection.md).",
    "server.tls": "A certificate of its own, without a proxy: [certificates](certificates.md).",
    "twitch": "Your application at Twitch, and how Twitch reaches you: [choosing a connection](connection.md), "
    "[conduit](conduit.md), [catching up](catch-up.md).",
    "streamers.KEY": "One table for each channel to watch. KEY is a name of yours; without `login` and `user_id` it "
    "is taken for the login. Tags of a `tag_filter` are compared without regard to upper and lower case.",
    "destinations.NAME": "One table for each place to announce to. Streamers name them in `destinations`. What is "
    "sent and how to verify it: [the announcement](payload.md); retries and answers: [deliveries](deliveries.md).",
    "global_webhook": "For every streamer that has neither an address nor destinations of its own. Its destination is "
    'called `"global"`. A plain table of the Go service; `[destinations.NAME]` can do more.',
    "retry": "When a destination does not take an announcement: [when it is tried again](deliveries.md#retries).",
    "output": "The last announcements for other programs: [files](files.md#outputjson).",
    "telemetry": "Traces and metrics: [telemetry](telemetry.md). The standard `OTEL_*` variables work, too.",
    "tunnel": "A public address without a server: [ngrok](ngrok.md).",
    "cache": "How long things are remembered.",
    "filters": "What happens when a filter cannot be judged.",
    "secrets": "Where secrets are kept that do not stand in the file: [secrets](secrets.md).",
}

EXAMPLES: dict[str, str] = {
    "server": """
[server]
port = 9000
external_domain = "live.example.com"   # behind a proxy: Twitch posts to https://live.example.com/twitch
""",
    "server.tls": """
[server]
port = 8443                            # the router forwards 443 to it

[server.tls]
enabled = true
domains = ["live.example.com"]
""",
    "twitch": """
[twitch]
client_id = "abcdefghijklmnopqrstuvwxyz1234"
transport = "conduit"
catch_up_max_age = "1h"
""",
    "streamers.KEY": """
[streamers.alice]
login = "alice"
destinations = ["discord", "site"]
tag_filter = ["English", "Speedrun"]
additional_tags = ["team"]

[destinations.discord]
url = "@keyring"

[destinations.site]
url = "https://example.com/hooks/twitch"
""",
    "destinations.NAME": """
[destinations.site]
url = "https://example.com/hooks/twitch"
secret = "@keyring"
signature = "standard-webhooks"
timeout = "5s"
headers = { "X-Team" = "alice" }
""",
    "global_webhook": """
[global_webhook]
enabled = true
url = "https://example.com/hooks/twitch"
""",
    "retry": """
[retry]
initial_delay = "10s"
max_age = "6h"
""",
    "output": """
[output]
file_path = "/var/www/live.json"
max_lines = 100
""",
    "telemetry": """
[telemetry]
enabled = true
endpoint = "http://localhost:4318"
""",
    "tunnel": """
[tunnel]
provider = "ngrok"
domain = "your-name.ngrok-free.dev"
""",
    "cache": """
[cache]
history = "2160h"                      # 90 days
""",
    "filters": """
[filters]
unknown = "suppress"
""",
    "secrets": """
[secrets]
store = "passphrase"                   # and ITSJUSTINTV_PASSPHRASE in the environment
""",
}
"""Each is a config of its own that loads without a warning; a test sees to it."""

DEFAULTS: dict[str, str] = {
    "server.listen_addr": '`"127.0.0.1"`; with `[server.tls]` `"0.0.0.0"`',
    "server.tls.directory_url": "Let's Encrypt",
    "twitch.client_id": "none: needed",
    "twitch.client_secret": "in the keyring: needed",
    "twitch.webhook_secret": "made, and kept in the keyring",
    "streamers.KEY.login": "KEY, if there is no `user_id`",
    "streamers.KEY.user_id": "looked up",
    "streamers.KEY.target_webhook_url": "none",
    "streamers.KEY.target_webhook_secret": "none: not signed",
    "streamers.KEY.description": "the channel's own",
    "destinations.NAME.url": "none: needed",
    "destinations.NAME.format": "what the address tells",
    "destinations.NAME.secret": "none: not signed",
    "global_webhook.target_webhook_secret": "none: not signed",
    "telemetry.service_version": "ours",
    "tunnel.authtoken": "in the keyring",
    "tunnel.region": "the nearest",
}
"""Where the bare default would say little. All others come from the schema."""
