"""From nothing to the first announcement, by the assistant; then a streamer is edited, and all of it is kept.

Everything is typed and clicked on a real desktop, as in test_desktop.py; the secrets go to a real keyring.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip(
    "PySide6.QtGui", reason="Qt's libraries are not on this machine (make system-deps)", exc_type=ImportError
)

from tests.e2e.desktop_scene import LIVE, Scene, scene
from tests.support.desktop_session import DesktopProgram
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


async def test_from_the_first_start_to_the_first_announcement(tmp_path: Path) -> None:
    async with scene(tmp_path, new=True) as here:
        desktop, simulator, paths = here.desktop, here.simulator, here.paths
        del here.environ["ITSJUSTINTV_TWITCH_CLIENT_ID"], here.environ["ITSJUSTINTV_TWITCH_WEBHOOK_SECRET"]
        here.environ["ITSJUSTINTV_TWITCH_RESTART_WINDOW"] = "0s"
        address = f"{simulator.url}/receiver/main"
        program = here.start()
        await here.windows(1)
        await _through_the_assistant(here, program, address)

        # The real thing.
        await here.do(program.see, "Overview", kind="NavButton")
        await until(lambda: len(simulator.eventsub.subscriptions) == 2, timeout=20, what="Twitch would tell us")
        await until(
            lambda: all(each.status == "enabled" for each in simulator.eventsub.subscriptions), what="they are enabled"
        )
        before = len(simulator.receiver.accepted("main"))
        await simulator.go_live("alice")
        await until(lambda: len(simulator.receiver.accepted("main")) == before + 1, timeout=20, what="it was announced")
        await here.tray(LIVE)
        await here.picture("announced")
        assert simulator.client_secret.encode() not in paths.config.read_bytes()
        assert address.encode() not in paths.config.read_bytes(), "an address is a secret"

        await _announce_only(here, program, "German")
        await simulator.go_offline("alice")
        await simulator.go_live("alice")
        await until(lambda: "filtered" in here.reasons(), timeout=20, what="it was not announced")
        await here.do(desktop.key, "ctrl+2")
        await here.do(program.read, "None of its tags is in the filter")
        await here.picture("feed")
        assert len(simulator.receiver.accepted("main")) == before + 1

        # Started again: no assistant, and the streamer as it was left.
        await here.do(desktop.key, "ctrl+q")
        assert await here.do(program.ended) == 0
        here.nothing_runs()
        assert "Traceback" not in program.log.read_text()
        again = here.start()
        await here.windows(1)
        await here.tray(LIVE)
        await here.do(again.see, "Open the channel of Alice")
        assert await here.do(again.find, "Set up itsjustintv") is None
        assert simulator.receiver.doubles() == {}


async def _through_the_assistant(here: Scene, program: DesktopProgram, address: str) -> None:
    desktop, simulator = here.desktop, here.simulator

    async def press(name: str) -> None:
        await here.do(desktop.click, await here.do(program.see, name))

    await here.do(program.see, "Tell the world when you go live")
    await here.picture("welcome")
    await here.do(program.tab_to, "Begin")
    await here.do(desktop.key, "Return")
    await here.do(program.see, "Register an application at Twitch")
    await here.do(program.tab_to, "Client id")
    await here.do(desktop.type, simulator.client_id)
    await here.do(program.tab_to, "Client secret")
    await here.do(desktop.type, simulator.client_secret)
    await here.picture("register")
    await press("Check and save")
    await here.do(program.see, "How Twitch reaches you")
    await here.do(program.see, "Use this way")  # the conduit is looked at by itself
    await here.picture("reach")
    await press("Use this way")
    await here.do(program.see, "Who shall be watched?")
    await here.do(desktop.type, "https://twitch.tv/alice")
    await here.do(desktop.key, "Return")
    await here.do(program.see, "Watch this channel")
    await here.picture("streamer")
    await here.do(desktop.key, "Return")
    await press("Watch this channel")
    await here.do(program.see, "Where shall it be told?")
    await here.do(desktop.type, address)
    await here.do(program.read, "Understood as")
    await here.picture("destination")
    await here.do(desktop.key, "Return")
    await press("Send a test")
    await here.do(program.read, "It arrived")
    await here.picture("test")
    (got,) = simulator.receiver.accepted("main")
    assert got.json["test"] is True
    await press("Next")
    await here.do(program.read, "Watched: Alice")
    await here.picture("done")
    await press("Finish")


async def _announce_only(here: Scene, program: DesktopProgram, tag: str) -> None:
    """Edit the one streamer: its row is chosen, a tag typed, and saved."""
    desktop = here.desktop
    await here.do(desktop.key, "ctrl+3")
    table = await here.do(program.see, "Streamers", kind="StreamerTable")
    await here.do(desktop.click, replace(table, y=table.y - table.height // 2 + 60))
    await here.do(program.tab_to, "Announce only with these tags")
    await here.do(desktop.type, tag)
    await here.do(desktop.key, "Return")
    await here.picture("edited")
    await here.do(desktop.click, await here.do(program.see, "Save"))
    await here.do(program.read, "Saved alice")
    (streamer,) = tomllib.loads(here.paths.config.read_text())["streamers"].values()
    assert streamer["tag_filter"] == [tag]
