"""Keeps what changes slowly (followers, profile, picture) fresh in the background, so that dispatch needn't ask.

Followers cost one call a channel. Spread over the day, 1,000 channels are well below a hundredth of Twitch's limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import EndpointGivenUpError, SecretsError, TwitchError, TwitchRefusedError
from itsjustintv_desktop.engine.twitch.helix import MOST, Helix
from itsjustintv_desktop.engine.twitch.profiles import FRESH, ProfileImages, Profiles

PAUSE = 2.0
"""Seconds between two calls."""
_TIMEOUT = 10.0
_TRY_AGAIN = 3600.0
"""Seconds before something that Twitch doesn't have is asked for once more."""
_LONGEST_PAUSE = 600.0
_LOOK = (60.0, 3600.0)
"""Least and most seconds until it is looked again, once everything is fresh."""

_log = structlog.get_logger(__name__)


class BackgroundRefresh:
    """One step at a time, and none while `busy`, or while the rate budget isn't ample."""

    def __init__(
        self, helix: Helix, profiles: Profiles, avatars: ProfileImages, *, busy: Callable[[], bool], clock: Clock
    ) -> None:
        self._helix = helix
        self._profiles = profiles
        self._avatars = avatars
        self._busy = busy
        self._clock = clock
        self._turns = ["profile", "followers", "picture"]
        """What was done last comes last."""
        self._tried: dict[tuple[str, str], float] = {}
        self._triggered = asyncio.Event()
        self._backoff = Backoff(2 * PAUSE, _LONGEST_PAUSE)

    def trigger(self) -> None:
        """The watched channels changed: look now."""
        self._triggered.set()

    async def run(self, watched: Callable[[], Iterable[str]]) -> None:
        """Work until cancelled; can be started again. `watched` gives the user ids of the channels we watch."""
        while True:
            self._triggered.clear()
            pause = await self._step(list(watched()))
            await self._clock.wait(self._triggered, pause)

    async def _step(self, ids: Sequence[str]) -> float:
        """Do at most one thing and return the seconds to wait before the next."""
        due = self._all_due(ids)
        if not due:
            return self._until_stale(ids)
        if self._busy() or not self._helix.client.budget.ample(self._clock.now()):
            return PAUSE
        # By turns: what fails again and again must not keep the rest from being done.
        what = next((one for one in self._turns if one in due), "profile")
        self._turns.remove(what)
        self._turns.append(what)
        for one in due[what]:
            self._tried[what, one] = self._clock.monotonic()
        try:
            await self._refresh(what, due[what])
        except (TwitchError, SecretsError) as error:
            if isinstance(error, EndpointGivenUpError) or (isinstance(error, TwitchRefusedError) and what != "profile"):
                _log.debug("something of a channel's profile cannot be had", what=what, reason=error.message)
                return PAUSE
            for one in due[what]:
                del self._tried[what, one]
            pause = self._backoff.next()
            _log.debug("refreshing profiles waits", reason=error.message, seconds=pause)
            return pause
        self._backoff.reset()
        return PAUSE

    def _all_due(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The channels that each thing is to be asked about next, without the things there is nothing to do for."""
        users = [one for one in ids if self._due("profile", one, self._profiles.get(one).fetched_at)][:MOST]
        followers = (one for one in ids if self._due("followers", one, self._profiles.get(one).followers_at))
        pictures = (one for one in ids if self._picture_due(one))
        due = {
            "profile": users,
            "followers": list(islice(followers, 1)) if self._helix.tells_followers else [],
            "picture": list(islice(pictures, 1)),
        }
        return {what: some for what, some in due.items() if some}

    async def _refresh(self, what: str, ids: Sequence[str]) -> None:
        if what == "profile":
            for user in await self._helix.users(ids=ids):
                self._profiles.learn(user)
        elif what == "followers":
            total = await self._helix.followers(ids[0])
            if total is not None:
                self._profiles.update(ids[0], followers=total, followers_at=self._clock.now())
        else:
            await self._avatars.refresh(self._profiles.get(ids[0]), timeout=_TIMEOUT)

    def _due(self, what: str, user_id: str, at: float) -> bool:
        return not self._profiles.fresh(at) and not self._tried_lately(what, user_id)

    def _picture_due(self, user_id: str) -> bool:
        return self._avatars.due(self._profiles.get(user_id)) and not self._tried_lately("picture", user_id)

    def _tried_lately(self, what: str, user_id: str) -> bool:
        tried = self._tried.get((what, user_id))
        return tried is not None and self._clock.monotonic() - tried < _TRY_AGAIN

    def _until_stale(self, ids: Sequence[str]) -> float:
        least, most = _LOOK
        profiles = [self._profiles.get(one) for one in ids]
        oldest = min((min(one.fetched_at, one.followers_at) for one in profiles), default=self._clock.now())
        return min(max(oldest + FRESH - self._clock.now(), least), most)
