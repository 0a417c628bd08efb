"""One fault is told once, by the first check that it shows in."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.monitoring.doctor.report import Check, Report, amber, green, once, red
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until

LOCKED = "The vault needs its passphrase. Set it and start the program again."


def test_later_checks_point_to_the_first() -> None:
    found = once(
        [
            red("secrets", f"The client secret cannot be looked up: {LOCKED}", "Unlock the keyring, then wait."),
            red("token", f"Twitch could not be asked: {LOCKED}", "Unlock the keyring, then wait."),
            red("way", "Twitch cannot be reached at all. And another thing is wrong.", "Do this."),
            amber("streamer a", "Twitch cannot be reached at all. It is tried again."),
            amber("keyring", LOCKED, "Do that."),
        ]
    )
    assert [(check.message, check.fix) for check in found] == [
        (f"The client secret cannot be looked up: {LOCKED}", "Unlock the keyring, then wait."),
        ('Twitch could not be asked: see "secrets" above.', ""),
        ("Twitch cannot be reached at all. And another thing is wrong.", "Do this."),
        ('See "way" above. It is tried again.', ""),
        ('See "secrets" above.', "Do that."),
    ]


def test_one_of_many_says_what_it_has_to_say_whatever_the_others_say() -> None:
    text = "It was not subscribed to so far."
    assert once([amber("streamer a", text), amber("streamer b", text)]) == [
        amber("streamer a", text),
        amber("streamer b", text),
    ]


def test_a_check_does_not_say_in_its_fix_what_it_said() -> None:
    (found,) = once([red("way", "The port is taken by others. Close the program that holds it.",
                         "Close the program that holds it. Then wait.")])  # fmt: skip
    assert found.fix == "Then wait."


@given(st.lists(st.builds(green, st.sampled_from("abc"), st.text(min_size=1))))
def test_no_message_is_left_empty_and_no_state_changes(checks: list[Check]) -> None:
    found = once(checks)
    assert [(check.name, check.state) for check in found] == [(check.name, check.state) for check in checks]
    assert all(check.message for check in found)


_CONDUIT = '[twitch]\ntransport = "conduit"\n' + ONE_STREAMER
_NOBODY = "http://127.0.0.1:9"
_AWAY = {"ITSJUSTINTV_TWITCH_API_URL": _NOBODY, "ITSJUSTINTV_TWITCH_AUTH_URL": _NOBODY}


@pytest.mark.parametrize(
    ("config", "environ"),
    [
        ('[twitch]\nincoming_webhook_url = "https://nobody.invalid/twitch"\n' + ONE_STREAMER, {}),
        (_CONDUIT, {"ITSJUSTINTV_TWITCH_CLIENT_SECRET": "wrong"}),
        (_CONDUIT, {**_AWAY, "ITSJUSTINTV_TWITCH_EVENTSUB_URL": "ws://127.0.0.1:9"}),
        (
            ONE_STREAMER.replace("RECEIVER/main", "@keyring"),
            {"ITSJUSTINTV_SECRETS_STORE": "passphrase", "ITSJUSTINTV_TWITCH_CLIENT_SECRET": ""},
        ),
    ],
    ids=["an address that leads nowhere", "a wrong client secret", "Twitch away", "no passphrase"],
)
async def test_the_doctor_prints_no_sentence_twice(tmp_path: Path, config: str, environ: dict[str, str]) -> None:
    async with running_engine(tmp_path, config, secret=None, subscribe=False, environ=environ) as running:

        async def failing() -> Report | None:
            report = await running.engine.api.diagnostics.doctor()
            return report if not report.ok else None

        report: Report = await until(failing, what="something is red")
    sentences = Counter(
        sentence.rstrip(".")
        for check in report.checks
        for text in (check.message, check.fix)
        for sentence in re.split(r"(?<=[.!?])\s+|: ", text)
        if len(sentence) >= 30
    )
    assert [sentence for sentence, times in sentences.items() if times > 1] == []
