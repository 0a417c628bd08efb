"""What happens in the day: made once from a seed, before anything runs. Times are seconds since midnight."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

DAY = 86400.0
BY_DICE = ("ada", "bob", "cleo", "dora", "emil", "fay", "gus", "hana", "ivo", "june")
LOGINS = (*BY_DICE, "kim")
BY_LOGIN = "june"
"""The config knows the login of this one only."""
RESTART_WINDOW = 900.0


@dataclass(order=True, frozen=True)
class Happening:
    at: float
    what: str
    about: str = field(default="", compare=False)


def hours(text: str) -> float:
    """ "13:05" or "13:05:30" as seconds since midnight."""
    hour, minute, *second = map(int, text.split(":"))
    return 3600.0 * hour + 60.0 * minute + sum(second)


def plan(lines: str) -> list[Happening]:
    """A line each: time, what, and perhaps about whom."""
    made = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        time, what, *about = line.split()
        made.append(Happening(hours(time), what, " ".join(about)))
    return made


def streams(seed: int) -> list[Happening]:
    """Channels going live and offline: `live` with a stream's name, `offline`, `again` (the same stream goes on)."""
    dice = random.Random(seed)
    made: list[Happening] = []
    for login in BY_DICE:
        made += _of_channel(login, dice)
    return made


def _of_channel(login: str, dice: random.Random) -> Iterator[Happening]:
    at = dice.uniform(300, 5400)
    number = 0
    while at < DAY - 3600:
        number += 1
        length = _choose(
            dice,
            (0.35, lambda: dice.uniform(120, 1500)),
            (0.40, lambda: dice.uniform(1500, 5400)),
            (0.25, lambda: dice.uniform(5400, 12600)),
        )
        end = min(at + length, DAY - 1800)
        yield Happening(at, "live", f"{login} {login}-{number}")
        if dice.random() < 0.2 and end - at > 400:
            flap = dice.uniform(at + 60, end - 120)
            yield Happening(flap, "offline", login)
            yield Happening(flap + dice.uniform(5, 40), "again", f"{login} {login}-{number}")
        yield Happening(end, "offline", login)
        crashed = dice.random() < 0.3
        at = end + (dice.uniform(30, 600) if crashed else dice.uniform(2 * RESTART_WINDOW, 7800))


def _choose(dice: random.Random, *options: tuple[float, Callable[[], float]]) -> float:
    """One of the options, each as often as its share says."""
    (make,) = dice.choices([make for _, make in options], [share for share, _ in options])
    return make()


KIM = """
    12:04:00 live kim kim-1
    12:10:00 offline kim
    13:06:00 live kim kim-2
    13:12:03 offline kim
    13:24:00 live kim kim-3
    13:55:00 offline kim
"""
"""The second begins while the machine sleeps and ends before anybody could see it: its end is all that is ever told.
The third is no second half of the first for that."""

SLEEPS = """
    03:10 sleep
    03:55 wake
    07:00 sleep
    09:20 wake
    13:05 sleep
    13:12 wake
    19:30 sleep
    20:10 wake
"""

TROUBLE = """
    02:15 revoke_tokens
    04:30 revoke notification_failures_exceeded
    06:00 duplicate_ids 1
    10:40 duplicate_ids 0
    11:00 helix_down
    12:00 helix_up
    12:20 duplicates 2
    13:40 revoke authorization_revoked
    14:00 club_down
    15:30 revoke_tokens
    16:05 stop
    16:15 start
    17:00 streams_lag 45
    18:00 club_up
    18:40 revoke version_removed
    21:30 revoke user_removed
    22:30 stop
    22:31 start
"""

WEBHOOK = """
    01:30 move
    05:40 move
    06:20 new_secret
    08:00 move
    09:50 silent
    10:35 open
    16:10 move
    20:40 move
"""

CONDUIT = """
    01:40 drop
    05:10 reconnect
    06:40 drop 4000
    08:30 delete_conduit
    12:40 ws_silent
    12:55 ws_heard
    15:00 drop 4005
    17:30 reconnect
    20:50 drop
"""


def webhook_day(seed: int) -> list[Happening]:
    return sorted([*plan(SLEEPS), *plan(TROUBLE), *plan(WEBHOOK), *plan(KIM), *streams(seed)])


def conduit_day(seed: int) -> list[Happening]:
    return sorted([*plan(SLEEPS), *plan(TROUBLE), *plan(CONDUIT), *plan(KIM), *streams(seed)])
