"""README and the pages it leads to keep their word: commands, options, make targets, the first config."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.config.load import parse

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CALLED = re.compile(r"itsjustintv-desktop((?: [a-z][a-z-]+){1,2})")


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_and_option_is_explained() -> None:
    for name, command in every_command(cli):
        rows = [line for line in COMMANDS.splitlines() if re.match(rf"\| `{re.escape(name)}[ `]", line)]
        assert rows, f"docs/commands.md does not have `{name}`"
        for option in command.params:
            long = [each for each in option.opts if each.startswith("--")]
            assert not long or long == ["--json"] or any(long[0] in row for row in rows), f"{name} {long}"
    for option in cli.params:
        assert option.opts[0] in COMMANDS


def test_no_page_names_a_command_that_does_not_exist() -> None:
    known = {name for name, _ in every_command(cli)}
    groups = {name.split()[0] for name in known}
    for page in PAGES:
        fences = re.compile(r"(?ms)^ *```.*?^ *```$")
        text = page.read_text(encoding="utf-8")
        codes = [*fences.findall(text), *re.findall(r"`([^`]+)`", " ".join(fences.sub("", text).split()))]
        for code in codes:
            for words in CALLED.findall(code):
                first, *rest = words.split()
                assert first in groups, f"{page.name}: {code}"
                if first not in known and rest:
                    assert f"{first} {rest[0]}" in known, f"{page.name}: {code}"


def test_no_page_names_a_make_target_that_does_not_exist() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", MAKEFILE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"(?:`|^|sudo )make ([a-z-]+)", text, re.MULTILINE):
            assert name in targets, f"{page.name}: make {name}"


def test_the_first_config_works_as_it_stands() -> None:
    shown = re.search(r"(?ms)^ *```toml\n(.*?)^ *```", README)
    assert shown is not None
    text = (
        re.sub(r"(?m)^   ", "", shown.group(1)).replace("/webhooks/...", "/webhooks/1/abc").replace("your client", "a")
    )
    loaded = parse(text.replace('"a id"', '"abc"').replace('"a secret"', '"def"'), file="README.md", environ={})
    assert loaded.warnings == ()
    assert loaded.config.twitch.transport == "conduit"
    assert loaded.config.streamers["yourname"].destinations == ("discord",)
    assert loaded.config.destinations["discord"].format == "discord"


def test_there_is_one_virtual_environment_and_a_way_to_its_commands() -> None:
    named = re.findall(r"(?:-m venv |(?<![\w.-]))(\.?venv)\b", README)
    assert set(named) == {".venv"}
    assert "VENV ?= .venv\n" in MAKEFILE
    assert 'export PATH="$PWD/.venv/bin:$PATH"' in README
    for needed in ("sudo apt install python3-venv", "`sudo make qt-deps`", "\ngit clone https://"):
        assert needed in README


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150
