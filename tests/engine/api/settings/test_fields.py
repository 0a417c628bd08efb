"""Every key as a field of a form: nothing forgotten, and the same in docs/configuration.md."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine.api.settings.fields import FieldInfo, all_fields, parse, problem_of
from itsjustintv_desktop.engine.config import load
from itsjustintv_desktop.engine.config.fields import Kind, fields, tables
from itsjustintv_desktop.engine.config.notation import dotted, encode
from itsjustintv_desktop.engine.config.reference import AT_NEXT_START, HELP
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.core.errors import ConfigError, UsageError
from tests.support.engine import Running

PAGE = Path(__file__).parents[4] / "docs" / "configuration.md"
EVERY: dict[tuple[str, ...], FieldInfo] = {one.path: one for one in all_fields(Config(), {})}


def schemas() -> list[type[msgspec.Struct]]:
    return [*tables().values(), Streamer, Destination]


@pytest.mark.parametrize("schema", schemas(), ids=lambda schema: schema.__name__)
def test_every_key_has_help_and_no_help_is_left_over(schema: type[msgspec.Struct]) -> None:
    keys = {name for name, field in fields(schema).items() if field.kind is not Kind.TABLE}
    assert set(HELP[schema]) == keys
    for name, sentence in HELP[schema].items():
        assert sentence.endswith((".", "...")), name
        assert 10 < len(sentence) < 170, name


def test_the_form_has_every_key_of_the_schema() -> None:
    wanted: set[tuple[str, ...]] = {
        *(("streamers", "*", name) for name in fields(Streamer)),
        *(("destinations", "*", name) for name in fields(Destination)),
    }
    for path, table in tables().items():
        wanted |= {(*path, name) for name, field in fields(table).items() if field.kind is not Kind.TABLE}
    assert set(EVERY) == wanted
    assert set(EVERY) >= AT_NEXT_START


def page_rows() -> dict[tuple[str, ...], str]:
    """What the tables of docs/configuration.md have: path -> default as written."""
    found: dict[tuple[str, ...], str] = {}
    table: tuple[str, ...] = ()
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        heading = re.fullmatch(r"## `\[([a-zA-Z_.]+)\]`", line)
        if heading is not None:
            table = tuple(heading[1].replace("KEY", "*").replace("NAME", "*").split("."))
        elif table and line.startswith("| `"):
            cells = line.split(" | ")
            found[*table, cells[0].split("`")[1]] = cells[3]
    return found


def test_the_page_lists_the_same_keys() -> None:
    assert set(page_rows()) == set(EVERY)


def test_defaults_that_the_page_writes_out_are_right() -> None:
    checked = 0
    for path, written in page_rows().items():
        literal = re.fullmatch(r"`([^`]*)`", written)
        if literal is None:
            continue
        default = literal[1].strip('"').removeprefix("[").removesuffix("]").removeprefix("{").removesuffix("}")
        field = EVERY[path]
        if field.kind == "duration":
            assert parse_duration(default) == parse_duration(field.default), path
        elif field.kind == "number":
            assert float(default) == float(field.default), path
        else:
            assert default == field.default, path
        checked += 1
    assert checked > 45


def parse_duration(text: str) -> float:
    from itsjustintv_desktop.engine.config.durations import parse as parse_text

    return parse_text(text)


@pytest.mark.parametrize("path", EVERY, ids=".".join)
def test_every_default_is_good_as_typed(path: tuple[str, ...]) -> None:
    field = EVERY[path]
    assert problem_of(tuple("x" if part == "*" else part for part in path), field.default) is None


@pytest.mark.parametrize(
    ("path", "text", "part"),
    [
        (("retry", "max_age"), "soon", "duration"),
        (("retry", "max_age"), "10", "unit"),
        (("retry", "jitter"), "2", "from 0 to 1"),
        (("retry", "max_attempts"), "many", "whole number"),
        (("server", "port"), "70000", "65535"),
        (("server", "tls", "domains"), "good.example, https://bad.example", "Entry 2"),
        (("server", "tls", "enabled"), "perhaps", "true or false"),
        (("twitch", "transport"), "conduits", "did you mean"),
        (("streamers", "alice", "login"), "not a login", "login"),
        (("destinations", "main", "url"), "example.com", "https://"),
        (("destinations", "main", "headers"), "Authorization Bearer", "colon"),
        (("destinations", "main", "headers"), "Host: x", "set by this program"),
    ],
)
def test_what_cannot_be_is_said_as_it_is_typed(path: tuple[str, ...], text: str, part: str) -> None:
    problem = problem_of(path, text)
    assert problem is not None
    assert part in problem
    assert problem.endswith(".")
    assert problem[0].isupper() or problem[0] == '"'


def test_a_secret_typed_into_the_wrong_field_is_not_shown_back() -> None:
    for path in EVERY:
        where = tuple("x" if part == "*" else part for part in path)
        problem = problem_of(where, "https://discord.com/api/webhooks/1/s3cr3t-t0ken and more") or ""
        assert "s3cr3t" not in problem, path


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        (("retry", "max_age"), "2h", "2h"),
        (("retry", "backoff_factor"), "1.5", 1.5),
        (("streamers", "a", "tag_filter"), "English, FPS\nDrops", ["English", "FPS", "Drops"]),
        (("streamers", "a", "tag_filter"), "", None),
        (("destinations", "a", "headers"), "X-One: 1\nCookie: a:b", {"X-One": "1", "Cookie": "a:b"}),
        (("output", "enabled"), "False", False),
    ],
)  # fmt: skip
def test_what_is_typed_becomes_a_value(path: tuple[str, ...], text: str, value: object) -> None:
    assert parse(path, text) == value


def test_there_is_no_other_setting() -> None:
    with pytest.raises(UsageError):
        problem_of(("server", "tls"), "x")
    with pytest.raises(UsageError):
        problem_of(("server", "nothing"), "x")


async def test_the_form_shows_what_is_in_force_and_what_overrides_it(running: Running) -> None:
    found = {one.path: one for one in await running.engine.api.settings.form.fields()}
    assert found["server", "port"].value == "0"
    assert found["twitch", "client_id"].environment == "ITSJUSTINTV_TWITCH_CLIENT_ID"
    assert found["twitch", "client_secret"].value is None
    assert found["server", "port"].environment == ""


async def test_values_typed_are_saved_and_empty_ones_taken_out(running: Running) -> None:
    editing = running.engine.api.settings
    outcome = await editing.form.set_values({("retry", "max_age"): "2h", ("output", "max_lines"): "3"})
    assert (outcome.state, running.engine.live.config.retry.max_age) == ("in_force", 7200.0)
    await editing.form.set_values({("retry", "max_age"): ""})
    assert running.engine.live.config.retry.max_age == 86400.0
    with pytest.raises(ConfigError) as caught:
        await editing.form.set_values({("retry", "max_age"): "x", ("server", "port"): "y"})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("server", "port"), "+81"),
        (("server", "port"), "8.5"),
        (("retry", "jitter"), ".5"),
        (("retry", "jitter"), "a little"),
        (("output", "enabled"), "off"),
        (("output", "enabled"), "Yes"),
        (("output", "enabled"), "maybe"),
        (("server", "tls", "domains"), "a.example, b.example"),
        (("retry", "max_age"), "2h"),
    ],
)
def test_a_text_means_the_same_in_a_form_and_in_the_environment(path: tuple[str, ...], text: str) -> None:
    def in_environment() -> object:
        try:
            config: object = load.parse("", file="c", environ={f"ITSJUSTINTV_{'_'.join(path).upper()}": text}).config
        except ConfigError as error:
            return error.problems[0].rpartition(": ")[2].lower()
        for part in path:
            config = getattr(config, part)
        return config

    wrong = problem_of(path, text)
    if wrong is not None:
        assert in_environment() == wrong.rstrip(".").lower()
    else:
        table, value = dotted(path[:-1]), encode(parse(path, text))
        expected: object = load.parse(f"[{table}]\n{path[-1]} = {value}\n", file="c", environ={}).config
        for part in path:
            expected = getattr(expected, part)
        assert in_environment() == expected
