"""Settings from the environment: every key, names of one's own, mistakes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.config.environment import OTHERS, names
from itsjustintv_desktop.engine.config.fields import Field, Kind, fields, tables
from itsjustintv_desktop.engine.config.load import Loaded, parse
from itsjustintv_desktop.engine.config.notation import Path
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.core.errors import ConfigError


def load(environ: dict[str, str], text: str = "") -> Loaded:
    return parse(text, file="config.toml", environ=environ)


def problems_of(environ: dict[str, str], text: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(environ, text)
    return caught.value.problems


SPECIAL: dict[str, tuple[str, Any]] = {
    "user_id": ("77", "77"),
    "webhook_secret": ("0123456789abc", "0123456789abc"),
    "email": ("me@example.com", "me@example.com"),
    "target_webhook_hashing": ("sha512", "SHA-512"),
    "initial_delay": ("7s", 7.0),
    "destinations": ("spare, other", ("spare", "other")),
    "timeout": ("7s", 7.0),
}
"""Values for keys that do not take just any text; (as written, as read)."""


def example_for(field: Field) -> tuple[str, Any]:
    if field.name in SPECIAL:
        return SPECIAL[field.name]
    if field.name == "url" or field.name.endswith(("_url", "endpoint")):
        return "https://example.com/x", "https://example.com/x"
    match field.kind:
        case Kind.BOOL:
            return ("no", False) if field.default else ("yes", True)
        case Kind.INT:
            return "7", 7
        case Kind.NUMBER:
            return "1", 1.0
        case Kind.DURATION:
            return "3h", 10800.0
        case Kind.CHOICE:
            other = next(choice for choice in field.choices if choice != field.default)
            return other.upper(), other
        case Kind.TEXTS:
            return "example.com, example.net,", ("example.com", "example.net")
        case _:
            return "abc", "abc"


EVERY_KEY = [
    pytest.param(path, table, field, id=".".join((*path, field.name)))
    for path, table in [
        *tables().items(),
        (("streamers", "my_key"), Streamer),
        (("destinations", "my_key"), Destination),
    ]
    for field in fields(table).values()
    if field.is_scalar
]


@pytest.mark.parametrize(("path", "table", "field"), EVERY_KEY)
def test_every_scalar_key_of_the_schema(path: Path, table: type[msgspec.Struct], field: Field) -> None:
    written, wanted = example_for(field)
    variable = "ITSJUSTINTV_" + "_".join((*path, field.name)).upper()
    # What other keys need for this one to be right.
    text = (
        '[destinations.my_key]\nurl = "https://a/"\nsecret = "s"\n[destinations.spare]\nurl = "https://a/"\n'
        '[destinations.other]\nurl = "https://a/"\n[streamers.login_only]\n'
        '[global_webhook]\nurl = "https://a/"\n[server.tls]\ndomains = ["example.org"]\n'
    )
    if field.name == "target_webhook_url":
        text = ""
    config: Any = load({variable: written}, text).config
    for part in path:
        config = config[part] if isinstance(config, dict) else getattr(config, part)
    assert isinstance(config, table)
    assert getattr(config, field.name) == wanted
    assert wanted != field.default


def test_there_is_a_variable_for_every_key_with_a_place_of_its_own() -> None:
    assert len(EVERY_KEY) > 60
    assert {"ITSJUSTINTV_SERVER_TLS_HTTP_PORT", "ITSJUSTINTV_CACHE_DEDUP_TTL"} <= set(names())


def test_the_environment_wins_over_the_file() -> None:
    text = '[server]\nport = 1\n[streamers.twitch."a-b"]\nlogin = "file"\nwebhook_url = "https://example.com/file"\n'
    environ = {
        "ITSJUSTINTV_SERVER_PORT": "2",
        "ITSJUSTINTV_STREAMERS_A_B_LOGIN": "env",
        "ITSJUSTINTV_STREAMERS_A_B_TARGET_WEBHOOK_URL": "https://example.com/env",
    }
    config = load(environ, text).config
    assert config.server.port == 2
    assert list(config.streamers) == ["a-b"]
    assert config.streamers["a-b"].login == "env"
    assert config.streamers["a-b"].target_webhook_url == "https://example.com/env"


def test_it_wins_in_a_table_the_file_spells_otherwise() -> None:
    loaded = load({"ITSJUSTINTV_SERVER_PORT": "2"}, "[Server]\nPort = 1\n")
    assert loaded.config.server.port == 2
    assert "ITSJUSTINTV_SERVER_PORT: server.port: it is 99999" in problems_of({"ITSJUSTINTV_SERVER_PORT": "99999"})[0]


def test_it_wins_over_a_key_the_file_spells_otherwise() -> None:
    text = (
        "[streamers.ab]\nwebhook_url = 'https://example.com/file'\n[streamers.webhook_url]\nlogin = 'x'\n"
        "[destinations.friends]\nURL = 'https://example.com/file'\n"
    )
    environ = {
        "ITSJUSTINTV_STREAMERS_AB_TARGET_WEBHOOK_URL": "https://example.com/env",
        "ITSJUSTINTV_STREAMERS_TARGET_WEBHOOK_URL_LOGIN": "new",
        "ITSJUSTINTV_DESTINATIONS_FRIENDS_URL": "https://example.com/env",
    }
    loaded = load(environ, text)
    assert loaded.config.streamers["ab"].target_webhook_url == "https://example.com/env"
    assert loaded.config.destinations["friends"].url == "https://example.com/env"
    logins = {key: one.login for key, one in loaded.config.streamers.items()}
    assert logins == {"ab": "ab", "webhook_url": "x", "target_webhook_url": "new"}, "names are no keys of the schema"


def test_the_environment_alone_is_enough() -> None:
    environ = {
        "ITSJUSTINTV_STREAMERS_SHROUD_DESTINATIONS": "friends",
        "ITSJUSTINTV_DESTINATIONS_FRIENDS_URL": "https://discord.com/api/webhooks/1/t",
    }
    loaded = load(environ)
    assert loaded.config.streamers["shroud"].login == "shroud"
    assert loaded.config.destinations["friends"].format == "discord"
    assert loaded.warnings == ()
    assert loaded.secrets_in_clear == ()


def test_existing_names_come_before_new_ones() -> None:
    text = "[streamers.a]\n[streamers.A_Target]\n[streamers.twitch.'a target-webhook']\nlogin = 'x'\n"
    environ = {
        "ITSJUSTINTV_STREAMERS_A_TARGET_LOGIN": "one",
        "ITSJUSTINTV_STREAMERS_A_TARGET_WEBHOOK_LOGIN": "two",
        "ITSJUSTINTV_STREAMERS_A_LOGIN": "three",
        "ITSJUSTINTV_STREAMERS_NEW_ONE_TAG_FILTER": "English",
    }
    streamers = load(environ, text).config.streamers
    assert {key: one.login for key, one in streamers.items()} == {
        "a": "three",
        "A_Target": "one",
        "a target-webhook": "two",
        "new_one": "new_one",
    }


@pytest.mark.parametrize("schema", [Streamer, Destination])
def test_a_variable_can_be_split_into_name_and_field_in_one_way_only(schema: type[msgspec.Struct]) -> None:
    known = list(fields(schema))
    assert not [(one, other) for one in known for other in known if one.endswith(f"_{other}")]


def test_a_variable_that_could_mean_two_is_an_error() -> None:
    found = problems_of({"ITSJUSTINTV_STREAMERS_A_B_LOGIN": "x"}, "[streamers.a-b]\nlogin = 'a'\n[streamers.a_b]\n")
    assert found == [
        'ITSJUSTINTV_STREAMERS_A_B_LOGIN: it could be meant for "a-b" or "a_b"; '
        "rename one of them or set this in the file"
    ]


@pytest.mark.parametrize("variable", ["ITSJUSTINTV_TLS_ENABLED", "ITSJUSTINTV_SERVER_TLS_ENABLED", "TLS_ENABLED"])
def test_names_for_tls(variable: str) -> None:
    assert load({variable: "true"}, '[server.tls]\ndomains = ["example.com"]').config.server.tls.enabled


def test_the_full_name_wins_over_its_alias() -> None:
    assert not load(
        {"ITSJUSTINTV_TLS_ENABLED": "true", "ITSJUSTINTV_SERVER_TLS_ENABLED": "false"}
    ).config.server.tls.enabled


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("true", True), ("1", True), ("yes", True), ("on", True), ("ON", True),
        ("false", False), ("0", False), ("no", False), ("off", False), ("False", False),
    ],
)  # fmt: skip
def test_words_for_yes_and_no(word: str, meant: bool) -> None:
    text = f"[output]\nenabled = {str(not meant).lower()}\n"
    assert load({"ITSJUSTINTV_OUTPUT_ENABLED": word}, text).config.output.enabled is meant


def test_names_without_prefix_fill_in_and_say_so() -> None:
    environ = {
        "SERVER_LISTEN_ADDR": "0.0.0.0",
        "SERVER_PORT": "90",
        "TWITCH_CLIENT_ID": "id",
        "TWITCH_CLIENT_SECRET": "other-secret",
        "TWITCH_WEBHOOK_SECRET": "0123456789",
    }
    loaded = load(environ, '[server]\nport = 80\n[twitch]\nclient_id = ""\n')
    assert (loaded.config.server.listen_addr, loaded.config.server.port) == ("0.0.0.0", 80)
    assert loaded.config.twitch.client_id == "id"
    assert loaded.config.twitch.client_secret == "other-secret"
    assert loaded.config.twitch.webhook_secret == "0123456789"
    assert "TWITCH_CLIENT_SECRET: used for twitch.client_secret, which nothing else sets" in loaded.notices
    assert not any("other-secret" in notice for notice in loaded.notices)
    assert load(environ | {"ITSJUSTINTV_SERVER_PORT": "70"}).config.server.port == 70


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ITSJUSTINTV_SERVER_PORT", "80a", "it must be a whole number, such as 8080"),
        ("ITSJUSTINTV_SERVER_PORT", "99999", "it must be from 0 to 65535"),
        ("ITSJUSTINTV_OUTPUT_ENABLED", "maybe", "it must be true or false"),
        ("ITSJUSTINTV_RETRY_JITTER", "nan", "it must be a number, such as 0.2"),
        ("ITSJUSTINTV_RETRY_MAX_AGE", "24", "it needs a unit"),
        ("ITSJUSTINTV_TWITCH_TRANSPORT", "websocket", 'use one of "webhook", "conduit"'),
        ("ITSJUSTINTV_TWITCH_WEBHOOK_SECRET", "hunter2", "it has 7 characters"),
        ("ITSJUSTINTV_DESTINATIONS_A_URL", "hunter2", "must begin with https://"),
        ("ITSJUSTINTV_DESTINATIONS_A_SECRET", "hunter2", "it has no url"),
        ("ITSJUSTINTV_DESTINATIONS_A_HEADERS", "hunter2", "set it in the file"),
        ("ITSJUSTINTV_TELEMETRY_HEADERS", "hunter2", "set it in the file"),
        ("ITSJUSTINTV_TLS_ENABLED", "perhaps", "it must be true or false"),
        ("SERVER_PORT", "hunter2", "it must be a whole number"),
    ],
)
def test_a_bad_value_is_an_error_that_names_the_variable(variable: str, value: str, sentence: str) -> None:
    found = problems_of({variable: value})
    assert len(found) == 1
    assert found[0].startswith(f"{variable}: ")
    assert sentence in found[0]
    assert "hunter2" not in found[0]


@pytest.mark.parametrize(
    ("table", "field", "value"), [("STREAMERS", "LOGIN", "x"), ("DESTINATIONS", "URL", "https://a.example/")]
)
def test_a_name_that_cannot_be_one_is_an_error_that_names_the_variable(table: str, field: str, value: str) -> None:
    for name in ("A" * 101, "A\u0007B", "HTTPS://A"):
        variable = f"ITSJUSTINTV_{table}_{name}_{field}"
        found = problems_of({variable: value})
        assert len(found) == 1
        assert found[0].startswith(f"{variable}: ") or not name.isprintable()
        assert "use a short plain one" in found[0]
    fits = load({f"ITSJUSTINTV_{table}_{'A' * 100}_{field}": value}).config
    assert list(getattr(fits, table.lower())) == ["a" * 100]


def test_one_unfit_name_does_not_hide_what_others_say() -> None:
    environ = {f"ITSJUSTINTV_DESTINATIONS_{'A' * 101}_URL": "https://a.example/", "ITSJUSTINTV_SERVER_PORT": "x"}
    assert len(problems_of(environ)) == 2


def test_a_mistake_in_the_file_that_a_variable_mends_is_none() -> None:
    assert load({"ITSJUSTINTV_SERVER_PORT": "80"}, '[server]\nport = "x"').config.server.port == 80


@pytest.mark.parametrize(
    ("variable", "guess"),
    [
        ("ITSJUSTINTV_SERVER_PROT", "ITSJUSTINTV_SERVER_PORT"),
        ("ITSJUSTINTV_STREAMERS_FIRST_LOGON", "ITSJUSTINTV_STREAMERS_FIRST_LOGIN"),
        ("ITSJUSTINTV_DATADIR", "ITSJUSTINTV_DATA_DIR"),
    ],
)
def test_an_unknown_variable_is_a_warning_with_a_suggestion(variable: str, guess: str) -> None:
    warnings = load({variable: "hunter2"}, "[streamers.first]\n").warnings
    assert warnings == (f"{variable}: no setting has this name, it is ignored; did you mean {guess}?",)


def test_nothing_like_any_setting() -> None:
    assert "config example" in load({"ITSJUSTINTV_QQQQQQQQQQQQQQQ": "1"}).warnings[0]


def test_variables_that_are_no_settings_and_empty_ones_pass() -> None:
    environ = dict.fromkeys(OTHERS, "x") | {"ITSJUSTINTV_SERVER_PORT": "", "PATH": "/bin", "ITSJUSTINTV_NONE": " "}
    loaded = load(environ)
    assert loaded.warnings == ()
    assert loaded.config == Config()


def test_how_much_of_the_picture_goes_along_can_be_set_for_a_destination() -> None:
    environ = {"ITSJUSTINTV_DESTINATIONS_MAIN_PICTURE": "Link"}
    text = '[destinations.main]\nurl = "https://receiver.example/hook"'
    assert parse(text, file="c", environ={}).config.destinations["main"].picture == "data"
    assert parse(text, file="c", environ=environ).config.destinations["main"].picture == "link"
