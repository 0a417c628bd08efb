"""Keeps the profile image of a channel at hand."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import ImageError
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.storage.image_cache import ImageCache
from itsjustintv_desktop.engine.twitch.profiles import Profile, Profiles

_log = structlog.get_logger(__name__)


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
