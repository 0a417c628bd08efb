"""docs/server.md: its config and environment work as they stand; its places are those of the unit and the container."""

from __future__ import annotations

import re
from pathlib import Path

from itsjustintv_desktop.engine.config.load import parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
UNIT = (ROOT / "installers" / "systemd" / "itsjustintv.service").read_text(encoding="utf-8")
CONTAINER = (ROOT / "installers" / "container" / "Containerfile").read_text(encoding="utf-8")


def block(kind: str, holding: str) -> str:
    blocks: list[tuple[str, str]] = re.findall(r"(?ms)^ *```([a-z]*)\n(.*?)^ *```$", PAGE)
    found = next(text for name, text in blocks if name == kind and holding in text)
    return re.sub(r"(?m)^   ", "", found)


def test_config_and_environment_together_are_good() -> None:
    pairs = (line.partition("=") for line in block("", "ITSJUSTINTV_").splitlines())
    environ = {name: value.replace("/webhooks/...", "/webhooks/1/abc") for name, _, value in pairs}
    loaded = parse(block("toml", "[twitch]"), file="config.toml", environ=environ)
    assert loaded.warnings == ()
    assert loaded.secrets_in_clear == ()
    assert loaded.config.secrets.store == "passphrase"
    assert loaded.config.twitch.client_secret
    assert loaded.config.destinations["discord"].format == "discord"
    assert loaded.config.streamers["yourname"].destinations == ("discord",)


def test_commands_find_a_good_config_without_the_environment() -> None:
    loaded = parse(block("toml", "[twitch]"), file="config.toml", environ={})
    assert loaded.warnings == ()
    assert loaded.config.streamers["yourname"].destinations == ("discord",)
    unit = re.search(r"(?m)^EnvironmentFile=-?(.*)$", UNIT)
    assert unit is not None
    assert f"-p EnvironmentFile={unit.group(1)} " in block("", "config check")


def test_places_are_those_of_the_unit_and_the_container() -> None:
    for words in (
        "--config /etc/itsjustintv/config.toml --data-dir /var/lib/itsjustintv",
        "/etc/itsjustintv/environment",
    ):
        assert words in PAGE
        assert words in UNIT
    assert "uid 10001" in PAGE
    assert "--uid 10001" in CONTAINER
    for volume in re.findall(r":(/[a-z]+)(?=[: ])", block("", "docker run")):
        assert f'"{volume}"' in CONTAINER
    build = next(line for line in PAGE.splitlines() if line.startswith("docker build"))
    assert build in CONTAINER
