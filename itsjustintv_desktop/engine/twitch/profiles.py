"""What is remembered of a channel between its streams (name, description, picture, followers), and kept fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    EndpointGivenUpError,
    ImageError,
    LedgerError,
    SecretsError,
    TwitchError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.storage.image_cache import ImageCache
from itsjustintv_desktop.engine.twitch.helix import MOST, Helix, User, chunks

_log = structlog.get_logger(__name__)

FRESH = 86400.0
"""Seconds for which an entry is used without asking again."""
_LINGER = 1.0
_ROWS = 200
"""At most this many in one transaction, so that accepting messages never waits long."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times are Unix seconds; 0.0 = never."""

    user_id: str
    login: str = ""
    display_name: str = ""
    description: str = ""
    image_url: str = ""
    image: Image | None = None
    followers: int | None = None
    fetched_at: float = 0.0
    followers_at: float = 0.0
    image_at: float = 0.0


class ProfileStore(Protocol):
    """Where profiles outlive the process: user id -> JSON. Both raise LedgerError."""

    async def load_profiles(self) -> dict[str, bytes]: ...

    async def save_profiles(self, profiles: Iterable[tuple[str, bytes | None]]) -> None: ...


class Profiles:
    """All of them in memory (about 1 KB each); changes are saved behind, many at a time."""

    def __init__(self, store: ProfileStore, *, tasks: Tasks, clock: Clock, linger: float = _LINGER) -> None:
        self._store = store
        self._tasks = tasks
        self._clock = clock
        self._linger = linger
        self._known: dict[str, Profile] = {}
        self._unsaved: set[str] = set()
        self._saver: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Read what was kept. Entries that can't be read are left out: they will be fetched again."""
        try:
            kept = await self._store.load_profiles()
        except LedgerError as error:
            _log.warning("the profiles could not be read", reason=error.message)
            return
        for user_id, body in kept.items():
            try:
                self._known.setdefault(user_id, msgspec.json.decode(body, type=Profile))
            except (msgspec.DecodeError, UnicodeDecodeError):
                _log.warning("a kept profile is damaged and left out", user_id=user_id)

    def get(self, user_id: str) -> Profile:
        """The profile, an empty one for a channel never met."""
        return self._known.get(user_id) or Profile(user_id=user_id)

    def fresh(self, at: float) -> bool:
        """Whether something had `at` that time is still good. A time in the future is not: the clock was set."""
        return 0.0 <= self._clock.now() - at < FRESH

    def images(self) -> set[str]:
        """SHA-256 (hex) of every picture in use, which a purge of the image cache must keep."""
        return {profile.image.sha256 for profile in self._known.values() if profile.image is not None}

    def update(self, user_id: str, **changes: Any) -> Profile:
        """Change fields of a profile and have it saved soon."""
        profile = self._known[user_id] = msgspec.structs.replace(self.get(user_id), **changes)
        self._unsaved.add(user_id)
        if self._saver is None or self._saver.done():
            self._saver = self._tasks.start("twitch.profiles.save", self._save_soon())
        return profile

    def learn(self, user: User) -> Profile:
        """Take over what Get Users says; a name that it leaves out stays as it was."""
        before = self.get(user.id)
        return self.update(
            user.id,
            login=user.login or before.login,
            display_name=user.display_name or before.display_name,
            description=user.description,
            image_url=user.profile_image_url,
            fetched_at=self._clock.now(),
        )

    async def save(self) -> bool:
        """Write what isn't saved yet. False: the ledger can't now; the next change tries again."""
        for part in chunks(sorted(self._unsaved), _ROWS):
            self._unsaved.difference_update(part)
            saved = False
            try:
                await self._store.save_profiles([(key, msgspec.json.encode(self._known[key])) for key in part])
                saved = True
            except LedgerError as error:
                _log.warning("the profiles could not be saved", reason=error.message)
                return False
            finally:
                if not saved:  # also when cancelled: the owner saves once more while it closes
                    self._unsaved.update(part)
        return True

    async def _save_soon(self) -> None:
        while self._unsaved:
            await self._clock.sleep(self._linger)
            if not await self.save():
                return


class ProfileImages:
    """`ttl` gives the seconds after which a picture is fetched again even though its address stayed the same."""

    def __init__(
        self, images: ImageCache, profiles: Profiles, *, clock: Clock, ttl: Callable[[], float] = lambda: 604800.0
    ) -> None:
        self._ttl = ttl
        self._images = images
        self._profiles = profiles
        self._clock = clock

    def due(self, profile: Profile) -> bool:
        """Whether there is a picture to fetch."""
        if not profile.image_url:
            return False
        age = self._clock.now() - profile.image_at
        return profile.image is None or profile.image.url != profile.image_url or not 0 <= age < self._ttl()

    async def kept(self, profile: Profile) -> Image | None:
        """The stored picture, current or outdated; None if there is none."""
        if profile.image is None or not await self._images.has(profile.image.sha256):
            return None
        return profile.image

    async def refresh(self, profile: Profile, *, timeout: float) -> Image | None:
        """Fetch the picture within `timeout` seconds. None: it could not be fetched."""
        try:
            image = await self._images.fetch(profile.image_url, timeout=timeout)
        except ImageError as error:
            _log.info("a profile image cannot be had", user_id=profile.user_id, reason=error.message)
            return None
        self._profiles.update(profile.user_id, image=image, image_at=self._clock.now())
        return image


PAUSE = 2.0
"""Seconds between two calls."""
_TIMEOUT = 10.0
_TRY_AGAIN = 3600.0
"""Seconds before something that Twitch doesn't have is asked for once more."""
_LONGEST_PAUSE = 600.0
_LOOK = (60.0, 3600.0)
"""Shortest and longest pause (seconds) once everything is fresh."""


class BackgroundRefresh:
    """Keeps profiles fresh, so that announcing rarely asks: one step at a time, none while `busy` or short of points.

    Followers cost one call a channel. Spread over the day, 1,000 channels take less than a hundredth of the limit.
    """

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
