"""Pauses between tries that fail: each longer than the one before, up to a limit."""

from __future__ import annotations

from collections.abc import Callable

_STEPS = 60
"""After so many failures the pause has long been the longest; a larger power would only overflow."""


class Backoff:
    """`first` seconds after the first failure, each further pause `factor` times as long, `longest` at most."""

    def __init__(
        self, first: float, longest: float, *, factor: float = 2.0, jitter: Callable[[], float] | None = None
    ) -> None:
        """`jitter` gives what each pause is multiplied by, so that many machines do not try in step."""
        self._first = first
        self._longest = longest
        self._factor = factor
        self._jitter = jitter
        self.failures = 0
        """In a row."""

    def next(self) -> float:
        """One more failure: the seconds to wait before the next try."""
        self.failures += 1
        return self.after(self.failures)

    def reset(self) -> None:
        """It worked: the next pause is the first again."""
        self.failures = 0

    def after(self, failures: int) -> float:
        """The pause after so many failures in a row, for those who count elsewhere, as in the ledger."""
        pause: float = min(self._first * self._factor ** min(max(failures - 1, 0), _STEPS), self._longest)
        return pause if self._jitter is None else pause * self._jitter()
