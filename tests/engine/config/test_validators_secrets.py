"""One reading of secrets for the check of the config, the form and the signer."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.load import Loaded, parse
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.config.validators import new_standard_secret, standard_key, trimmed
from itsjustintv_desktop.engine.core.errors import ConfigError
from itsjustintv_desktop.engine.delivery.attempt import signature_headers

KEY = bytes(range(32))
PADDED = "whsec_" + base64.b64encode(KEY).decode()
STANDARD = Destination(name="a", signature="standard-webhooks")


def loaded(secret: str, signature: str = "standard-webhooks") -> Loaded:
    text = f'[destinations.a]\nurl = "https://a.example/"\nsignature = "{signature}"\nsecret = {json.dumps(secret)}'
    return parse(text, file="c", environ={})


def signed_with(secret: str, key: bytes) -> bool:
    header = signature_headers(STANDARD, secret, webhook_id="m", timestamp=1, body=b"x")["webhook-signature"]
    return base64.b64decode(header.removeprefix("v1,")) == hmac.digest(key, b"m.1.x", "sha256")


@pytest.mark.parametrize(
    "secret", [PADDED, PADDED.rstrip("="), f" {PADDED}\n", f"\t{PADDED.rstrip('=')} \r\n", f"\ufeff{PADDED}\u200b"]
)
def test_what_the_check_lets_pass_is_what_signs(secret: str) -> None:
    config = loaded(secret).config
    assert signed_with(config.destinations["a"].secret, KEY)
    assert signed_with(secret, KEY)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("whsec_", "nothing follows whsec_"),
        ("whsec_====", "nothing follows whsec_"),
        (" whsec_ \n", "nothing follows whsec_"),
        ("whsec_abcde", "must be base64"),
        ("whsec_abc def", "must be base64"),
        ("whsec_ab\nc=", "must be base64"),
        (f'"{PADDED}"', "small letters at its very beginning, without quotes"),
        (f"'{PADDED}'", "without quotes"),
        (f" `{PADDED}` ", "without quotes"),
        (f"\u201e{PADDED}\u201c", "without quotes"),
        (PADDED.replace("whsec_", "WHSEC_"), "small letters"),
        (PADDED.replace("whsec_", '"Whsec_'), "small letters"),
        ("whsec_ä" + "a" * 31, "must be base64"),
        ("whsec_" + base64.urlsafe_b64encode(b"\xff\xfb" * 16).decode(), "write + for each - and / for each _"),
    ],
)
def test_what_the_check_refuses_does_not_sign(secret: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(secret)
    assert said in str(refused.value.problems)
    with pytest.raises(ConfigError, match='secret of destination "a" cannot be used') as unsigned:
        signature_headers(STANDARD, secret, webhook_id="m", timestamp=1, body=b"x")
    assert said in unsigned.value.message


@given(st.text(max_size=60).map(lambda text: f"whsec_{text}"))
def test_check_and_signer_never_differ(secret: str) -> None:
    try:
        key = standard_key(secret)
    except Mistake:
        with pytest.raises(ConfigError):
            signature_headers(STANDARD, secret, webhook_id="m", timestamp=1, body=b"x")
    else:
        assert key
        assert signed_with(secret, key)


@pytest.mark.parametrize(("size", "warned"), [(1, True), (23, True), (24, False), (64, False), (65, True)])
def test_a_key_of_another_length_is_worth_a_word(size: int, warned: bool) -> None:
    warnings = loaded("whsec_" + base64.b64encode(b"k" * size).decode()).warnings
    assert any("Standard Webhooks asks for 24 to 64" in one for one in warnings) is warned


def test_a_secret_without_the_prefix_is_worth_a_word_where_libraries_read_it_in_another_way() -> None:
    assert "does not begin with whsec_" in loaded("just some words, no base64").warnings[0]
    assert loaded("just some words, no base64", "x-hub").warnings == ()
    assert loaded("@keyring").warnings == ()


def test_a_new_secret_is_good_and_never_the_same() -> None:
    secret = new_standard_secret()
    assert loaded(secret).warnings == ()
    assert len(standard_key(secret)) == 32
    assert secret != new_standard_secret()


AROUND = ["{} ", " {}", "{}\n", "\r\n{}\t", "\ufeff{}", "{}\u200b"]
KEYS = [
    ("twitch", "client_secret"),
    ("twitch", "webhook_secret"),
    ("tunnel", "authtoken"),
    ("destinations.a", "secret"),
    ("global_webhook", "target_webhook_secret"),
    ("streamers.ada", "target_webhook_secret"),
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("table", "key"), KEYS)
def test_no_secret_has_blanks_around_it(table: str, key: str, around: str) -> None:
    written = json.dumps(around.format("a-secret-of-20-chars"))
    url = {"destinations.a": 'url = "https://a.example/"\n'}.get(table, "")
    content = {table: f"{url}{key} = {written}"}
    found = loaded_tables(content)
    for part in table.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert getattr(found, key) == "a-secret-of-20-chars"


def loaded_tables(content: dict[str, str]) -> object:
    text = "\n".join(f"[{table}]\n{lines}" for table, lines in content.items())
    return parse(text, file="c", environ={}).config


@pytest.mark.parametrize("key", ["client_secret", "webhook_secret"])
def test_nor_one_of_the_environment(key: str) -> None:
    environ = {f"ITSJUSTINTV_TWITCH_{key.upper()}": "\ufeffa-secret-of-20-chars \n"}
    assert getattr(parse("", file="c", environ=environ).config.twitch, key) == "a-secret-of-20-chars"


def test_blanks_alone_are_no_secret_and_not_none_either() -> None:
    with pytest.raises(ConfigError, match="nothing but blanks"):
        loaded("  \n", "x-hub")


def test_values_of_headers_have_none_around_them() -> None:
    text = '[destinations.a]\nurl = "https://a.example/"\nheaders = { "Authorization" = " Bearer x\\n" }'
    assert parse(text, file="c", environ={}).config.destinations["a"].headers == {"Authorization": "Bearer x"}


@given(st.text())
def test_trimming_twice_changes_nothing(text: str) -> None:
    assert trimmed(trimmed(text)) == trimmed(text)
