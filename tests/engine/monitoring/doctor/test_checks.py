"""Program, config, secrets, token, clock, ledger, disk, keyring: each in each of its colours."""

from __future__ import annotations

import msgspec
import pytest

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    SecretsLockedError,
    TwitchAuthError,
    TwitchRateLimitedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.monitoring.doctor import Check, checks
from tests.engine.monitoring.doctor import given
from tests.engine.monitoring.doctor.given import ALICE, CONFIG, NOW


def colour(check: Check | None) -> str:
    assert check is not None
    return check.state.value


def test_the_program_runs() -> None:
    check = checks.program(given.program())
    assert (check.name, colour(check), check.fix) == ("program", "green", "")
    assert check.message == "It runs and listens at 127.0.0.1 port 8080."


def test_the_program_does_not_run() -> None:
    check = checks.program(given.program(running=False, address=""))
    assert colour(check) == "red"
    assert check.message == "The program is not running, so nothing is announced."
    assert "serve" in check.fix


def test_a_part_of_the_program_is_broken() -> None:
    check = checks.program(given.program(broken={"delivery.dispatcher": "ValueError"}))
    assert colour(check) == "red"
    assert "delivery.dispatcher (ValueError)" in check.message


def test_which_proxy_is_used() -> None:
    assert checks.proxy(given.program()) is None
    check = checks.proxy(given.program(proxies=("proxy.example:3128 (HTTPS_PROXY)",)))
    assert (colour(check), check and check.message) == (
        "green",
        "Requests go through the proxy proxy.example:3128 (HTTPS_PROXY).",
    )


def test_a_variable_that_names_no_proxy() -> None:
    check = checks.proxy(given.program(unusable_proxies={"https_proxy": "it must be an http or https proxy"}))
    assert (colour(check), check and check.message) == (
        "amber",
        "The proxy in https_proxy is not used: it must be an http or https proxy.",
    )
    assert check is not None
    assert check.fix == "Correct the variable, or set [network] proxy."


def test_a_config_that_is_well() -> None:
    check = checks.config(given.config(notices=("token_file is not used any more",)))
    assert colour(check) == "green"
    assert check.message == "It is valid; 1 streamer to watch. token_file is not used any more."


def test_a_config_without_streamers_announces_nobody() -> None:
    check = checks.config(given.config(config=Config()))
    assert colour(check) == "red"
    assert "/there/config.toml names no streamer" in check.message
    off = msgspec.structs.replace(CONFIG, streamers={"alice": msgspec.structs.replace(ALICE, enabled=False)})
    check = checks.config(given.config(config=off))
    assert (colour(check), check.message) == ("red", "Every streamer is switched off in the config.")


def test_warnings_of_the_config() -> None:
    check = checks.config(given.config(warnings=("config.toml:3: unknown key", "another", "a third")))
    assert colour(check) == "amber"
    assert check.message == "config.toml:3: unknown key. There are 2 more."
    assert "config check" in check.fix


def test_a_config_that_was_changed_and_is_not_in_force() -> None:
    check = checks.config(given.config(changed=True))
    assert (colour(check), check.fix) == ("amber", "Ask again in a few seconds.")
    check = checks.config(given.config(changed=True, kept="Port 80 is taken. The last good config stays in force."))
    assert (colour(check), "Port 80 is taken" in check.message) == ("amber", True)
    check = checks.config(given.config(changed=True, problems=("config.toml:1: it is no TOML", "more")))
    assert colour(check) == "amber"
    assert "cannot be used any more: config.toml:1: it is no TOML." in check.message
    assert "config check" in check.fix


def test_secrets_at_hand() -> None:
    assert colour(checks.secrets(given.secrets())) == "green"
    check = checks.secrets(given.secrets(in_clear=("twitch.client_secret",)))
    assert colour(check) == "green"
    assert "config move-secrets" in check.message


def test_secrets_that_are_missing() -> None:
    check = checks.secrets(given.secrets(has_client_id=False))
    assert colour(check) == "red"
    assert "client_id" in check.message
    check = checks.secrets(given.secrets(has_client_secret=False))
    assert colour(check) == "red"
    assert "client secret" in check.message
    assert check.fix


def test_secrets_behind_a_locked_keyring() -> None:
    locked = SecretsLockedError("The keyring is locked.")
    check = checks.secrets(given.secrets("locked", has_client_secret=False, client_problem=locked))
    assert colour(check) == "red"
    assert check.message == "The client secret cannot be looked up: The keyring is locked."
    assert "Unlock the keyring" in check.fix
    check = checks.secrets(given.secrets("locked", signing_problem="The keyring is locked."))
    assert colour(check) == "red"
    assert check.message == "Twitch's messages cannot be verified yet: The keyring is locked."


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (None, "green"),
        (TwitchAuthError("Twitch refuses the client secret."), "red"),
        (TwitchUnreachableError("no answer in time"), "red"),
        (SecretsLockedError("The keyring is locked."), "red"),
        (TwitchRateLimitedError("Twitch asks us to wait.", retry_at=NOW), "amber"),
    ],
)
def test_the_token(problem: AppError | None, expected: str) -> None:
    check = checks.token(given.twitch(problem=problem))
    assert (check.name, colour(check)) == ("token", expected)
    assert problem is None or problem.message in check.message
    assert bool(check.fix) == (expected == "red")


