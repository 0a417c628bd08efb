"""One answer for whatever can be wrong: its level, how many streams will be announced, and what is wrong with which."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest

from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.core.errors import SecretsLockedError, TwitchAuthError, TwitchUnreachableError
from itsjustintv_desktop.engine.core.status import Level, SystemStatus
from itsjustintv_desktop.engine.ingress.catch_up.catch_up import CatchUpState
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.monitoring.doctor.facts import Facts
from itsjustintv_desktop.engine.monitoring.doctor.overall import judge, system_status
from itsjustintv_desktop.engine.monitoring.doctor.probe import Reached
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelState, ChannelStatus, SubscriptionsState
from tests.engine.monitoring.doctor import given
from tests.engine.monitoring.doctor.given import DAY, NOW, answer


def test_all_is_well() -> None:
    report = judge(given.facts())
    assert report.ok
    assert [check.name for check in report.checks] == [
        "program", "config", "secrets", "token", "clock", "way", "reachable", "certificate", "subscriptions",
        "catching up", "last message", "streamer alice", "destination main", "ledger", "disk", "keyring",
    ]  # fmt: skip
    assert {check.state.value for check in report.checks} == {"green"}
    assert {check.fix for check in report.checks} == {""}


def test_one_red_check_is_enough_and_amber_is_not() -> None:
    assert judge(given.facts(machine=given.machine(10**8))).ok
    assert not judge(given.facts(machine=given.machine(10**6))).ok
    assert not judge(given.facts(twitch=given.twitch(problem=TwitchAuthError("No.")))).ok


def test_without_a_client_id_nothing_of_twitch_is_judged() -> None:
    report = judge(given.facts(secrets=given.secrets(has_client_id=False)))
    assert not report.ok
    names = {check.name for check in report.checks}
    assert not names & {"token", "clock", "way", "subscriptions"}
    assert {"streamer alice", "destination main", "disk"} <= names


def test_trouble_with_output_json_is_told() -> None:
    report = judge(given.facts(ledger=given.ledger(output_problem="output.json cannot be written.")))
    assert report.ok
    assert "output" in [check.name for check in report.checks]


def test_the_contract_of_the_json() -> None:
    told = json.loads(msgspec.json.encode(judge(given.facts(program=given.program(running=False)))))
    assert list(told) == ["ok", "checks"]
    assert told["ok"] is False
    assert all(list(check) == ["name", "state", "message", "fix"] for check in told["checks"])
    assert {check["state"] for check in told["checks"]} <= {"green", "amber", "red"}
    assert told["checks"][0] == {
        "name": "program",
        "state": "red",
        "message": "The program is not running, so nothing is announced.",
        "fix": "Start it (`serve`), and let it start with the machine.",
    }


NAMES = tuple("abcdefghi")
SHARED = Destination(name="shared", url="https://shared.example/hook")
SINGLE = Destination(name="single", url="https://single.example/hook")
STREAMERS = {
    name: Streamer(key=name, user_id=f"10{n}", login=name, destinations=("single",) if name == "i" else ("shared",))
    for n, name in enumerate(NAMES)
}
CONFIG = Config(streamers=STREAMERS, destinations={"shared": SHARED, "single": SINGLE})
ALL, ONE_LESS, NONE = (
    "All 9 streams will be announced", "8 of 9 streams will be announced", "No stream will be announced",
)  # fmt: skip


def nine(**changes: Any) -> dict[str, Any]:
    """Facts of nine streamers; the last one announces to a destination of its own."""
    return {
        "config": given.config(config=CONFIG),
        "streamers": tuple(streamer(name) for name in NAMES),
        "destinations": destinations(),
        **changes,
    }


def streamer(name: str, **changes: Any) -> Any:
    one = msgspec.structs.replace(STREAMERS[name], **changes.pop("config", {}))
    return given.streamer(one, **{"user_id": one.user_id, "destinations": one.destinations, **changes})


def streamers(**last: Any) -> tuple[Any, ...]:
    return (*(streamer(name) for name in NAMES[:-1]), streamer("i", **last))


def destinations(shared: Any = None, single: Any = None) -> tuple[Any, ...]:
    return given.destination(SHARED, **(shared or {})), given.destination(SINGLE, **(single or {}))


def off(destination: Destination) -> Destination:
    return msgspec.structs.replace(destination, enabled=False)


DEAD = {"last": answer(404, "refused with 404 Not Found", given_up=True)}
UNREACHABLE = TwitchUnreachableError("There is no connection.")
NO_POLL = {"poll_interval": 0.0}


class Case(NamedTuple):
    name: str
    facts: dict[str, Any]
    level: Level
    headline: str
    problems: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    """Streamers that the first problem is about."""
    rows: Mapping[str, str] = MappingProxyType({})
    """Levels of the last streamer ("i") and of destinations, where they are not ok."""


def case(name: str, facts: dict[str, Any], level: Level, headline: str, *problems: str, **more: Any) -> Any:
    return pytest.param(Case(name, nine(**facts), level, headline, problems, **more), id=name)


CASES = [
    case("all is well", {}, Level.OK, ALL),
    case("paused", {"program": given.program(paused="Announcements are paused.")}, Level.PAUSED,
         "Announcements are paused", rows={"i": "paused"}),
    case("paused, and a destination is dead",
         {"program": given.program(paused="Announcements are paused."), "destinations": destinations(single=DEAD)},
         Level.PAUSED, "Announcements are paused", "destination single", affected=("i",),
         rows={"i": "failing", "single": "failing"}),
    case("paused, and nothing would work",
         {"program": given.program(paused="Announcements are paused."), "ledger": given.ledger(problem="Full.")},
         Level.FAILING, NONE, "ledger", rows={"i": "failing"}),
    case("the destination of one of nine is dead", {"destinations": destinations(single=DEAD)}, Level.ATTENTION,
         ONE_LESS, "destination single", affected=("i",), rows={"i": "failing", "single": "failing"}),
    case("the destination of eight of nine is dead", {"destinations": destinations(shared=DEAD)}, Level.ATTENTION,
         "1 of 9 streams will be announced", "destination shared", affected=NAMES[:-1], rows={"shared": "failing"}),
    case("all destinations are dead", {"destinations": destinations(DEAD, DEAD)}, Level.FAILING, NONE,
         "destination shared", "destination single", affected=NAMES[:-1],
         rows={"i": "failing", "shared": "failing", "single": "failing"}),
    case("one of two destinations of a streamer is dead",
         {"streamers": streamers(config={"destinations": ("shared", "single")}),
          "destinations": destinations(single=DEAD)}, Level.ATTENTION, ALL, "destination single", affected=("i",),
         rows={"i": "attention", "single": "failing"}),
    case("a destination paused by its answers",
         {"destinations": destinations(single={"state": "paused", "reason": "it answered 410 Gone"})},
         Level.ATTENTION, ONE_LESS, "destination single", affected=("i",),
         rows={"i": "failing", "single": "failing"}),
    case("a destination paused by a person",
         {"destinations": destinations(single={"state": "paused", "reason": "paused by hand", "by_hand": True})},
         Level.ATTENTION, ONE_LESS, "destination single", affected=("i",), rows={"i": "paused", "single": "paused"}),
    case("a destination that is left alone",
         {"destinations": destinations(single={"state": "open", "reason": "it answered 503"})}, Level.ATTENTION, ALL,
         "destination single", affected=("i",), rows={"i": "attention", "single": "attention"}),
    case("a delivery that is tried again", {"destinations": destinations(single={"last": answer(503, "answered 503")})},
         Level.ATTENTION, ALL, "destination single", affected=("i",), rows={"i": "attention", "single": "attention"}),
    case("one delivery was given up and another waits",
         {"destinations": destinations(single={"last": answer(503, "answered 503", gave_up_before=True)})},
         Level.ATTENTION, ONE_LESS, "destination single", affected=("i",),
         rows={"i": "failing", "single": "failing"}),
    case("a destination that refuses the picture", {"destinations": destinations(single={"note": "Only a link."})},
         Level.ATTENTION, ALL, "destination single", affected=("i",), rows={"i": "attention", "single": "attention"}),
    case("a destination whose address is locked",
         {"destinations": destinations(single={"address_problem": "The keyring is locked."})}, Level.ATTENTION,
         ONE_LESS, "destination single", affected=("i",), rows={"i": "failing", "single": "failing"}),
    case("an unused destination", {"destinations": destinations(single={"used": False}),
                                   "streamers": streamers(config={"destinations": ("shared",)})},
         Level.ATTENTION, ALL, "destination single", rows={"single": "attention"}),
    case("an unused destination that is switched off",
         {"destinations": (given.destination(SHARED), given.destination(off(SINGLE), used=False)),
          "streamers": streamers(config={"destinations": ("shared",)})}, Level.OK, ALL, rows={"single": "off"}),
    case("the only destination of one is switched off",
         {"destinations": (given.destination(SHARED), given.destination(off(SINGLE))),
          "streamers": streamers(destinations=(), all_off=True)}, Level.ATTENTION, ONE_LESS, "streamer i",
         affected=("i",), rows={"i": "failing", "single": "off"}),
    case("a streamer that is switched off", {"streamers": streamers(config={"enabled": False})}, Level.OK,
         "All 8 streams will be announced", rows={"i": "off"}),
    case("a channel that Twitch does not know",
         {"streamers": streamers(user_id="", unknown="Twitch knows no channel of that name.")}, Level.ATTENTION,
         ONE_LESS, "streamer i", affected=("i",), rows={"i": "failing"}),
    case("a channel that cannot be subscribed to, and nothing asks",
         {"streamers": streamers(subscription=ChannelState(status=ChannelStatus.FAILING, message="Refused.")),
          "reach": given.reach(**NO_POLL)}, Level.ATTENTION, ONE_LESS, "streamer i", affected=("i",),
         rows={"i": "failing"}),
    case("a channel that cannot be subscribed to, and is asked about",
         {"streamers": streamers(subscription=ChannelState(status=ChannelStatus.FAILING, message="Refused."))},
         Level.ATTENTION, ALL, "streamer i", affected=("i",), rows={"i": "attention"}),
    case("a channel that is being subscribed to", {"streamers": streamers(subscription=None)}, Level.STARTING,
         "Getting ready to announce your streams", rows={"i": "starting"}),
    case("a channel that is never subscribed to", {"streamers": streamers(subscription=None), "settling": False},
         Level.ATTENTION, ALL, "streamer i", affected=("i",), rows={"i": "attention"}),
    case("a channel whose tags are filtered",
         {"streamers": streamers(config={"tag_filter": ("Chess",)}, tags=("English",))}, Level.ATTENTION, ONE_LESS,
         "streamer i", affected=("i",), rows={"i": "attention"}),
    case("a channel that is listed twice", {"streamers": streamers(same=("a",))}, Level.ATTENTION, ALL, "streamer i",
         affected=("i",), rows={"i": "attention"}),
    case("the keyring is locked", {"secrets": given.secrets("locked", "The keyring is locked.",
                                   client_problem=SecretsLockedError("The keyring is locked."))},
         Level.FAILING, NONE, "secrets", "keyring", rows={"i": "failing"}),
    case("messages cannot be verified", {"secrets": given.secrets(signing_problem="The keyring is locked.")},
         Level.FAILING, NONE, "secrets", rows={"i": "failing"}),
    case("the connection is lost", {"twitch": given.twitch(problem=UNREACHABLE),
                                    "reach": given.reach(way=given.way(TransportState.WAITING), probe=None)},
         Level.FAILING, NONE, "token", "way", rows={"i": "failing"}),
    case("Twitch's API fails and its messages come in", {"twitch": given.twitch(api_problem=UNREACHABLE)},
         Level.ATTENTION, ALL, "token"),
    case("the client secret is refused", {"twitch": given.twitch(problem=TwitchAuthError("It is refused."))},
         Level.FAILING, NONE, "token", rows={"i": "failing"}),
    case("the clock is wrong", {"twitch": given.twitch(clock_problem="The clock is 9 minutes slow.")},
         Level.ATTENTION, ALL, "clock"),
    case("Twitch cannot reach us, and nothing asks",
         {"reach": given.reach(way=given.way(TransportState.FAILING), **NO_POLL)}, Level.FAILING, NONE, "way",
         rows={"i": "failing"}),
    case("Twitch cannot reach us, and is asked", {"reach": given.reach(way=given.way(TransportState.FAILING))},
         Level.ATTENTION, ALL, "way"),
    case("no way is set up, and nobody was asked yet",
         {"reach": given.reach(way=given.way(TransportState.FAILING, kind="none"), probe=None,
                               catch_up=given.catch_up(CatchUpState.STARTING))},
         Level.STARTING, "Getting ready to announce your streams"),
    case("the certificate is not trusted, and nothing asks",
         {"reach": given.reach(probe=given.probed(Reached.CERTIFICATE, detail="self-signed"), **NO_POLL)},
         Level.FAILING, NONE, "certificate", "reachable", rows={"i": "failing"}),
    case("subscriptions fail, and nothing asks",
         {"reach": given.reach(subscriptions=given.subscriptions(SubscriptionsState.FAILING), **NO_POLL)},
         Level.FAILING, NONE, "subscriptions", rows={"i": "failing"}),
    case("the config is broken", {"config": given.config(config=CONFIG, kept="Line 3 is wrong.")}, Level.ATTENTION, ALL,
         "config"),
    case("nothing is set up", {"config": given.config(config=Config(), nothing_set_up=True), "streamers": (),
                               "destinations": ()}, Level.OFF, "Nothing is set up yet", "config"),
    case("nobody is set up", {"config": given.config(config=Config()), "streamers": (), "destinations": ()}, Level.OFF,
         "No streamer is set up yet", "config"),
    case("everybody is switched off",
         {"config": given.config(config=Config(streamers={
             key: msgspec.structs.replace(one, enabled=False) for key, one in STREAMERS.items()})),
          "streamers": tuple(streamer(name, config={"enabled": False}) for name in NAMES)},
         Level.OFF, "Every streamer is switched off", "config", rows={"i": "off"}),
    case("the disk is full", {"machine": given.machine(10**6)}, Level.FAILING, NONE, "disk", rows={"i": "failing"}),
    case("the disk is getting full", {"machine": given.machine(10**8)}, Level.ATTENTION, ALL, "disk"),
    case("the ledger fails", {"ledger": given.ledger(problem="It cannot be written.")}, Level.FAILING, NONE, "ledger",
         rows={"i": "failing"}),
    case("output.json cannot be written", {"ledger": given.ledger(output_problem="No right to write.")},
         Level.ATTENTION, ALL, "output"),
    case("a loop is down", {"program": given.program(broken={"announce.pipeline": "ValueError"})}, Level.FAILING, NONE,
         "program", rows={"i": "failing"}),
    case("a loop is down that no announcement needs",
         {"program": given.program(broken={"telemetry": "ValueError"}, dispensable=frozenset({"telemetry"}))},
         Level.ATTENTION, ALL, "program"),
    case("another part is not well", {"program": given.program(others={"public port": "Too many connections."})},
         Level.ATTENTION, ALL, "public port"),
    case("the program does not run", {"program": given.program(running=False)}, Level.FAILING, NONE, "program",
         rows={"i": "failing"}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_answer(case: Case) -> None:
    facts = given.facts(**case.facts)
    status = system_status(facts)
    summary = status.summary
    assert (summary.level, summary.headline) == (case.level, case.headline)
    codes = [each.code for each in summary.problems]
    assert codes[: len(case.problems)] == list(case.problems)
    assert bool(codes) == bool(case.problems)
    if case.affected:
        assert summary.problems[0].streamers == case.affected
    rows = {**{key: row.level.value for key, row in status.destinations.items()}}
    rows |= {"i": status.streamers["i"].level.value} if "i" in status.streamers else {}
    assert {name: level for name, level in rows.items() if level != "ok"} == case.rows
    agrees(facts, status)


def agrees(facts: Facts, status: SystemStatus) -> None:
    """The numbers fit the rows, and the doctor's report fits both."""
    summary, report = status.summary, judge(facts)
    if summary.level not in {Level.OFF, Level.PAUSED}:
        assert summary.announced == sum(row.announced for row in status.streamers.values())
    assert all(each.text for each in summary.problems)
    levels = {check.name: check.level for check in report.checks}
    for name, row in status.destinations.items():
        same = {row.level} | ({Level.PAUSED, Level.OK} if row.level is Level.OFF else set())
        assert levels[f"destination {name}"] in same
    if report.ok:
        assert summary.level is not Level.FAILING
    if all(level is Level.OK for level in levels.values()):
        assert (summary.level, summary.headline) == (Level.OK, ALL)
    if summary.level is Level.OK:
        assert not set(levels.values()) & {Level.ATTENTION, Level.FAILING, Level.STARTING}


