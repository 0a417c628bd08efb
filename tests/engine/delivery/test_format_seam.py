"""A format in a file of its own, registered once, is known everywhere: config, settings, preview and delivery."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult

import pytest

from itsjustintv_desktop.engine.api.settings.fields import all_fields
from itsjustintv_desktop.engine.config.load import examine
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats import text
from itsjustintv_desktop.engine.delivery.formats.base import Format, Picture
from tests.support.engine import running_engine

STREAMER = '[streamers.alice]\nlogin = "alice"\ndestinations = ["main"]\n'


class Pigeon(Format):
    name = "pigeon"
    title = "Pigeon"
    content_type = "text/plain"
    ignores = frozenset({"secret", "picture"})

    def render(
        self, payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
    ) -> bytes:
        return f"coo: {text.title(payload)}".encode()

    def readable(self, body: bytes) -> str:
        return body.decode()

    def recognises(self, host: str, parts: SplitResult) -> bool:
        return parts.path.startswith("/receiver/pigeon")

    def address_mistake(self, host: str, parts: SplitResult) -> str:
        return "this is the loft's own page; copy the address of the pigeon" if parts.path == "/loft" else ""

    def is_final(self, body: bytes) -> bool:
        return body == b"no such loft"


@pytest.fixture(autouse=True)
def pigeon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_FORMATS", dict(formats._FORMATS))
    formats.register(Pigeon())


def remarks(destination: str) -> tuple[list[str], list[str]]:
    found = examine(f"[destinations.main]\n{destination}\n{STREAMER}", {})
    return [f"{one.key}: {one.sentence}" for one in found.problems], [
        f"{one.key}: {one.sentence}" for one in found.warnings
    ]


def test_the_config_knows_it() -> None:
    assert remarks('url = "https://a.example/"\nformat = "pigeon"') == ([], [])
    (problem,), _ = remarks('url = "https://a.example/"\nformat = "pidgeon"')
    assert 'use one of "json", "discord", "slack", "pigeon"; did you mean "pigeon"?' in problem
    _, (warning,) = remarks('url = "https://a.example/"\nformat = "pigeon"\nsecret = "a secret"')
    assert "secret" in warning
    assert "it is not used: Pigeon has no use for it" in warning
    _, (warning,) = remarks('url = "https://a.example/loft"')
    assert "this is the loft's own page" in warning


def test_settings_offers_it() -> None:
    (field,) = (one for one in all_fields(Config(), {}) if one.path == ("destinations", "*", "format"))
    assert field.choices == ("json", "discord", "slack", "pigeon")


@pytest.mark.parametrize("key", ['format = "pigeon"', ""])
async def test_preview_and_delivery_use_it(tmp_path: Path, key: str) -> None:
    """Named in the file, or recognised by the address."""
    config = f'[destinations.main]\nurl = "RECEIVER/pigeon"\nsecret = "unused"\n{key}\n{STREAMER}'
    async with running_engine(tmp_path, config, logins=("alice",)) as running:
        (info,) = await running.engine.api.settings.destinations.list()
        assert (info.format, info.signed) == ("pigeon", False)
        preview = await running.engine.api.settings.preview.render(None, "main")
        assert preview.body.startswith("coo: ")
        names = {name for name, _ in preview.headers}
        assert "X-Hub-Signature-256" not in names
        await running.simulator.go_live("alice")
        (received,) = await running.simulator.receiver.wait_for(1, "pigeon")
        assert received.body.startswith(b"coo: ")
        assert received.headers["Content-Type"] == "text/plain"
        assert "X-Hub-Signature-256" not in received.headers
        test = await running.engine.api.settings.preview.test("main")
        assert test.ok


def test_no_other_file_names_a_format() -> None:
    """Whatever depends on a format asks the registry; the redaction of addresses knows their shapes."""
    package = Path(formats.__file__).parents[3]
    own = Path(formats.__file__).parent
    names = [f'"{name}"' for name in ("discord", "slack")] + ['== "json"', '!= "json"']
    found = {
        path.relative_to(package).as_posix()
        for folder in ("engine", "ui", "commands")
        for path in (package / folder).rglob("*.py")
        if own not in path.parents and any(name in path.read_text(encoding="utf-8") for name in names)
    }
    assert found == set()
