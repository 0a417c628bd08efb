"""How sensitive each key is: marked in the schema, and asked for there by everyone who must know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest

from itsjustintv_desktop.engine.config.fields import (
    fields,
    secrets_of,
    sensitive_names,
    sensitivity,
    tables,
)
from itsjustintv_desktop.engine.config.schema import (
    Config,
    Destination,
    Sensitivity,
    Streamer,
    Telemetry,
    Tunnel,
    Twitch,
)

SOUNDS_SENSITIVE = re.compile(r"secret|token|password|url|endpoint|headers|proxy")


def marked_types() -> Iterator[tuple[str, str, Any]]:
    schemas: list[type[msgspec.Struct]] = [Streamer, Destination, *tables().values()]
    for schema in schemas:
        for info in msgspec.structs.fields(schema):
            yield schema.__name__, info.name, info.type


def test_a_text_whose_name_sounds_like_a_secret_or_an_address_carries_a_mark() -> None:
    """A new key cannot be forgotten: `Open` is the mark of one that may be shown."""
    unmarked = [
        f"{schema}.{name}: mark it Secret, DestinationAddress, Address, PublicAddress, Headers or Open"
        for schema, name, kind in marked_types()
        if SOUNDS_SENSITIVE.search(name) and kind in {str, dict[str, str]}
    ]
    assert unmarked == []


def test_every_mark_is_one_that_is_known() -> None:
    marks = {
        name: [one.extra["sensitivity"] for one in get_args(kind)[1:] if "sensitivity" in (one.extra or {})]
        for _, name, kind in marked_types()
        if get_origin(kind) is Annotated
    }
    assert all(len(found) <= 1 and set(found) <= set(get_args(Sensitivity)) for found in marks.values()), marks


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("twitch", "client_secret"), "secret"),
        (("Twitch", "Client_Secret"), "secret"),
        (("twitch", "client_id"), ""),
        (("twitch", "token_file"), ""),
        (("twitch", "incoming_webhook_url"), "public address"),
        (("server", "tls", "directory_url"), "public address"),
        (("telemetry", "endpoint"), "address"),
        (("telemetry", "headers"), "headers"),
        (("telemetry", "headers", "x-api-key"), "headers"),
        (("tunnel", "authtoken"), "secret"),
        (("global_webhook", "url"), "destination"),
        (("global_webhook", "target_webhook_secret"), "secret"),
        (("destinations", "a", "url"), "destination"),
        (("destinations", "url", "secret"), "secret"),
        (("destinations", "a", "headers", "url"), "headers"),
        (("streamers", "a", "target_webhook_url"), "destination"),
        (("streamers", "a", "webhook_url"), "destination"),
        (("streamers", "twitch", "webhook_url"), "destination"),
        (("streamers", "twitch", "a", "WEBHOOK_URL"), "destination"),
        (("streamers", "twitch", "a", "target_webhook_secret"), "secret"),
        (("streamers", "a", "b", "target_webhook_secret"), ""),
        (("destinations", "a", "url", "x"), ""),
        (("destinations", "a", "b", "url"), ""),
        (("destinations", "url"), ""),
        (("twitch",), ""),
        (("secret",), ""),
        ((), ""),
    ],
)
def test_of_a_path_of_the_file(path: tuple[str, ...], expected: Sensitivity) -> None:
    assert sensitivity(path) == expected


def test_every_path_of_the_schema_is_as_its_field_says() -> None:
    for table, schema in {("streamers", "x"): Streamer, ("destinations", "x"): Destination, **tables()}.items():
        for field in fields(schema).values():
            assert sensitivity((*table, field.name)) == field.sensitivity


def test_names_for_a_file_that_may_be_wrong_in_any_way() -> None:
    assert sensitive_names("secret") == {
        "client_secret", "webhook_secret", "target_webhook_secret", "secret", "authtoken",
    }  # fmt: skip
    assert sensitive_names("destination", "address") == {
        "url", "target_webhook_url", "webhook_url", "endpoint", "proxy",
    }  # fmt: skip
    assert sensitive_names("public address") == {"directory_url", "incoming_webhook_url"}
    assert sensitive_names("headers") == {"headers"}


def test_what_is_secret_in_a_config() -> None:
    config = Config(
        twitch=Twitch(client_id="id", client_secret="one", webhook_secret="two"),
        tunnel=Tunnel(authtoken="three"),
        telemetry=Telemetry(headers={"x": "four"}, endpoint="http://five"),
    )
    assert secrets_of(config) - {""} == {"one", "two", "three", "four"}
