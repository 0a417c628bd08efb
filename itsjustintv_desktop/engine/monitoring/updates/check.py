"""Asks once a day whether there is a newer version, and says so. It downloads nothing and installs nothing."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
import structlog

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, UpdateUnreachableError
from itsjustintv_desktop.engine.core.events import Bus, UpdateChanged
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.monitoring.updates import signing
from itsjustintv_desktop.engine.monitoring.updates.fetch import both
from itsjustintv_desktop.engine.monitoring.updates.manifest import Manifest, decode
from itsjustintv_desktop.engine.monitoring.updates.signing import Order, is_final, is_signed, order, tidy
from itsjustintv_desktop.engine.storage.ledger import Ledger

_log = structlog.get_logger(__name__)

Code = Literal[
    "off", "no-key", "unreleased", "simulated", "not-asked", "current", "newer", "unreachable", "refused", "expired",
    "older",
]  # fmt: skip
WORDS: dict[Code, str] = {
    "off": "It is switched off: [updates] check.",
    "no-key": "This build has no key for updates, so it does not look for newer versions.",
    "unreleased": "This is no released version, so it does not look for newer ones.",
    "simulated": "Twitch is simulated, so nobody is asked for newer versions.",
    "not-asked": "It was not asked yet for newer versions.",
    "current": "This is the newest version.",
    "newer": "There is a newer version, which was skipped.",
    "refused": "What came as the list of versions is not signed by this project, and is not believed.",
    "expired": "The list of versions that came is no longer valid: news may be held back, or this clock be wrong.",
    "older": "The list of versions that came is older than one seen before: news may be held back.",
}
NEVER_ASKS: frozenset[Code] = frozenset({"off", "no-key", "unreleased", "simulated"})
SUSPICIOUS: frozenset[Code] = frozenset({"refused", "expired", "older"})


class UpdateView(msgspec.Struct, frozen=True, kw_only=True):
    """A newer version. `released`: Unix seconds. Both addresses are https pages."""

    version: str
    released: float
    download_url: str
    notes_url: str


_KEY = "updates"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The newest manifest that was ever believed is kept as it came, to be verified anew by the keys of each start.

    A key that was stolen has its say only as long as it is pinned: not in what it left here, either.
    """

    raw: bytes = b""
    signatures: bytes = b""
    answered_at: float = 0.0
    """When the last answer came, Unix seconds."""
    skipped: str = ""
    """The version that a person does not want to hear of."""
    told: str = ""
    """The version that was told of last."""


async def _load(ledger: Ledger) -> Kept:
    """Nothing where nothing can be read. What is in it is a claim until its signature was verified."""
    try:
        kept = msgspec.json.decode((await ledger.meta(_KEY)) or "{}", type=Kept)
        claim = _claim(kept)
    except LedgerError as error:
        _log.warning("what is known of newer versions could not be read", reason=error.message)
    except ValueError:  # msgspec's own are some
        _log.warning("what is known of newer versions is damaged and left out")
    else:
        # What was skipped and told goes with the manifest that it was said of; rows of once had it without signatures.
        return kept if claim is not None else Kept(answered_at=kept.answered_at)
    return Kept()


def _claim(kept: Kept) -> Manifest | None:
    """What the kept bytes say, verified or not. Raises ValueError."""
    return decode(kept.raw) if kept.raw else None


async def _save(ledger: Ledger, kept: Kept) -> None:
    """Raises LedgerError."""
    await ledger.set_meta(_KEY, msgspec.json.encode(kept).decode())


FIRST = 180.0
"""Seconds after the start before anything is asked, and as much again left to chance."""
EVERY = 86400.0
"""Seconds between two answers, a tenth more or less."""
AGAIN = 7200.0
"""Seconds until the next try where there was no answer, a tenth more or less."""
LOOK = 1800.0
"""Seconds between two looks at the wall clock: the monotonic one may stand still while the machine sleeps."""


