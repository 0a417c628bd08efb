"""The order of the chain, what makes it fail, and its form as JSON."""

from __future__ import annotations

import json

import msgspec

from itsjustintv_desktop.engine.core.errors import TwitchAuthError
from itsjustintv_desktop.engine.monitoring.doctor.chain import judge
from tests.engine.monitoring.doctor import given


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
