"""Log lines that come too often: said at once, then at most now and then, with how many were left out."""

from __future__ import annotations

from itsjustintv_desktop.engine.core.clock import Clock

_MOST_KINDS = 100


class LogThrottle:
    """Ask `due` before logging. One for each kind of line."""

    def __init__(self, clock: Clock, every: float = 10.0) -> None:
        """`every`: least seconds between two lines."""
        self._clock = clock
        self._every = every
        self._next = float("-inf")
        self._left_out = 0

    def due(self) -> int | None:
        """None: keep quiet. Else say it, and how many were left out since the last time."""
        now = self._clock.monotonic()
        if now < self._next:
            self._left_out += 1
            return None
        left_out, self._left_out = self._left_out, 0
        self._next = now + self._every
        return left_out


class LogThrottles:
    """A `LogThrottle` for each kind of line, so that no kind can hide another."""

    def __init__(self, clock: Clock, every: float) -> None:
        """`every`: least seconds between two lines of a kind."""
        self._clock = clock
        self._every = every
        self._kinds: dict[str, LogThrottle] = {}

    def due(self, kind: str) -> int | None:
        """As that of `LogThrottle`. Of very many kinds the latter ones are one."""
        if len(self._kinds) >= _MOST_KINDS and kind not in self._kinds:
            kind = ""
        return self._kinds.setdefault(kind, LogThrottle(self._clock, self._every)).due()


class FailureLog:
    """Lines about something that goes on failing: when it begins, when its reason changes, then now and then."""

    def __init__(self, clock: Clock, every: float) -> None:
        """`every`: least seconds between two lines of the same reason."""
        self._clock = clock
        self._every = every
        self._reason: str | None = None
        self._throttle = LogThrottle(clock, every)

    def failed(self, reason: str) -> int | None:
        """None: keep quiet. Else say it, and how often it was left out since the last time."""
        if reason != self._reason:
            self._reason, self._throttle = reason, LogThrottle(self._clock, self._every)
        return self._throttle.due()

    def worked(self) -> bool:
        """Whether to say that it works again: once, after it failed."""
        was, self._reason = self._reason, None
        return was is not None
