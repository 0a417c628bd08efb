from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.redaction import mask

PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIJ\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at https://me:pass@host:8443/a/b?x=1&y=2#z ok", "at https://[hidden]@host:8443/a/b?[hidden] ok"),
        ("wss://eventsub.wss.twitch.tv/ws?challenge=abc", "wss://eventsub.wss.twitch.tv/ws?[hidden]"),
        ("https://discord.com/api/webhooks/123/abC_d-1 said", "https://discord.com/api/webhooks/[hidden] said"),
        ("/api/v10/webhooks/123/abC?wait=true", "/api/v10/webhooks/[hidden]?wait=true"),
        ("https://hooks.slack.com/services/T0ABC123/B0ABC/xyz", "https://hooks.slack.com/services/[hidden]"),
        ("https://hooks.slack.com/workflows/T0ABC123/A0/1/x", "https://hooks.slack.com/workflows/[hidden]"),
        (
            "https://api.telegram.org/bot123456:AAH-abcdefghij/sendMessage",
            "https://api.telegram.org/bot[hidden]/sendMessage",
        ),
        ("Authorization: Bearer abc.def", "Authorization: [hidden]"),
        ("{'Authorization': 'Bearer abc', 'X': '1'}", "{'Authorization': '[hidden]', 'X': '1'}"),
        ("(b'Authorization', b'Basic YWJj')", "(b'Authorization', b'[hidden]')"),
        ("Cookie: a=b; c=d", "Cookie: [hidden]; c=d"),
        ("X-Hub-Signature-256: sha256=" + "ab" * 32, "X-Hub-Signature-256: [hidden]"),
        ("X-Api-Key: abcdef", "X-Api-Key: [hidden]"),
        ("twitch-eventsub-message-signature: sha256=00", "twitch-eventsub-message-signature: [hidden]"),
        ("it was sha256=" + "0f" * 32, "it was sha256=[hidden]"),
        ("v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", "v1,[hidden]"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_[hidden]"),
        ("got Bearer 0123456789abcdef back", "got Bearer [hidden] back"),
        ("oauth:abcdef1234567890", "oauth:[hidden]"),
        ("client_secret=abcdef&grant=x", "client_secret=[hidden]&grant=x"),
        ('{"access_token": "abcdef", "n": 1}', '{"access_token": "[hidden]", "n": 1}'),
        ('{\\"access_token\\":\\"abcdef\\"}', '{\\"access_token\\":\\"[hidden]\\"}'),
        ("authtoken:abcdef", "authtoken:[hidden]"),
        ("eyJhbGciOiJ.eyJzdWIiOiIx.SflKxwRJSMeKKF", "[hidden]"),
        ("2aBcDeFgHiJkLmNoPqRsTuVw_7XyZ0123456789abcde", "[hidden]"),
        (f"the key {PEM} is bad", "the key [hidden] (a private key) is bad"),
        (PEM[:40], "[hidden] (a private key)"),
        (repr(PEM), "'[hidden] (a private key)'"),
        ('{"kty": "EC", "d": "0123456789abcdefghij"}', '{"kty": "EC", "d": "[hidden]"}'),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, told: str) -> None:
    assert mask(text) == told
    assert mask(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "announced",
        "Twitch posts to https://abc.ngrok-free.app/twitch.",
        "config.toml:3: twitch.webhook_secret: it holds a space or a line break; copy it again",
        "config.toml:4: twitch.client_secret: it still holds the text of the example",
        "the header X-Hub-Signature-256 is set by this program; use another, such as X-Custom",
        "The token of control.json is needed.",
        "Basic authentication and OAuth authorization code flow",
        "the webhook secret is at hand",
        "The destination's secret is not in the vault. Enter it again.",
        "befa7b53-d79d-478f-86b9-120f112b044e",
        "https://api.twitch.tv/helix/streams",
        "secrets changed state status=locked",
    ],
)
def test_ordinary_sentences_stay(text: str) -> None:
    assert mask(text) == text
