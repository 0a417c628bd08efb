from __future__ import annotations

import asyncio
import time

import pytest

from itsjustintv_desktop.engine.core.errors import TwitchUnreachableError
from tests.engine.twitch.rig import Rig
from tests.support.waiting import until


async def test_a_closed_session_is_never_opened_again(rig: Rig) -> None:
    await rig.http.exchange("GET", f"{rig.simulator.auth_url}/validate", timeout=5)
    await rig.http.close()
    with pytest.raises(TwitchUnreachableError, match="stopping"):
        await rig.http.exchange("GET", f"{rig.simulator.auth_url}/validate", timeout=5)
    assert rig.simulator.other_calls["validate"] == 1


async def test_closing_breaks_off_what_is_being_asked_and_nothing_asks_again(rig: Rig) -> None:
    channel = rig.simulator.add_channel("cool_user").user_id
    rig.simulator.faults.set("users", hang=True)
    asking = asyncio.ensure_future(rig.helix.users(ids=[channel]))
    await until(lambda: rig.simulator.calls["users"] == 1, what="Twitch was asked")
    began = time.monotonic()
    await rig.http.close()
    with pytest.raises(TwitchUnreachableError, match="stopping"):
        await asking
    assert time.monotonic() - began < 3.5, "it took the time of a whole try"
    assert rig.simulator.calls["users"] == 1
