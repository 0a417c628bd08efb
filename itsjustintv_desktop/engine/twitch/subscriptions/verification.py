"""Whether our address answers Twitch: after failed handshakes one subscription is tried, not thousands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.twitch.subscriptions.models import Key
from itsjustintv_desktop.engine.twitch.subscriptions.plan import Creation

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 900.0


class Verification:
    """Remembers what was tried and how it ended, and chooses what may be tried now."""

    def __init__(self, clock: Clock, dice: Callable[[], float]) -> None:
        self._clock = clock
        self._backoff = pauses(dice)
        self.reset()

    def reset(self) -> None:
        """Another address or secret, or a person who asks: what was is no sign of what will be."""
        self._tried: set[Key] = set()
        self._trusted = False
        self._backoff.reset()
        self._again_at = float("-inf")

    @property
    def wait(self) -> float:
        """Seconds until something is tried again."""
        return max(self._again_at - self._clock.monotonic(), 0.0)

    @property
    def in_doubt(self) -> bool:
        """The last handshake that ended failed."""
        return self._backoff.failures > 0

    def judge(self, enabled: Collection[Key], unverified: Collection[Key]) -> None:
        """Learn how the ones tried have ended so far."""
        good, bad = self._tried.intersection(enabled), self._tried.intersection(unverified)
        self._tried -= good | bad
        if good or not (unverified or self._tried):
            self._trusted = True
            self._backoff.reset()
            self._again_at = float("-inf")
        if bad:
            self._trusted = bool(good)
            self._again_at = self._clock.monotonic() + self._backoff.next()

    def not_made(self, keys: Collection[Key]) -> None:
        """Some of those chosen were not made after all: no handshake of theirs will end, and the next try waits."""
        missing = self._tried.intersection(keys)
        self._tried -= missing
        if missing and self.in_doubt:
            self._again_at = self._clock.monotonic() + self._backoff.next()

    def choose(self, creations: Sequence[Creation], unverified: Collection[Key]) -> list[Creation]:
        """Those to make now. Ones that failed wait for their time, and for the address to have answered once."""
        failed = set(unverified)
        chosen = [one for one in creations if one.key not in failed]
        again = [one for one in creations if one.key in failed]
        if again and not self._trusted:
            chosen = again[:1]
        elif again:
            chosen += again
        if again and self.wait > 0:
            chosen = [one for one in chosen if one.key not in failed]
        self._tried.update(one.key for one in chosen)
        return chosen


def pauses(dice: Callable[[], float]) -> Backoff:
    """30 s, doubled each time up to 15 minutes, and 20 % up or down."""
    return Backoff(FIRST_PAUSE, LONGEST_PAUSE, jitter=lambda: 0.8 + 0.4 * dice())