def test_the_clock() -> None:
    assert colour(checks.clock(given.twitch())) == "green"
    check = checks.clock(given.twitch(clock_problem="This computer's clock is 3 hours behind Twitch's."))
    assert (colour(check), check.message) == ("amber", "This computer's clock is 3 hours behind Twitch's.")
    assert "automatic time" in check.fix
    check = checks.clock(given.twitch(clock_known=False))
    assert colour(check) == "amber"
    assert "could not be compared" in check.message


def test_the_ledger() -> None:
    assert checks.ledger(given.ledger(), NOW).message == "It can be written."
    check = checks.ledger(given.ledger(waiting=3), NOW)
    assert (colour(check), check.message) == ("green", "It can be written. 3 deliveries wait to be sent.")
    check = checks.ledger(given.ledger(problem="The disk is full."), NOW)
    assert (colour(check), check.message) == ("red", "The disk is full.")
    check = checks.ledger(given.ledger(alive=False), NOW)
    assert (colour(check), check.fix) == ("red", "Restart the program.")


def test_work_that_stands_still() -> None:
    check = checks.ledger(given.ledger(oldest_event=NOW - 600), NOW)
    assert colour(check) == "red"
    assert check.message == "An event that came 10 minutes ago is not worked on."
    check = checks.ledger(given.ledger(stuck={"main": NOW - 600, "other": NOW - 7200}), NOW)
    assert colour(check) == "red"
    assert check.message == "Deliveries to main, other were due 2 hours ago and are not sent."


def test_output_json() -> None:
    assert checks.output(given.ledger()) is None
    check = checks.output(given.ledger(output_problem="output.json cannot be written: the disk is full."))
    assert colour(check) == "amber"
    assert check is not None
    assert check.message == "output.json cannot be written: the disk is full."


@pytest.mark.parametrize(
    ("free", "expected"),
    [(10**12, "green"), (500_000_000, "green"), (499_999_999, "amber"), (50_000_000, "amber"), (49_999_999, "red"),
     (0, "red"), (None, "amber")],
)  # fmt: skip
def test_the_disk(free: int | None, expected: str) -> None:
    check = checks.disk(given.machine(free))
    assert (check.name, colour(check)) == ("disk", expected)
    assert bool(check.fix) == (expected != "green" and free is not None)


def test_the_disk_in_words() -> None:
    check = checks.disk(given.machine(12_345_678))
    assert check.message == "Only 12 MB are left for /there/data: nothing can be kept."


@pytest.mark.parametrize(
    ("status", "choice", "expected"),
    [
        ("ready", "keyring", "green"),
        ("ready", "passphrase", "green"),
        ("unopened", "keyring", "green"),
        ("unopened", "memory", "green"),
        ("locked", "keyring", "amber"),
        ("absent", "keyring", "amber"),
        ("damaged", "keyring", "amber"),
        ("wrong-passphrase", "passphrase", "amber"),
    ],
)
def test_the_keyring(status: str, choice: str, expected: str) -> None:
    said = "What the store says." if expected == "amber" else ""
    check = checks.keyring(given.secrets(status, said, choice=choice))
    assert (check.name, colour(check)) == ("keyring", expected)
    assert bool(check.fix) == (expected == "amber")
    if expected == "amber":
        assert check.message == ("This machine has no keyring." if status == "absent" else said)


def test_a_clock_that_jumped() -> None:
    said = "The clock was set back by 1 hour."
    check = checks.clock(given.twitch(clock_jumped=said, clock_doubted=True))
    assert (colour(check), check.message) == ("amber", said)
    assert "automatic time" in check.fix
    check = checks.clock(given.twitch(clock_jumped=said))
    assert (colour(check), check.message) == ("green", f"It agrees with Twitch's. {said}")


def test_a_program_that_stood_still() -> None:
    check = checks.program(given.program(stood_still="It stood still for 12 s until then."))
    assert (colour(check), check.message) == ("amber", "It runs. It stood still for 12 s until then.")


def test_what_the_watchdog_found() -> None:
    check = checks.ledger(given.ledger(standing="For 3 minutes deliveries to main have been due."), NOW)
    assert (colour(check), check.message) == ("red", "For 3 minutes deliveries to main have been due.")
    assert "nothing is lost" in check.fix
