"""The secret Twitch signs with, as the public port needs it: at hand without waiting, or not there yet.

When it changes, the one before stays good for 24 hours: subscriptions made with it are on their way to be made anew,
and Twitch sends again what was signed with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec
import structlog

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import SecretsAbsentError, SecretsError, SecretsLockedError
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.storage.secrets import TWITCH_WEBHOOK_SECRET_PREVIOUS, SecretStore, SecretValues

RETRY_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 60.0
"""Between looks for the previous secrets, while the keyring is locked and the secret itself stands in the config."""
START_SECONDS = 5.0
"""How long the start waits for the secret: whoever is told that we listen may send at once."""
PREVIOUS_SECONDS = 86400.0
_MOST = 3
"""Previous secrets kept at a time; an item of the keyring is small."""

_UNKNOWN = "The webhook secret was not looked up yet."

_log = structlog.get_logger(__name__)


class _Previous(msgspec.Struct, frozen=True):
    """`until` is wall clock, Unix seconds."""

    secret: str
    until: float

    def __repr__(self) -> str:
        return f"_Previous(until={self.until})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("until", self.until)]


class _Kept(msgspec.Struct, frozen=True):
    """What is kept beside the secret itself: the one last used, which may come from the config, and those before."""

    used: str = ""
    previous: tuple[_Previous, ...] = ()

    def __repr__(self) -> str:
        return f"_Kept({len(self.previous)} previous)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("previous", len(self.previous))]


class WebhookSecret:
    """`current` is empty (Twitch hears 503) until `keep` found or made the secret. `problem` says why not."""

    def __init__(self, store: SecretStore, values: SecretValues, clock: Clock) -> None:
        self._store = store
        self._values = values
        self._clock = clock
        self._primary: str | None = None
        self._previous: tuple[_Previous, ...] = ()
        self._secrets: tuple[bytes, ...] = ()
        self._lock = asyncio.Lock()
        self._wanted = True
        self._again = asyncio.Event()
        self._looked = asyncio.Event()
        self.problem: str | None = _UNKNOWN
        self.changed: Signal[()] = Signal()
        """Another secret is in force than before: subscriptions have to be made anew."""

    @property
    def primary(self) -> str | None:
        """The one to subscribe with; None = not there yet."""
        return self._primary

    def current(self) -> Sequence[bytes]:
        """The secrets a message may be signed with now, the primary one first."""
        if self._previous and any(each.until <= self._clock.now() for each in self._previous):
            self._use(self._primary or "", self._previous)
        return self._secrets

    @property
    def is_wanted(self) -> bool:
        """False where nothing comes that would be signed: over a conduit."""
        return self._wanted

    def health(self) -> Status:
        """Since when the secrets cannot be had, where that is the reason."""
        if self.problem is None:
            return Status()
        state = self._store.state
        return Status(Level.WAITING, self.problem, state.since if state.message else None)

    def wanted(self) -> None:
        """Messages come that Twitch signs: a secret is needed, if there was none yet."""
        if not self._wanted:
            self._wanted = True
            self.problem = _UNKNOWN

    def look_again(self) -> None:
        """The config changed: another secret may stand in it."""
        self._again.set()

    def not_wanted(self) -> None:
        """Messages come over a conduit: no secret is looked up or made."""
        self._wanted = False
        self.problem = None

    async def looked(self) -> None:
        """Wait until the first look for it is over, with or without success, and not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await self._looked.wait()

    async def keep(self) -> None:
        """Get the secret, trying until the keyring gives it; ends then."""
        first = True
        while True:
            try:
                secret = await self._values.webhook_secret()
            except SecretsError as error:
                if first:
                    # The whole sentence stands in the line about the state of the secrets.
                    _log.warning("messages from Twitch must wait for the webhook secret", reason=error.title)
                self.problem = error.message
                self._looked.set()
            else:
                complete = await self._take(secret)
                self._looked.set()
                if complete:
                    return
                await self._clock.sleep(LOOK_AGAIN_SECONDS)
                await self._store.refresh()
                continue
            if first:
                first = False
                await self._store.unlock()  # the one time that a person may be asked
            else:
                await self._clock.sleep(RETRY_SECONDS)
                await self._store.refresh()

    async def run(self) -> None:
        """`keep` now and whenever the config changed, until cancelled."""
        while True:
            self._again.clear()
            await self.keep()
            await self._again.wait()

    async def rotate(self) -> None:
        """Make a new secret and use it from now on; the one so far stays good for 24 hours.

        Raises UsageError if it stands in the config or the environment, SecretsError if it cannot be kept.
        """
        async with self._lock:
            new = await self._values.new_webhook_secret()
            old = self._primary or await self._values.webhook_secret()
            kept = self._joined(await self._read(), old)
            # In this order a kill in between leaves the old one in force, or good for a day.
            await self._write(_Kept(used=old, previous=kept.previous))
            await self._values.keep_webhook_secret(new)
            await self._write(_Kept(used=new, previous=kept.previous))
            self._use(new, kept.previous)
            self.problem = None
            _log.info("a new webhook secret is in force")

    async def _take(self, secret: str) -> bool:
        """Use `secret`, and those before it if they can be had. False: those are to be looked for again."""
        async with self._lock:
            is_new, is_another = self._primary is None, self._primary not in {None, secret}
            complete, kept = True, False
            # What this process knows counts where nothing can be kept, or not now.
            now_kept = self._followed(_Kept(used=self._primary or "", previous=self._previous), secret)
            try:
                before = await self._read()
                now_kept = self._followed(_Kept(used=before.used, previous=before.previous + now_kept.previous), secret)
                if now_kept != before:
                    await self._write(now_kept)
                kept = self._store.lasting
            except SecretsLockedError:
                complete = False
            except SecretsAbsentError:
                pass  # nothing could ever be kept here
            except SecretsError as error:
                _log.info("the webhook secret used before is not kept", reason=error.title)
            self._use(secret, now_kept.previous)
            self.problem = None
            if is_new:
                more = {"previous": len(self._previous)} if self._previous else {}
                _log.info("the webhook secret is at hand", **more)
            if is_another:
                _log.info("another webhook secret is in force")
                if not kept:
                    _log.warning("the webhook secret used before is good for a day, but only until the program ends")
                self.changed.emit()
            return complete

    def _followed(self, before: _Kept, secret: str) -> _Kept:
        """What is to be kept once `secret` is the one in use."""
        joined = self._joined(before, before.used if before.used != secret else "")
        return _Kept(used=secret, previous=tuple(each for each in joined.previous if each.secret != secret))

    def _joined(self, kept: _Kept, old: str) -> _Kept:
        """What is kept and still good, with `old` as the latest of the previous ones ("" = none to add)."""
        now = self._clock.now()
        end = now + PREVIOUS_SECONDS
        # A clock that was set back must not make a secret good for longer than a day.
        good = [_Previous(each.secret, min(each.until, end)) for each in kept.previous if each.until > now]
        if old:
            good.insert(0, _Previous(old, end))
        once = {each.secret: each for each in reversed(good)}  # the first of each counts
        return _Kept(used=kept.used, previous=tuple(each for each in good if once[each.secret] is each)[:_MOST])

    def _use(self, primary: str, previous: Sequence[_Previous]) -> None:
        now = self._clock.now()
        redaction.learn(primary, *(each.secret for each in previous))
        self._primary = primary
        self._previous = tuple(each for each in previous if each.until > now and each.secret != primary)
        self._secrets = (primary.encode(), *(each.secret.encode() for each in self._previous))

    async def _read(self) -> _Kept:
        text = await self._store.get(TWITCH_WEBHOOK_SECRET_PREVIOUS)
        try:
            return msgspec.json.decode(text, type=_Kept) if text else _Kept()
        except (msgspec.DecodeError, UnicodeError):
            _log.warning("the kept webhook secrets are damaged and not used")
            return _Kept()

    async def _write(self, kept: _Kept) -> None:
        await self._store.set(TWITCH_WEBHOOK_SECRET_PREVIOUS, msgspec.json.encode(kept).decode())
