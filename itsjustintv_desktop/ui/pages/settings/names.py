"""The keys of the config, and the words some of them choose between, as people would call them.

A key that is not here yet is called by what the file calls it.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def _noop(text: str) -> str:
    return text


_NAMES = {
    "server.listen_addr": _noop("Address to listen at"),
    "server.port": _noop("Port"),
    "server.external_domain": _noop("Public name"),
    "server.tls.enabled": _noop("Get certificates automatically"),
    "server.tls.domains": _noop("Names in the certificate"),
    "server.tls.cert_dir": _noop("Folder for certificates"),
    "server.tls.email": _noop("E-mail for the authority"),
    "server.tls.directory_url": _noop("Address of the authority"),
    "server.tls.challenge": _noop("How the name is proven"),
    "server.tls.http_port": _noop("Port for http-01"),
    "twitch.client_id": _noop("Client id"),
    "twitch.client_secret": _noop("Client secret"),
    "twitch.webhook_secret": _noop("Signing secret"),
    "twitch.incoming_webhook_url": _noop("Address that Twitch calls"),
    "twitch.transport": _noop("How messages come"),
    "twitch.poll_interval": _noop("Ask Twitch every"),
    "twitch.catch_up_max_age": _noop("Announce late up to"),
    "twitch.restart_window": _noop("Restart counts as the same stream for"),
    "global_webhook.enabled": _noop("One address for everybody"),
    "global_webhook.url": _noop("Address"),
    "global_webhook.target_webhook_secret": _noop("Signing secret"),
    "global_webhook.target_webhook_header": _noop("Header of the signature"),
    "global_webhook.target_webhook_hashing": _noop("Hash of the signature"),
    "retry.initial_delay": _noop("First wait"),
    "retry.max_delay": _noop("Longest wait"),
    "retry.backoff_factor": _noop("Each wait is longer by a factor of"),
    "retry.jitter": _noop("Share of chance"),
    "retry.max_attempts": _noop("Most attempts"),
    "retry.max_age": _noop("Give up after"),
    "output.enabled": _noop("Keep the file"),
    "output.file_path": _noop("Where the file is"),
    "output.max_lines": _noop("Most announcements in it"),
    "telemetry.enabled": _noop("Send telemetry"),
    "telemetry.endpoint": _noop("Address of the collector"),
    "telemetry.service_name": _noop("Name of this program"),
    "telemetry.service_version": _noop("Version of this program"),
    "telemetry.protocol": _noop("Protocol"),
    "telemetry.headers": _noop("More headers"),
    "tunnel.provider": _noop("Provider"),
    "tunnel.domain": _noop("Domain"),
    "tunnel.region": _noop("Region"),
    "tunnel.authtoken": _noop("Authtoken"),
    "network.proxy": _noop("Proxy"),
    "updates.check": _noop("Look for new versions"),
    "cache.dedup_ttl": _noop("Remember a stream for"),
    "cache.image_ttl": _noop("Fetch pictures again after"),
    "cache.history": _noop("Keep finished deliveries for"),
    "filters.unknown": _noop("When tags cannot be had"),
    "secrets.store": _noop("Where secrets are kept"),
}
_CHOICES = {
    "twitch.transport": {
        "conduit": _noop("conduit: no public address"),
        "webhook": _noop("webhook: Twitch calls an address"),
    },
    "telemetry.protocol": {"http": "HTTP", "grpc": "gRPC"},
    "tunnel.provider": {"none": _noop("no tunnel"), "ngrok": "ngrok"},
    "filters.unknown": {"announce": _noop("announce the stream"), "suppress": _noop("do not announce the stream")},
    "secrets.store": {
        "keyring": _noop("in the system's keyring"),
        "passphrase": _noop("in a file under a passphrase"),
        "memory": _noop("only until the program ends"),
    },
}
"""What is missing are names of standards, the same in every language."""
_TITLES = {
    "server": _noop("Listening"),
    "server.tls": _noop("Certificate"),
    "twitch": _noop("Twitch"),
    "global_webhook": _noop("For everybody"),
    "retry": _noop("Trying again"),
    "output": _noop("output.json"),
    "telemetry": _noop("Telemetry"),
    "tunnel": _noop("Tunnel"),
    "network": _noop("Network"),
    "updates": _noop("Updates"),
    "cache": _noop("Remembering"),
    "filters": _noop("Filters"),
    "secrets": _noop("Keeping secrets"),
}


def title_of(path: tuple[str, ...]) -> str:
    """For a table."""
    known = _TITLES.get(".".join(path))
    return _tr(known) if known else _made_up(".".join(path))


def name_of(path: tuple[str, ...]) -> str:
    """For a key; one that is new here is made up: "poll_interval" is "Poll interval"."""
    known = _NAMES.get(".".join(path))
    return _tr(known) if known else _made_up(path[-1])


def choice_of(path: tuple[str, ...], value: str) -> str:
    """For one of the words that a key chooses between."""
    known = _CHOICES.get(".".join(path), {}).get(value)
    return _tr(known) if known else value


def _tr(text: str) -> str:
    return QCoreApplication.translate("settings", text)


def _made_up(key: str) -> str:
    words = key.replace("_", " ").replace(".", ": ")
    for whole, short in (("url", "URL"), ("id", "id"), ("tls", "TLS"), ("otlp", "OTLP")):
        words = " ".join(short if word == whole else word for word in words.split(" "))
    return words[:1].upper() + words[1:]
