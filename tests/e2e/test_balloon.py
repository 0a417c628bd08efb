"""Notifications on a tray that takes in windows (XEmbed), where Qt draws them in the program's own style."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from itsjustintv_desktop.ui.theme.tokens import DARK, LIGHT, Palette
from tests.support.desktop_session import desktop_session


@pytest.mark.timeout(120)
def test_a_notification_can_be_read_in_both_themes(tmp_path: Path) -> None:
    with desktop_session(tmp_path / "desktop") as desktop:
        palettes: tuple[Palette, ...] = (DARK, LIGHT)
        for palette in palettes:
            said = desktop.run(sys.executable, "-m", "tests.support.balloon", palette.name)
            found = json.loads(said)
            assert found["itself"], "the text is not escaped for a desktop that reads markup"
            assert found["behind"] == palette.card.lower()
            assert found["contrast"] >= 7, palette.name