class _Answer(NamedTuple):
    """One that is signed by one of our keys."""

    manifest: Manifest
    raw: bytes
    signatures: bytes


class UpdateCheck:
    """Keep `run` running. `view` is the newer version to show, `health` and `note` how it stands."""

    def __init__(
        self,
        endpoints: Endpoints,
        config: ConfigHolder,
        ledger: Ledger,
        bus: Bus,
        clock: Clock,
        outbound: Outbound,
        version: str = __version__,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._outbound = outbound
        self._address = endpoints.updates_url
        self._held: Code | None = "simulated" if endpoints.simulated and not _is_here(self._address) else None
        self._version = version
        self._own: Order | None = None
        try:
            self._own = order(version)
        except ValueError:
            self._held = "unreleased"
        self._keys: tuple[bytes, ...] = ()
        self._kept = Kept()
        self._claimed: Manifest | None = None  # what the ledger says is the highest, until it is verified
        self._highest: Manifest | None = None  # verified in this run
        self._last: Code = "not-asked"
        self._why = ""
        self._since = self._clock.now()
        self._triggered = asyncio.Event()
        self._shown = ""
        self._begun = 0.0
        self._every = EVERY
        self._again: float | None = None

    @property
    def code(self) -> Code:
        """How it stands, in a word for programs."""
        if self._held is not None:
            return self._held
        return self._last if self._config.current.config.updates.check else "off"

    @property
    def view(self) -> UpdateView | None:
        """The newer version, unless a person skipped it or wants to hear of none."""
        found = self._highest
        if found is None or self.code in NEVER_ASKS:
            return None
        if not self._is_newer(found) or found.version == self._kept.skipped:
            return None
        return UpdateView(
            version=found.version,
            released=found.released.timestamp(),
            download_url=found.download_url,
            notes_url=found.notes_url,
        )

    @property
    def sentence(self) -> str:
        """How it stands, for a person."""
        code, view = self.code, self.view
        if view is not None and code not in SUSPICIOUS:
            return f"Version {view.version} is there; this is {self._version}. See {view.download_url}"
        return self._why if code == "unreachable" else WORDS[code]

    def health(self) -> Status:
        """For health. Nothing that happens here is trouble."""
        return Status(Level.OK, self.sentence, self._since)

    @property
    def note(self) -> str | None:
        """What is worth a line among the doctor's: a newer version, or a list that is not believed."""
        return self.sentence if self.view is not None or self.code in SUSPICIOUS else None

    def trigger(self) -> None:
        """Another config is in force."""
        self._triggered.set()

    async def skip(self, version: str) -> None:
        """Say no more of this version; of later ones it is said again. Raises LedgerError."""
        before = self._kept.skipped
        try:
            await self._change(skipped=version)
        except LedgerError:
            self._kept = msgspec.structs.replace(self._kept, skipped=before)
            raise
        self._triggered.set()

    async def run(self) -> None:
        """Until cancelled. Nothing outside is asked while it is switched off, or there is no key."""
        await self.begin()
        while True:
            await self._tell()
            wait = self._due_in()
            if wait <= 0:
                await self.check()
                continue
            await self._clock.wait(self._triggered, min(wait, LOOK))
            self._triggered.clear()

    async def begin(self) -> None:
        """Read what is known."""
        self._begun = self._clock.monotonic() + FIRST * (1 + random.random())
        self._kept = await _load(self._ledger)
        self._claimed = _claim(self._kept)
        try:
            self._keys = await asyncio.to_thread(signing.pinned_keys)
        except (OSError, ValueError) as error:
            _log.warning("the keys for updates cannot be read", reason=str(error))
        if self._held is None and not self._keys:
            self._held = "no-key"

    async def check(self) -> None:
        """Ask now, and note what came of it."""
        await self._verify_kept()
        try:
            answer = await self._ask()
        except UpdateUnreachableError as error:
            self._again = self._clock.monotonic() + _about(AGAIN)
            self._note("unreachable", error.message)
            return
        self._again, self._every = None, _about(EVERY)
        highest, news = self._highest, {}
        if answer is None:
            self._note("refused")
        elif (manifest := answer.manifest).expires.timestamp() <= self._clock.now():
            self._note("expired", version=manifest.version, expired=manifest.expires.isoformat())
        elif highest is not None and order(manifest.version) < order(highest.version):
            self._note("older", version=manifest.version, known=highest.version)
        else:
            self._highest = manifest
            news = {"raw": answer.raw, "signatures": tidy(answer.signatures)}
            self._note("newer" if self._is_newer(manifest) else "current")
        await self._keep(answered_at=self._clock.now(), **news)

    async def _verify_kept(self) -> None:
        """Take up what is kept from before, or forget it if it is not signed by a key of this very build."""
        if self._claimed is None:
            return
        if await asyncio.to_thread(is_signed, self._kept.raw, self._kept.signatures, self._keys):
            self._highest = self._claimed
        else:
            _log.info("what was known of newer versions is not signed by a key of this version, and is left out")
            self._kept = Kept()
            await self._keep()
        self._claimed = None

    async def _ask(self) -> _Answer | None:
        """None: it is not signed by one of our keys, or it is no manifest. Raises UpdateUnreachableError."""
        for _ in range(2):  # the two files may have been renewed between the one and the other
            raw, signatures = await both(self._address, self._outbound)
            if await asyncio.to_thread(is_signed, raw, signatures, self._keys):
                try:
                    return _Answer(decode(raw), raw, signatures)
                except ValueError as error:
                    _log.warning("the list of versions is well signed and cannot be read", reason=str(error))
                    return None
        return None

    def _is_newer(self, manifest: Manifest) -> bool:
        """A pre-release is for who has one, should a list ever name any."""
        found = order(manifest.version)
        return self._own is not None and found > self._own and (is_final(found) or not is_final(self._own))

    def _due_in(self) -> float:
        """Seconds until the next question; inf while none is wanted."""
        if self._held is not None or not self._config.current.config.updates.check:
            return float("inf")
        mono = self._clock.monotonic()
        if self._again is not None:
            return self._again - mono
        passed = self._clock.now() - self._kept.answered_at
        wait = self._every - passed if passed >= 0 else 0.0  # a time to come is one of a clock that was wrong
        return max(wait, self._begun - mono)

    def _note(self, code: Code, why: str = "", **details: str) -> None:
        if (code, why) != (self._last, self._why):
            self._since = self._clock.now()
            if code in SUSPICIOUS:
                _log.warning("updates", text=WORDS[code], **details)
            elif code == "unreachable":
                _log.info("it could not be asked for newer versions", reason=why)
        self._last, self._why = code, why

    async def _change(self, **changes: Any) -> None:
        """In memory at once, so that no change is lost among others under way. Raises LedgerError."""
        self._kept = msgspec.structs.replace(self._kept, **changes)
        await _save(self._ledger, self._kept)

    async def _keep(self, **changes: Any) -> None:
        try:
            await self._change(**changes)
        except LedgerError as error:
            _log.info("what is known of newer versions could not be kept", reason=error.message)

    async def _tell(self) -> None:
        """To all who watch, and to the log: what is shown now, a version once for all times."""
        if self._claimed is not None and self._is_newer(self._claimed) and self.code not in NEVER_ASKS:
            await self._verify_kept()  # else it can wait for the next question: verifying loads what costs 8 MB
        version = self.view.version if self.view is not None else ""
        is_new = bool(version) and version != self._kept.told
        if is_new:
            _log.info("there is a newer version", version=version, page=self.view.download_url if self.view else "")
            await self._keep(told=version)
        if is_new or version != self._shown:
            self._shown = version
            self._bus.publish(UpdateChanged(version=version, is_new=is_new))


def _about(seconds: float) -> float:
    return seconds * random.uniform(0.9, 1.1)


def _is_here(address: str) -> bool:
    return is_loopback(urlsplit(address).hostname)
