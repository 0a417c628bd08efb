"""Configs of the Go service load as they are, with the meaning they had there."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.destinations import destinations_of, effective_destinations
from itsjustintv_desktop.engine.config.load import Loaded, parse

WHOLE = """
# A config of the Go service with every table and key it knows.
[server]
listen_addr = "0.0.0.0"
port = 9090
external_domain = "hooks.example.net"

[server.tls]
enabled = false
domains = ["hooks.example.net"]
cert_dir = "data/acme_certs"

[twitch]
client_id = "abcdefghij0123456789abcdefghij"
client_secret = "0123456789abcdefghij0123456789"
webhook_secret = "a webhook secret with spaces"
token_file = "data/tokens.json"
incoming_webhook_url = "https://hooks.example.net/twitch"

[retry]
max_attempts = 3
initial_delay = "1s"
max_delay = "5m"
backoff_factor = 2.0
state_file = "data/retry_state.json"

[output]
enabled = true
file_path = "data/output.json"
max_lines = 1000

[telemetry]
enabled = true
endpoint = "http://localhost:4318"
service_name = "itsjustintv"
service_version = "1.6.0"

[global_webhook]
enabled = true
url = "https://example.net/everyone"
target_webhook_secret = "shared"
target_webhook_header = "X-Signature"
target_webhook_hashing = "SHA-512"

[streamers.first]
user_id = "123456789"
login = "first_streamer"
target_webhook_url = "https://example.net/first"
target_webhook_secret = "hush"
target_webhook_header = "X-Hub-Signature"
target_webhook_hashing = "sha1"
tag_filter = ["English", "Gaming"]
additional_tags = ["vip"]

[streamers.second]
user_id = "987654321"
login = "Second_Streamer"

[streamers.twitch."third one"]
login = "third"
webhook_url = "https://example.net/third"
"""


def load(text: str) -> Loaded:
    return parse(text, file="config.toml", environ={})


def test_every_key_of_the_go_service_arrives() -> None:
    config = load(WHOLE).config
    assert (config.server.listen_addr, config.server.port) == ("0.0.0.0", 9090)
    assert config.server.external_domain == "hooks.example.net"
    assert config.server.tls.domains == ("hooks.example.net",)
    assert config.twitch.client_id == "abcdefghij0123456789abcdefghij"
    assert config.twitch.client_secret == "0123456789abcdefghij0123456789"
    assert config.twitch.webhook_secret == "a webhook secret with spaces"
    assert config.twitch.incoming_webhook_url == "https://hooks.example.net/twitch"
    assert (config.retry.max_attempts, config.retry.initial_delay, config.retry.max_delay) == (3, 1.0, 300.0)
    assert config.output.max_lines == 1000
    assert config.telemetry.endpoint == "http://localhost:4318"
    assert config.telemetry.service_version == "1.6.0"
    first = config.streamers["first"]
    assert (first.user_id, first.login) == ("123456789", "first_streamer")
    assert (first.tag_filter, first.additional_tags) == (("English", "Gaming"), ("vip",))
    assert config.streamers["second"].login == "second_streamer"
    assert list(config.streamers) == ["first", "second", "third one"]


def test_it_is_loaded_without_a_warning_and_says_what_is_no_longer_used() -> None:
    loaded = load(WHOLE)
    assert loaded.warnings == ()
    assert [notice.split(": ")[0:2] for notice in loaded.notices] == [
        ["config.toml:17", "twitch.token_file"],
        ["config.toml:25", "retry.state_file"],
    ]


def test_its_webhooks_become_destinations() -> None:
    config = load(WHOLE).config
    found = effective_destinations(config)
    assert list(found) == ["first", "third one", "global"]
    assert (found["first"].hashing, found["first"].header, found["first"].secret) == (
        "SHA-1",
        "X-Hub-Signature",
        "hush",
    )
    assert (found["global"].hashing, found["global"].url) == ("SHA-512", "https://example.net/everyone")
    assert found["third one"].url == "https://example.net/third"
    names = {key: destinations_of(config, streamer) for key, streamer in config.streamers.items()}
    assert names == {"first": ("first",), "second": ("global",), "third one": ("third one",)}


def test_secrets_in_the_clear_are_listed() -> None:
    assert load(WHOLE).secrets_in_clear == (
        "twitch.client_secret",
        "twitch.webhook_secret",
        "global_webhook.target_webhook_secret",
        "streamers.first.target_webhook_secret",
    )


def test_with_tls_it_listens_everywhere_as_before() -> None:
    text = '[server.tls]\nenabled = true\ndomains = ["example.com"]\n'
    assert load(text).config.server.listen_addr == "0.0.0.0"
    assert load('[server]\nlisten_addr = "127.0.0.1"\n' + text).config.server.listen_addr == "127.0.0.1"
    assert load("").config.server.listen_addr == "127.0.0.1"


def test_keys_in_other_letter_case_work_as_they_did() -> None:
    loaded = load("[Server]\nPort = 99\n")
    assert loaded.config.server.port == 99
    assert loaded.warnings == ("config.toml:2: Server.Port: understood as port; write it that way",)


def test_an_empty_text_counts_as_not_set() -> None:
    config = load('[server]\nlisten_addr = ""\n[retry]\nmax_age = ""\n[twitch]\ntransport = ""\n').config
    assert (config.server.listen_addr, config.retry.max_age, config.twitch.transport) == ("127.0.0.1", 86400, "webhook")


def test_a_streamer_named_like_the_platform() -> None:
    text = '[streamers.twitch]\nuser_id = "12826"\n[streamers.twitch.other]\nlogin = "other"\n'
    streamers = load(text).config.streamers
    assert streamers["twitch"].user_id == "12826"
    assert streamers["other"].login == "other"
