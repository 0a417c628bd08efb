"""Every table and key of config.toml, with its default. Durations are seconds here (Go strings in the file).

`None` means "not set"; an empty string in the file is the same as not set, as in the Go service.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats.base import Picture

KEYRING = "@keyring"
"""A destination's url or secret with this value lies in the vault under the destination's name."""

Sensitivity = Literal["", "secret", "destination", "address", "public address", "headers"]
"""How much the value of a key gives away, from the mark on its type (`fields.sensitivity` reads it).

`secret`: it is kept in the vault and shown nowhere. `destination`: where announcements are sent; who knows a Discord
address can post there, so it is kept like a secret. `address`: it may hold a key in its path. `public address`: others
may know it, but what stands there by mistake may be anything, so no message repeats it. `headers`: every value may be
a credential. "": it may be shown.
"""

Secret = Annotated[str, msgspec.Meta(extra={"sensitivity": "secret"})]
DestinationAddress = Annotated[str, msgspec.Meta(extra={"sensitivity": "destination"})]
Address = Annotated[str, msgspec.Meta(extra={"sensitivity": "address"})]
PublicAddress = Annotated[str, msgspec.Meta(extra={"sensitivity": "public address"})]
Headers = Annotated[dict[str, str], msgspec.Meta(extra={"sensitivity": "headers"})]
Open = Annotated[str, msgspec.Meta(extra={"sensitivity": ""})]
"""For a key whose name sounds like a secret or an address, and that is neither."""

FormatName = Annotated[str, msgspec.Meta(extra={"choices": formats.names})]
"""What the receiver of a destination understands: one of the formats that are registered."""


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = False
    domains: tuple[str, ...] = ()
    cert_dir: str = "data/acme_certs"
    email: str = ""
    directory_url: PublicAddress = "https://acme-v02.api.letsencrypt.org/directory"
    challenge: Literal["tls-alpn-01", "http-01"] = "tls-alpn-01"
    http_port: int = 80


class Server(msgspec.Struct, frozen=True, kw_only=True):
    listen_addr: str = "127.0.0.1"
    """Default 0.0.0.0 when `[server.tls] enabled`, else 127.0.0.1."""
    port: int = 8080
    external_domain: str = ""
    tls: Tls = Tls()


class Twitch(msgspec.Struct, frozen=True, kw_only=True):
    client_id: str = ""
    client_secret: Secret = ""
    webhook_secret: Secret = ""
    token_file: Open = ""
    incoming_webhook_url: PublicAddress = ""
    transport: Literal["webhook", "conduit"] = "webhook"
    poll_interval: float = 300.0
    catch_up_max_age: float = 1800.0
    restart_window: float = 900.0


class Streamer(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    user_id: str = ""
    login: str = ""
    target_webhook_url: DestinationAddress = ""
    target_webhook_secret: Secret = ""
    target_webhook_header: str = "X-Hub-Signature-256"
    target_webhook_hashing: str = "SHA-256"
    tag_filter: tuple[str, ...] = ()
    additional_tags: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True
    destinations: tuple[str, ...] = ()


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """One place that announcements are sent to. Explicit ones come from `[destinations.<name>]`."""

    name: str
    url: DestinationAddress = ""
    format: FormatName = "json"
    secret: Secret = ""
    header: str = "X-Hub-Signature-256"
    hashing: Literal["SHA-1", "SHA-256", "SHA-512"] = "SHA-256"
    signature: Literal["x-hub", "standard-webhooks"] = "x-hub"
    picture: Picture = "data"
    headers: Headers = {}
    timeout: float = 15.0
    enabled: bool = True
    format_guessed: bool = False
    """The file names no format: it follows from the address, see `destinations.format_of`."""


class GlobalWebhook(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = False
    url: DestinationAddress = ""
    target_webhook_secret: Secret = ""
    target_webhook_header: str = "X-Hub-Signature-256"
    target_webhook_hashing: str = "SHA-256"


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    initial_delay: float = 30.0
    max_delay: float = 1800.0
    backoff_factor: float = 2.0
    jitter: float = 0.2
    max_attempts: int = 0
    """0 = until `max_age`."""
    max_age: float = 86400.0
    state_file: str = ""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = True
    file_path: str = "data/output.json"
    max_lines: int = 25


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = False
    endpoint: Address = ""
    service_name: str = "itsjustintv"
    service_version: str = ""
    protocol: Literal["http", "grpc"] = "http"
    headers: Headers = {}


class Tunnel(msgspec.Struct, frozen=True, kw_only=True):
    provider: Literal["none", "ngrok"] = "none"
    domain: str = ""
    region: str = ""
    authtoken: Secret = ""


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    dedup_ttl: float = 7200.0
    image_ttl: float = 604800.0
    history: float = 2592000.0


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    unknown: Literal["announce", "suppress"] = "announce"


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    store: Literal["keyring", "passphrase", "memory"] = "keyring"


class Updates(msgspec.Struct, frozen=True, kw_only=True):
    check: bool = True


class Network(msgspec.Struct, frozen=True, kw_only=True):
    proxy: Address = ""
    """"direct": none, whatever the environment says."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    server: Server = Server()
    twitch: Twitch = Twitch()
    streamers: dict[str, Streamer] = {}
    destinations: dict[str, Destination] = {}
    global_webhook: GlobalWebhook = GlobalWebhook()
    retry: Retry = Retry()
    output: Output = Output()
    telemetry: Telemetry = Telemetry()
    tunnel: Tunnel = Tunnel()
    cache: Cache = Cache()
    filters: Filters = Filters()
    secrets: Secrets = Secrets()
    updates: Updates = Updates()
    network: Network = Network()
