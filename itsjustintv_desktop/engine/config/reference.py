"""What each key is for, in words for the people who set it, beside the field of a form; and the commented example."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from itsjustintv_desktop.engine.config import schema

_HEADER = "The header that carries the signature."
_HASHING = "The hash of the signature, where it is made the X-Hub way."

HELP: dict[type, dict[str, str]] = {
    schema.Server: {
        "listen_addr": "Where this program listens for Twitch. 127.0.0.1 is this machine alone, as is right behind a "
        "reverse proxy or tunnel; 0.0.0.0 is every network this machine is in.",
        "port": "The port it listens at. 0 takes any free one.",
        "external_domain": "The public name, where a reverse proxy of yours stands in front.",
    },
    schema.Tls: {
        "enabled": "Get a certificate from Let's Encrypt, for a machine that the internet reaches.",
        "domains": "The names to get a certificate for, such as example.com.",
        "cert_dir": "Where certificates are kept. A relative path lies in the data directory.",
        "email": "Where the authority may write to you. May be left out.",
        "directory_url": "Another certificate authority that speaks ACME.",
        "challenge": "How to prove that the name is yours: tls-alpn-01 needs port 443 from outside, http-01 port 80.",
        "http_port": "The port here that answers for http-01. From outside it must be port 80.",
    },
    schema.Twitch: {
        "client_id": "Of the application you registered at dev.twitch.tv/console/apps.",
        "client_secret": "Of the same application. It is kept in your system's keyring.",
        "webhook_secret": "What Twitch signs its messages with, 10 to 100 plain characters. Left out, one is made.",
        "token_file": "Of the Go service; no longer used.",
        "incoming_webhook_url": "The whole public https address that Twitch shall call, such as "
        "https://example.com/twitch.",
        "transport": "How Twitch's messages come: conduit needs no public address and suits a computer at home, "
        "webhook lets Twitch call one.",
        "poll_interval": "How often Twitch is asked who is live, to find what its messages missed. 0s: only after "
        "start and sleep.",
        "catch_up_max_age": "A stream that is found late is announced if it began less than this ago, else only "
        "listed. 0s: none is announced.",
        "restart_window": "A stream that is back within this time after its end counts as the same one. 0s turns it "
        "off.",
    },
    schema.Streamer: {
        "user_id": "The number that Twitch knows the channel by. It stays when the channel is renamed.",
        "login": "The last part of twitch.tv/...",
        "target_webhook_url": "An address for this streamer alone.",
        "target_webhook_secret": "Signs what goes to that address.",
        "target_webhook_header": _HEADER,
        "target_webhook_hashing": _HASHING,
        "tag_filter": "Announce only streams with at least one of these tags. Empty: all streams.",
        "additional_tags": "Tags to add to the announcement.",
        "description": "A description to use instead of the channel's own.",
        "enabled": "Off keeps the settings and announces nothing.",
        "destinations": "Where its streams are announced.",
    },
    schema.Destination: {
        "url": "The webhook address of Discord, Slack or your own program. It is kept encrypted.",
        "format": "What the receiver understands. Left out, the address tells.",
        "secret": "With one, announcements are signed, so that the receiver knows they are yours.",
        "header": _HEADER,
        "hashing": _HASHING,
        "signature": "x-hub signs the body as GitHub does, standard-webhooks as standardwebhooks.com says.",
        "picture": "data sends the profile picture itself to JSON receivers, link only its address, none no picture.",
        "headers": "More headers to send, such as Authorization.",
        "timeout": "How long one attempt may take, from 100ms to 2m.",
        "enabled": "Off sends nothing there; what waits stays.",
    },
    schema.GlobalWebhook: {
        "enabled": "Announce every streamer that has no destination of its own to one address.",
        "url": "That address.",
        "target_webhook_secret": "Signs what goes there.",
        "target_webhook_header": _HEADER,
        "target_webhook_hashing": _HASHING,
    },
    schema.Retry: {
        "initial_delay": "The wait before the second attempt.",
        "max_delay": "The longest wait between two attempts.",
        "backoff_factor": "How much longer each wait is than the one before, from 1 to 100.",
        "jitter": "How much of a wait is left to chance, from 0 to 1.",
        "max_attempts": "Give up after so many attempts. 0: not before max_age.",
        "max_age": "Give up when the announcement is this old.",
        "state_file": "Of the Go service; no longer used.",
    },
    schema.Output: {
        "enabled": "Keep the last announcements in a file for other programs.",
        "file_path": "That file. A relative path lies in the data directory.",
        "max_lines": "How many announcements it holds.",
    },
    schema.Telemetry: {
        "enabled": "Send traces and metrics to an OpenTelemetry collector.",
        "endpoint": "The collector's address, such as http://localhost:4318.",
        "service_name": "What this program calls itself there.",
        "service_version": "Left out: the version of this program.",
        "protocol": "How the collector is spoken to.",
        "headers": "More headers to send to the collector.",
    },
    schema.Tunnel: {
        "provider": "ngrok gives this machine a public address without a server.",
        "domain": "The fixed domain of your ngrok account.",
        "region": "Where the tunnel ends, such as eu. Left out: the nearest.",
        "authtoken": "Of your ngrok account. It is kept in your system's keyring.",
    },
    schema.Cache: {
        "dedup_ttl": "A stream is remembered at least this long, so that it is never announced twice.",
        "image_ttl": "Profile pictures are fetched again after this time.",
        "history": "How long finished deliveries are kept to look at and to send again.",
    },
    schema.Filters: {
        "unknown": "What to do with a stream whose tags cannot be had, where its streamer has a tag filter.",
    },
    schema.Secrets: {
        "store": "Where secrets are kept: in your system's keyring, in a file under a passphrase, or only until the "
        "program ends.",
    },
    schema.Network: {
        "proxy": "The proxy that your network requires, such as http://proxy.example:3128. Left out, HTTPS_PROXY of "
        "the environment counts; direct uses none.",
    },
    schema.Updates: {
        "check": "Ask once a day whether there is a newer version of this program, and say so. Nothing is downloaded "
        "or installed, and nothing is told but this program's name and version.",
    },
}

AT_NEXT_START = frozenset({("secrets", "store")})
"""Keys that take effect at the next start only; all others at once."""


_NAME = "config.example.toml"


def example() -> str:
    """Its text. Works from a wheel or zip (resources inside the package) and from a checkout (beside it)."""
    packaged = files("itsjustintv_desktop") / "resources" / _NAME
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "resources" / _NAME).read_text(encoding="utf-8")