def test_no_number_is_promised_while_nothing_is_known() -> None:
    facts = given.facts(**nine(destinations=destinations(single=DEAD)))
    starting = tuple(msgspec.structs.replace(each, subscription=None) for each in facts.streamers)
    summary = system_status(msgspec.structs.replace(facts, streamers=starting)).summary
    assert (summary.level, summary.headline) == (Level.ATTENTION, "Getting ready to announce your streams")


def test_the_worst_problem_is_named_first() -> None:
    """A destination that nobody uses affects no streamer: it is no matter of all of them, and not the worst."""
    unused = Destination(name="a spare one", url="https://spare.example/hook")
    config = msgspec.structs.replace(CONFIG, destinations={unused.name: unused, **CONFIG.destinations})
    of = {
        "config": given.config(config=config),
        "destinations": (given.destination(unused, used=False), *destinations(single=DEAD)),
    }
    summary = system_status(given.facts(**nine(**of))).summary
    assert [each.code for each in summary.problems] == ["destination single", "destination a spare one"]
    assert summary.detail == summary.problems[0].text


def test_one_streamer() -> None:
    status = system_status(given.facts())
    assert status.summary.headline == "Your next stream will be announced"
    asked = given.facts(asked="alice", streamers=(given.streamer(msgspec.structs.replace(given.ALICE, enabled=False)),))
    assert (system_status(asked).summary.level, system_status(asked).summary.headline) == (Level.FAILING, NONE)


def test_a_certificate_that_ended() -> None:
    probe = given.probed(Reached.YES, certificate_until=NOW - DAY)
    status = system_status(given.facts(**nine(reach=given.reach(probe=probe, **NO_POLL))))
    assert (status.summary.level, status.summary.problems[0].code) == (Level.FAILING, "certificate")
