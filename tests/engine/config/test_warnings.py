"""What works though not as meant: a warning with its line; and what is right goes without one."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.load import Loaded, parse


def load(text: str) -> Loaded:
    return parse(text, file="config.toml", environ={})


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("[server]\nprot = 1", 2, "server.prot: unknown key, ignored; did you mean port?"),
        ("[serber]\nport = 1", 1, "serber: unknown key, ignored; did you mean server?"),
        ("port = 1", 1, "port: unknown key, ignored; port belongs into [server]"),
        ("[output]\n\nclient_id = 'x'", 3, "output.client_id: unknown key, ignored; client_id belongs into [twitch]"),
        ("[filters]\nzzzzz = 1", 2, "filters.zzzzz: unknown key, ignored; known here: unknown"),
        (
            "[streamers.a]\nhmac_secret = 'x'",
            2,
            "hmac_secret: unknown key, ignored; did you mean target_webhook_secret?",
        ),
        (
            "[streamers.twitch.a]\ntag_filters = []",
            2,
            "streamers.twitch.a.tag_filters: unknown key, ignored; did you mean tag_filter?",
        ),
        ("[destinations.a]\nurl = 'http://a/'\ntarget_webhook_secret = 'x'", 3, "did you mean secret?"),
        ("[streamers.a]\nlogin = 'https://www.twitch.tv/Shroud'", 2, 'understood as the login "shroud"'),
        ("[streamers.a]\nlogin = '@Shroud'", 2, 'write login = "shroud"'),
        ("[twitch]\nclient_id = 'your_twitch_client_id'", 2, "still holds the text of the example"),
        ("[twitch]\nwebhook_secret = 'your_webhook_secret'", 2, "still holds the text of the example"),
        ("[twitch]\nincoming_webhook_url = 'http://x.com/twitch'", 2, "Twitch calls only https addresses on port 443"),
        (
            "[twitch]\nincoming_webhook_url = 'https://x.com:8443/twitch'",
            2,
            "Twitch calls only https addresses on port 443",
        ),
        ("[twitch]\nincoming_webhook_url = 'https://x.com/'", 2, "answers Twitch at /twitch"),
        ("[twitch]\nincoming_webhook_url = 'https://me:pw@x.com/twitch'", 2, "leave them out"),
        ("[telemetry]\nendpoint = 'localhost:4318'", 2, "http:// is used"),
        ("[retry]\ninitial_delay = '10m'\nmax_age = '5m'", 3, "nothing will be sent a second time"),
        ("[output]\nenabled = false\n[streamers.a]\nlogin = 'x'", 3, "nobody is told"),
        (
            "[streamers.a]\ntarget_webhook_url = 'https://discord.com/channels/1/2'",
            2,
            "a link into Discord, not a webhook",
        ),
        ("[twitch]\ntransport = 'conduit'\n[tunnel]\nprovider = 'ngrok'", 4, 'conduit" no tunnel is needed'),
        (
            "[tunnel]\nprovider = 'ngrok'\n[server.tls]\nenabled = true\ndomains = ['a.b']",
            4,
            "no certificate is needed",
        ),
    ],
)
def test_what_works_though_not_as_meant_is_a_warning(text: str, line: int, sentence: str) -> None:
    warnings = load(text).warnings
    assert len(warnings) == 1, warnings
    assert warnings[0].startswith(f"config.toml:{line}: ")
    assert sentence in warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "[server]\nport = 0",
        "[server]\nlisten_addr = '::1'",
        "[server]\nlisten_addr = 'localhost'",
        "[server]\nexternal_domain = 'münchen.example'",
        "[twitch]\npoll_interval = 0",
        "[twitch]\ncatch_up_max_age = '0'",
        "[twitch]\nincoming_webhook_url = 'http://127.0.0.1:8080/twitch'",
        "[retry]\nbackoff_factor = 2",
        "[destinations.a]\nurl = 'https://user:pw@example.com:8443/a?b=c#d'",
        "[destinations.a]\nurl = 'http://[::1]:80/'",
        "[destinations.a]\nurl = '@keyring'\nsecret = '@keyring'\nsignature = 'standard-webhooks'",
        "[destinations.a]\nenabled = false",
        "[streamers.a]\ndestinations = ['b']\n[streamers.b]\ntarget_webhook_url = 'http://b/'",
        "[server.tls]\ndirectory_url = 'http://127.0.0.1:14000/dir'",
    ],
)
def test_what_is_right_goes_without_a_word_of_warning(text: str) -> None:
    assert load(text).warnings == ()
