"""Every rule: the line, the key, what is wrong, what would be right, and no secret in it."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.load import Loaded, parse
from itsjustintv_desktop.engine.core.errors import ConfigError

SECRET = "hunter2-hunter2"


def problems_of(text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, file="config.toml", environ=environ or {})
    return caught.value.problems


def load(text: str) -> Loaded:
    return parse(text, file="config.toml", environ={})


WRONG = [
    # types
    ('[server]\nport = "8080"', 2, "server.port", "write it without quotes: port = 8080"),
    ("[server]\nport = 8080.5", 2, "server.port", "a whole number, such as port = 8080"),
    ("[server]\nport = true", 2, "server.port", "it is true/false; write a whole number"),
    ('[output]\nenabled = "true"', 2, "output.enabled", "write it without quotes: enabled = true"),
    ("[output]\nenabled = 1", 2, "output.enabled", "write enabled = true or enabled = false"),
    ('[retry]\njitter = "0.2"', 2, "retry.jitter", "write it without quotes: jitter = 0.2"),
    (f"[server]\nport = {'1' * 400}", 2, "server.port", "far too large"),
    (f"[retry]\njitter = {'1' * 400}", 2, "retry.jitter", "far too large"),
    ("[retry]\njitter = []", 2, "retry.jitter", "it is a list; write a number, such as jitter = 0.2"),
    ("[streamers.a]\nuser_id = 123", 2, "streamers.a.user_id", 'write it in quotes: user_id = "123"'),
    ("[twitch]\nclient_secret = 12345678", 2, "twitch.client_secret", "it is a number; write it in quotes"),
    ('[streamers.a]\ntag_filter = "English"', 2, "streamers.a.tag_filter", 'write a list: tag_filter = ["English"]'),
    (
        "[streamers.a]\ntag_filter = [\n  1]",
        2,
        "streamers.a.tag_filter",
        "entry 1 is a number; write every entry in quotes",
    ),
    ('[streamers.a]\ntag_filter = ["x", " "]', 2, "streamers.a.tag_filter", "entry 2 is empty"),
    ("[telemetry]\nheaders = []", 2, "telemetry.headers", 'write a table: headers = { "Name" = "value" }'),
    ("[telemetry]\nheaders = { a = 1 }", 2, "telemetry.headers", 'the value of "a" is a number'),
    ("[output]\nfile_path = 1979-05-27", 2, "output.file_path", "it is a date; write it in quotes"),
    ("server = 1", 1, "server", "it must be a table of its own, headed [server]"),
    ("[server]\ntls = true", 2, "server.tls", "it must be a table of its own"),
    ('streamers = "shroud"', 1, "streamers", "headed [streamers]"),
    ('[streamers]\nshroud = "x"', 2, "streamers.shroud", "write [streamers.shroud]"),
    ('[destinations]\n"a b" = "x"', 2, 'destinations."a b"', 'write [destinations."a b"]'),
    ("[[streamers]]\nlogin = 'x'", 1, "streamers", "it is a list; it must be a table"),
    # durations
    ("[retry]\nmax_age = 24", 2, "retry.max_age", 'write it in quotes with one: max_age = "24s"'),
    ('[retry]\nmax_age = "24"', 2, "retry.max_age", '"24" is no duration: it needs a unit, such as "24s"'),
    ('[retry]\nmax_age = "1 day"', 2, "retry.max_age", 'such as "30s", "5m" or "1h30m"'),
    ("[retry]\nmax_age = true", 2, "retry.max_age", 'write a duration in quotes: max_age = "24h"'),
    ('[retry]\ninitial_delay = "0s"', 2, "retry.initial_delay", 'it must be from "10ms" to "24h"'),
    ('[retry]\ninitial_delay = "-1s"', 2, "retry.initial_delay", 'it is "-1s"; it must be from'),
    ('[twitch]\npoll_interval = "1ms"', 2, "twitch.poll_interval", 'or "0s" to turn it off'),
    ('[cache]\nhistory = "1s"', 2, "cache.history", 'it must be from "1h"'),
    ('[destinations.a]\nurl = "http://a/"\ntimeout = "1h"', 3, "destinations.a.timeout", 'from "100ms" to "2m"'),
    # ranges
    ("[server]\nport = 65536", 2, "server.port", "it is 65536; it must be from 0 to 65535"),
    ("[server]\nport = -1", 2, "server.port", "it must be from 0 to 65535"),
    ("[server.tls]\nhttp_port = 70000", 2, "server.tls.http_port", "it must be from 0 to 65535"),
    ("[retry]\nbackoff_factor = 0.5", 2, "retry.backoff_factor", "it must be from 1 to 100"),
    ("[retry]\nbackoff_factor = nan", 2, "retry.backoff_factor", "it must be from 1 to 100"),
    ("[retry]\nbackoff_factor = inf", 2, "retry.backoff_factor", "it must be from 1 to 100"),
    ("[retry]\njitter = 1.5", 2, "retry.jitter", "it must be from 0 to 1"),
    ("[retry]\nmax_attempts = -1", 2, "retry.max_attempts", "it must be from 0 to"),
    ("[output]\nmax_lines = 0", 2, "output.max_lines", "it must be from 1 to"),
    ('[retry]\ninitial_delay = "1m"\nmax_delay = "30s"', 3, "retry.max_delay", "is shorter than initial_delay"),
    (
        '[retry]\ninitial_delay = "2h"',
        2,
        "retry.initial_delay",
        'max_delay ("30m") is shorter than initial_delay ("2h")',
    ),
    # choices
    (
        '[twitch]\ntransport = "webhok"',
        2,
        "twitch.transport",
        'use one of "webhook", "conduit"; did you mean "webhook"?',
    ),
    ('[filters]\nunknown = "x"', 2, "filters.unknown", 'use one of "announce", "suppress"'),
    ("[tunnel]\nprovider = 1", 2, "tunnel.provider", 'it is a number; write one of "none", "ngrok"'),
    ('[secrets]\nstore = "disk"', 2, "secrets.store", 'use one of "keyring", "passphrase", "memory"'),
    ('[telemetry]\nprotocol = "udp"', 2, "telemetry.protocol", 'use one of "http", "grpc"'),
    ('[server.tls]\nchallenge = "dns-01"', 2, "server.tls.challenge", '"tls-alpn-01", "http-01"'),
    (
        '[streamers.a]\ntarget_webhook_hashing = "md5"',
        2,
        "streamers.a.target_webhook_hashing",
        '"SHA-1", "SHA-256", "SHA-512"',
    ),
    ('[global_webhook]\ntarget_webhook_hashing = "x"', 2, "global_webhook.target_webhook_hashing", "use one of"),
    ('[destinations.a]\nurl = "http://a/"\nformat = "xml"', 3, "destinations.a.format", '"json", "discord", "slack"'),
    ('[destinations.a]\nurl = "http://a/"\nhashing = "md5"', 3, "destinations.a.hashing", "use one of"),
    (
        '[destinations.a]\nurl = "http://a/"\nsignature = "x"',
        3,
        "destinations.a.signature",
        '"x-hub", "standard-webhooks"',
    ),
    # addresses
    (
        f'[streamers.a]\ntarget_webhook_url = "ftp://a/{SECRET}"',
        2,
        "streamers.a.target_webhook_url",
        "begin with https://",
    ),
    (
        f'[streamers.a]\ntarget_webhook_url = "a.com/{SECRET}"',
        2,
        "streamers.a.target_webhook_url",
        "begin with https://",
    ),
    (f'[streamers.a]\nwebhook_url = "https://?{SECRET}"', 2, "streamers.a.webhook_url", "it has no host"),
    (f'[destinations.a]\nurl = "https:///{SECRET}"', 2, "destinations.a.url", "it has no host"),
    (f'[destinations.a]\nurl = "https://a b/{SECRET}"', 2, "destinations.a.url", "holds a space"),
    (f'[destinations.a]\nurl = "https://a:99999/{SECRET}"', 2, "destinations.a.url", "host or port cannot be read"),
    (f'[destinations.a]\nurl = "https://[::1/{SECRET}"', 2, "destinations.a.url", "host or port cannot be read"),
    (f'[destinations.a]\nurl = "https://a:0/{SECRET}"', 2, "destinations.a.url", "port 0 cannot be reached"),
    ('[global_webhook]\nurl = "x"', 2, "global_webhook.url", "begin with https://"),
    ('[twitch]\nincoming_webhook_url = "x/twitch"', 2, "twitch.incoming_webhook_url", "begin with https://"),
    ('[server.tls]\ndirectory_url = "http://ca.example/"', 2, "server.tls.directory_url", "over https:// only"),
    (f'[network]\nproxy = "socks5://{SECRET}@h:1"', 2, "network.proxy", "an http or https proxy"),
    (f'[network]\nproxy = "http://{SECRET}@h:99999"', 2, "network.proxy", "not the address of a proxy"),
    (f'[network]\nproxy = "http://a b/{SECRET}"', 2, "network.proxy", "not the address of a proxy"),
    ('[telemetry]\nendpoint = "collector/x"', 2, "telemetry.endpoint", "begin with https://"),
    ('[server]\nlisten_addr = "127.0.0.1:80"', 2, "server.listen_addr", "the port has a key of its own"),
    ('[server]\nlisten_addr = "http://x"', 2, "server.listen_addr", "write the address alone"),
    ('[server]\nlisten_addr = "256.0.0.1"', 2, "server.listen_addr", "it is no address of a machine"),
    (
        '[server]\nexternal_domain = "https://x.com"',
        2,
        "server.external_domain",
        "write the name alone, without https://",
    ),
    ('[server]\nexternal_domain = "x.com/y"', 2, "server.external_domain", "without a path"),
    ('[server]\nexternal_domain = "x.com:1"', 2, "server.external_domain", "without a port"),
    ('[server.tls]\ndomains = ["a.com", "*.b.com"]', 2, "server.tls.domains", "entry 2: a wildcard cannot be used"),
    ('[server.tls]\ndomains = ["a..com"]', 2, "server.tls.domains", "entry 1: it is no valid host name"),
    ('[server.tls]\nemail = "me"', 2, "server.tls.email", "such as you@example.com"),
    ('[tunnel]\ndomain = "-"', 2, "tunnel.domain", "it is no valid host name"),
    ('[tunnel]\nregion = "the moon"', 2, "tunnel.region", 'write a code such as "eu"'),
    ("[server.tls]\nenabled = true", 1, "server.tls.domains", 'add domains = ["example.com"]'),
    (
        '[server]\nport = 80\n[server.tls]\nenabled = true\ndomains = ["a.b"]\nchallenge = "http-01"\nhttp_port = 80',
        7,
        "server.tls.http_port",
        "the same port as server.port",
    ),
    # secrets and headers
    ('[twitch]\nwebhook_secret = "short"', 2, "twitch.webhook_secret", "it has 5 characters, Twitch takes 10 to 100"),
    (f'[twitch]\nwebhook_secret = "{"x" * 101}"', 2, "twitch.webhook_secret", "it has 101 characters"),
    (f'[twitch]\nwebhook_secret = "{SECRET}é"', 2, "twitch.webhook_secret", "plain ASCII characters only"),
    (f'[twitch]\nclient_secret = "{SECRET} x"', 2, "twitch.client_secret", "copy it again"),
    (f'[twitch]\nclient_id = "{SECRET}\\nx"', 2, "twitch.client_id", "copy it again"),
    (f'[tunnel]\nauthtoken = "{SECRET} x"', 2, "tunnel.authtoken", "copy it again"),
    (f'[streamers.a]\ntarget_webhook_secret = "{SECRET}\\u0000"', 2, "streamers.a.target_webhook_secret", "NUL"),
    ('[streamers.a]\ntarget_webhook_header = "X Y"', 2, "streamers.a.target_webhook_header", "no valid header name"),
    (
        '[global_webhook]\ntarget_webhook_header = "Host"',
        2,
        "global_webhook.target_webhook_header",
        "is set by this program",
    ),
    ('[destinations.a]\nurl = "http://a/"\nheader = "webhook-id"', 3, "destinations.a.header", "use another"),
    (
        f'[destinations.a]\nurl = "http://a/"\nheaders = {{ "content-type" = "{SECRET}" }}',
        3,
        "destinations.a.headers",
        "the header content-type is set by this program",
    ),
    (
        f'[destinations.a]\nurl = "http://a/"\nheaders = {{ "X-A" = "{SECRET}\\r\\nEvil: 1" }}',
        3,
        "destinations.a.headers",
        'the value of "X-A" holds a line break',
    ),
    (
        '[destinations.a]\nurl = "http://a/"\n[destinations.a.headers]\nX-A = "1"\nx-a = "2"',
        3,
        "destinations.a.headers",
        '"x-a" is there twice',
    ),
    (
        f"[destinations.a]\nurl = 'http://a/'\nheaders = {{ 'Authorization: Bearer {SECRET}' = '' }}",
        3,
        "destinations.a.headers",
        'has no valid name; use letters, digits and - (as in { "Authorization" = "Bearer ..." })',
    ),
    (
        f"[destinations.a]\nurl = 'http://a/'\nheaders = {{ 'Authorization: {SECRET}' = 1 }}",
        3,
        "destinations.a.headers",
        "the value of one header is a number",
    ),
    (
        "[destinations.a]\nurl = 'https://me:pw@a/'\nheaders = { 'authorization' = 'Basic x' }",
        3,
        "destinations.a.headers",
        "the url holds a user name or password already",
    ),
    (
        '[destinations.a]\nurl = "http://a/"\nsignature = "standard-webhooks"',
        3,
        "destinations.a.signature",
        "cannot sign without a secret",
    ),
    (
        f'[destinations.a]\nurl = "http://a/"\nsignature = "standard-webhooks"\nsecret = "whsec_{SECRET}"',
        4,
        "destinations.a.secret",
        "what follows whsec_ must be base64",
    ),
    # streamers and destinations
    ('[streamers.a]\nuser_id = "shroud"', 2, "streamers.a.user_id", "digits only; a channel's name goes into login"),
    ('[streamers.a]\nlogin = "no-dash"', 2, "streamers.a.login", '"no-dash" is no Twitch login'),
    ('[streamers.a]\nlogin = "https://youtube.com/x"', 2, "streamers.a.login", "it is no Twitch login"),
    ('[streamers."a b"]\ntag_filter = []', 1, 'streamers."a b"', "add login ="),
    ('[streamers.""]\nlogin = "x"', 1, 'streamers.""', "the name is empty"),
    ('[destinations."a\\nb"]\nurl = "http://a/"', 1, r'destinations."a\nb"', "control characters"),
    (f'[destinations."https://a/{SECRET}"]', 1, 'destinations."..."', "an address cannot be a name"),
    (
        '[streamers.a]\nlogin = "x"\n[streamers.b]\nlogin = "X"',
        4,
        "streamers.b.login",
        "is watched by a already (line 2)",
    ),
    (
        '[streamers.a]\nuser_id = "1"\n\n[streamers.b]\nlogin = "b"\nuser_id = "1"',
        6,
        "streamers.b.user_id",
        'user_id "1" is watched by a already (line 2)',
    ),
    ("[streamers.a]\n[streamers.A]", 2, "streamers.A.login", 'login "a" is watched by a already (line 1)'),
    (
        '[streamers.a]\nlogin = "x"\n[streamers.twitch.a]\nlogin = "y"',
        3,
        "streamers.twitch.a",
        "there is a streamer of that name already (line 1)",
    ),
    (
        '[streamers.a]\ndestinations = ["frends"]\n[destinations.friends]\nurl = "http://a/"',
        2,
        "streamers.a.destinations",
        'there is no destination "frends"; did you mean friends?',
    ),
    ('[streamers.a]\ndestinations = ["zz"]', 2, "streamers.a.destinations", "add [destinations.zz] with its url"),
    ('[streamers.a]\ndestinations = ["global"]', 2, "streamers.a.destinations", 'there is no destination "global"'),
    (
        f'[streamers.a]\ndestinations = ["https://a/{SECRET}"]',
        2,
        "streamers.a.destinations",
        "an address cannot stand here",
    ),
    (f'[streamers.a]\ndestinations = "https://a/{SECRET}"', 2, "streamers.a.destinations", 'destinations = ["..."]'),
    ("[destinations.a]\nenabled = true", 1, "destinations.a", "it has no url; add url ="),
    ("[global_webhook]\nenabled = true", 1, "global_webhook", "it is enabled and has no url"),
    (
        f'[streamers.a]\ntarget_webhook_url = "https://a/{SECRET}"\n[destinations.a]\nurl = "https://b/"',
        3,
        "destinations.a",
        "the streamer a has an address of its own (line 2)",
    ),
    (
        '[global_webhook]\nenabled = true\nurl = "https://a/"\n[destinations.global]\nurl = "https://b/"',
        4,
        "destinations.global",
        "[global_webhook] (line 1) makes a destination",
    ),
    (
        '[global_webhook]\nenabled = true\nurl = "https://a/"\n[streamers.global]\nwebhook_url = "https://b/"',
        4,
        "streamers.global",
        "rename the streamer",
    ),
]


@pytest.mark.parametrize(("text", "line", "key", "sentence"), WRONG)
def test_a_mistake_is_named_with_its_place_and_remedy(text: str, line: int, key: str, sentence: str) -> None:
    found = problems_of(text)
    assert len(found) == 1, found
    assert found[0].startswith(f"config.toml:{line}: {key}: ")
    assert sentence in found[0]
    assert SECRET not in found[0]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    whole = '[twitch]\nwebhook_secret = "x"\n[filters]\nunknown = 3\n[server]\nport = "a"\n[output]\nmax_lines = 0\n'
    assert [problem.split(":")[1] for problem in problems_of(whole)] == ["2", "4", "6", "8"]


def test_warnings_come_along_with_the_mistakes() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("[server]\nport = -1\nprot = 1\n", file="config.toml", environ={})
    assert caught.value.warnings == ("config.toml:3: server.prot: unknown key, ignored; did you mean port?",)


@pytest.mark.parametrize("way", ['[twitch]\ntransport = "conduit"', '[tunnel]\nprovider = "ngrok"'])
@pytest.mark.parametrize("tls", ["", 'domains = ["a.b"]\nchallenge = "http-01"\nhttp_port = 80'])
def test_a_certificate_that_nothing_needs_keeps_nothing_from_starting(way: str, tls: str) -> None:
    loaded = load(f"[server]\nport = 80\n[server.tls]\nenabled = true\n{tls}\n{way}\n")
    assert any("no certificate is needed" in warning for warning in loaded.warnings)


@pytest.mark.parametrize("name", ["SHA-1", "sha1", "SHA1", "Sha_1"])
def test_hashing_names_in_any_case(name: str) -> None:
    text = f"[destinations.a]\nurl = 'http://a/'\nhashing = '{name}'\n[streamers.s]\ntarget_webhook_hashing = '{name}'"
    config = load(text).config
    assert config.destinations["a"].hashing == "SHA-1"
    assert config.streamers["s"].target_webhook_hashing == "SHA-1"


def test_the_word_for_the_keyring_leaves_twitch_secrets_to_it() -> None:
    loaded = load("[twitch]\nclient_secret = '@keyring'\nwebhook_secret = '@keyring'\n[tunnel]\nauthtoken = '@keyring'")
    assert (loaded.config.twitch.client_secret, loaded.config.twitch.webhook_secret) == ("", "")
    assert loaded.config.tunnel.authtoken == ""
    assert loaded.secrets_in_clear == ()


def test_a_streamer_without_id_and_login_is_meant_by_its_name() -> None:
    loaded = load("[streamers.Shroud]\ntag_filter = ['English']")
    assert loaded.config.streamers["Shroud"].login == "shroud"
    assert loaded.notices == (
        'config.toml:1: streamers.Shroud: it says neither login nor user_id; its name is taken: login = "shroud"',
    )
