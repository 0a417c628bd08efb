"""Whether every announcement arrived, verified and once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from itsjustintv_desktop.demo import environment
from itsjustintv_desktop.simulator.receiver import Received
from itsjustintv_desktop.simulator.server import Simulator


def arrived(simulator: Simulator) -> Counter[tuple[str, str]]:
    """How often each (login, destination) was accepted."""
    return Counter((_login(one), one.name) for one in simulator.receiver.all if one.accepted)


def expected() -> set[tuple[str, str]]:
    return {(login, name) for login, names in environment.EXPECTED.items() for name in names}


def is_complete(simulator: Simulator, feed: Path) -> bool:
    """Everything that must come has come."""
    return expected() <= set(arrived(simulator)) and {"soupandstories"} <= _in_feed(feed)


def faults(simulator: Simulator, feed: Path) -> list[str]:
    """What is not as it must be, as sentences; none = the demo worked."""
    counts = arrived(simulator)
    found = [f"{login} did not arrive at {name}" for login, name in sorted(expected() - set(counts))]
    found += [f"{login} arrived at {name}, which it must not" for login, name in sorted(set(counts) - expected())]
    found += [f"{login} arrived {count} times at {name}" for (login, name), count in counts.items() if count > 1]
    unsigned = [one for one in simulator.receiver.all if one.accepted and one.verified is not True]
    found += [f"{one.name} got {_login(one)} without a right signature" for one in unsigned]
    wanted = {login for login in environment.EXPECTED if login != "quietcorner"}
    in_feed = _in_feed(feed)
    found += [f"{login} is not in output.json" for login in sorted(wanted - in_feed)]
    found += [f"{login} is in output.json, which it must not" for login in sorted(in_feed - wanted)]
    return found


def _login(one: Received) -> str:
    body: Any = one.json
    if not isinstance(body, dict):
        return "?"
    if "streamer_login" in body:
        return str(body["streamer_login"])
    # A Discord message: the channel's address is the link of its embed.
    return str(body["embeds"][0]["url"]).rsplit("/", 1)[-1]


def _in_feed(feed: Path) -> set[str]:
    try:
        entries = msgspec.json.decode(feed.read_bytes())
    except (OSError, msgspec.DecodeError):
        return set()
    return {entry["payload"]["streamer_login"] for entry in entries}
