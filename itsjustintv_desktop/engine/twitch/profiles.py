"""What is remembered of a channel between its streams: name, description, picture, followers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import ImageError, LedgerError
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.storage.image_cache import ImageCache
from itsjustintv_desktop.engine.twitch.helix import User, chunks

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
        """The picture that is at hand now, new or old."""
        if profile.image is None or not await self._images.has(profile.image.sha256):
            return None
        return profile.image

    async def refresh(self, profile: Profile, *, timeout: float) -> Image | None:
        """Fetch the picture within `timeout` seconds. None: it can't be had now."""
        try:
            image = await self._images.fetch(profile.image_url, timeout=timeout)
        except ImageError as error:
            _log.info("a profile image cannot be had", user_id=profile.user_id, reason=error.message)
            return None
        self._profiles.update(profile.user_id, image=image, image_at=self._clock.now())
        return image
