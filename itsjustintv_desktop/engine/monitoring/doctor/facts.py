"""What the checks judge by: plain values, gathered before (collect.py). Times are Unix seconds.

None means that something could not be asked, or was not.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.core.errors import AppError
from itsjustintv_desktop.engine.ingress.catch_up.catch_up import CatchUpState, CatchUpStatus
from itsjustintv_desktop.engine.ingress.transports import TransportStatus
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probed
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer
from itsjustintv_desktop.engine.storage.secrets import SecretsState
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelState, SubscriptionsStatus


class ProgramFacts(msgspec.Struct, frozen=True, kw_only=True):
    running: bool
    """False: the engine that is asked was only started to answer."""
    address: str = ""
    """Host and port of the public port, for a person."""
    broken: Mapping[str, str] = {}
    """Loops that are down now, and why."""
    dispensable: frozenset[str] = frozenset()
    """Loops that announcing does not need."""
    others: Mapping[str, str] = {}
    """Parts that are not well and that no other check is about, and why."""
    paused: str = ""
    """The sentence that announcements are paused; "" = they are made."""
    stood_still: str | None = None
    """That it did nothing at all for a while within the last hour, as a sentence."""
    proxies: tuple[str, ...] = ()
    """Host and port of the proxies that requests go through, and where each was set; no password."""
    unusable_proxies: Mapping[str, str] = {}
    """Variables that name a proxy which cannot be used, and why."""
    newer: str | None = None
    """That there is a newer version, or that a list of versions is not believed, as a sentence."""


class ConfigFacts(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    config: Config
    nothing_set_up: bool = False
    """There is no file, and nothing in the environment makes up for it."""
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    changed: bool = False
    """The file is not as it was when the program read it."""
    problems: tuple[str, ...] = ()
    """Why it could not be used as it is now."""
    kept: str = ""
    """Why the last good config stays in force, as the running program says; "" = the file is in force."""


class SecretsFacts(msgspec.Struct, frozen=True, kw_only=True):
    has_client_id: bool
    has_client_secret: bool
    client_problem: AppError | None = None
    """Why the client secret could not be looked up."""
    signing_problem: str | None = None
    """Why Twitch's messages cannot be verified now; None also where nothing is signed."""
    in_clear: tuple[str, ...] = ()
    choice: str = "keyring"
    """[secrets] store."""
    state: SecretsState


class TwitchFacts(msgspec.Struct, frozen=True, kw_only=True):
    problem: AppError | None
    """What came of validating the token."""
    api_problem: AppError | None = None
    """Why its API fails since it was last called; None while it answers."""
    clock_known: bool
    clock_problem: str | None
    clock_jumped: str | None = None
    """That it was set, or the machine slept, within the last hour, as a sentence."""
    clock_doubted: bool = False
    """Nothing is given up because of its age now, since the clock may be wrong."""


class ReachFacts(msgspec.Struct, frozen=True, kw_only=True):
    way: TransportStatus
    probe: Probed | None
    subscriptions: SubscriptionsStatus
    catch_up: CatchUpStatus
    poll_interval: float
    """Seconds; 0 = only after start and wake."""
    catch_up_max_age: float
    """Seconds; an older stream that is found by asking is not announced. 0 = none is."""
    last_message: float | None
    """When Twitch's last message came in."""

    @property
    def polls(self) -> bool:
        """Whether streams are found by asking and announced then: late, but surely."""
        return self._finds_by_asking and self.catch_up.state is CatchUpState.OK

    @property
    def will_poll(self) -> bool:
        """The same, but the first answer is not there yet."""
        return self._finds_by_asking and self.catch_up.state is CatchUpState.STARTING

    @property
    def _finds_by_asking(self) -> bool:
        return 0 < self.poll_interval < self.catch_up_max_age


class StreamerFacts(msgspec.Struct, frozen=True, kw_only=True):
    streamer: Streamer
    login: str
    """As Twitch spells it now; as the config does where that is not known."""
    user_id: str = ""
    unknown: str | None = None
    """The sentence that Twitch has no such channel."""
    subscription: ChannelState | None = None
    """How its subscriptions are, as far as the program knows."""
    held: bool | None = None
    """Whether Twitch, asked just now, holds both of them, enabled and pointing here."""
    tags: tuple[str, ...] | None = None
    """What its channel is tagged with now; only asked where there is a filter."""
    destinations: tuple[str, ...] = ()
    """The enabled ones."""
    all_off: bool = False
    """It has destinations, and all are switched off."""
    same: tuple[str, ...] = ()
    """Other streamers of the config that are the same channel."""


class DestinationFacts(msgspec.Struct, frozen=True, kw_only=True):
    destination: Destination
    used: bool
    """Whether an enabled streamer's announcements go there."""
    state: str = "closed"
    """Of its breaker: closed, open, half-open, paused."""
    by_hand: bool = False
    """A person paused it."""
    reason: str = ""
    address_problem: str | None = None
    """Why its address or secret cannot be had out of the vault."""
    note: str = ""
    """That it gets less than the config says, and why."""
    last: LastAnswer | None = None


class LedgerFacts(msgspec.Struct, frozen=True, kw_only=True):
    problem: str | None
    alive: bool
    waiting: int = 0
    stuck: Mapping[str, float] = {}
    """Destinations that nothing is sent to though it could be, and since when something is due there."""
    standing: str | None = None
    """What the watchdog says of deliveries or events that are not worked on."""
    oldest_event: float | None = None
    """When the oldest event came that is not worked on yet."""
    output_problem: str | None = None
    lately: str | None = None
    """What happened to its file within the last hour."""


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    free: int | None
    """Bytes left on the disk of the data directory."""
    looked: bool = True
    """False: nobody looked yet."""
    folder: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, at one moment."""

    now: float
    program: ProgramFacts
    config: ConfigFacts
    secrets: SecretsFacts
    twitch: TwitchFacts
    reach: ReachFacts
    streamers: tuple[StreamerFacts, ...]
    destinations: tuple[DestinationFacts, ...]
    ledger: LedgerFacts
    machine: MachineFacts
    asked: str | None = None
    """The key of the one streamer the question is about."""
    settling: bool = True
    """What is not known yet may be because the program, or a config, is new. After a while it needs attention."""
