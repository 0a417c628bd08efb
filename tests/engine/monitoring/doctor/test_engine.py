"""The doctor of a whole engine, against the simulated Twitch: what it finds out, and what it leaves alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine import StreamerLists
from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import Outcome
from itsjustintv_desktop.engine.ingress.catch_up import catch_up
from itsjustintv_desktop.engine.monitoring.doctor import Check, Report
from itsjustintv_desktop.engine.monitoring.doctor.collect_twitch import Outside
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsApi, SubscriptionsState, reconciler
from tests.support.engine import Running, running_engine
from tests.support.ports import free_port
from tests.support.waiting import until

CONFIG = """
[twitch]
transport = "conduit"
[destinations.main]
url = "RECEIVER/main"
[destinations.spare]
url = "RECEIVER/spare"
[streamers.alice]
login = "alice"
destinations = ["main"]
[streamers.bob]
login = "bob"
destinations = ["main"]
tag_filter = ["Chess"]
[streamers.carol]
login = "carol"
destinations = ["spare"]
tag_filter = ["Cooking"]
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gathers nudges or waits for a handshake does so for a shorter time."""
    monkeypatch.setattr(reconciler, "_SETTLE_SECONDS", 0.01)
    monkeypatch.setattr(reconciler, "LOOKS", (0.1, 0.2))
    monkeypatch.setattr(catch_up, "LEAST", 0.01)


@asynccontextmanager
async def started(folder: Path, config: str = CONFIG, **details: Any) -> AsyncIterator[Running]:
    """Twitch has alice, bob and carol; carol has tags."""
    details = {"logins": ("alice", "bob"), "subscribe": False, "secret": None, "start": False, **details}
    async with running_engine(folder, config, **details) as running:
        running.simulator.add_channel("carol", tags=["cooking", "English"])
        await running.start()
        yield running


@asynccontextmanager
async def ready(folder: Path, config: str = CONFIG, **details: Any) -> AsyncIterator[Running]:
    """Everything is subscribed to, and Twitch was asked who is live."""
    async with started(folder, config, **details) as running:
        reach = running.engine.reach

        def settled() -> bool:
            held = reach.subscriptions.status
            is_subscribed = held.state is SubscriptionsState.OK and held.enabled == held.wanted > 0
            return is_subscribed and reach.catch_up.status.state.value == "ok"

        await until(settled, what="all is subscribed to")
        yield running


async def went_out(running: Running, login: str) -> None:
    """That channel goes live, and its announcement was tried."""
    await running.simulator.go_live(login)

    async def tried() -> bool:
        return any(each.attempts and each.last_status for each in await running.deliveries())

    await until(tried, what="the announcement was tried")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with ready(tmp_path) as running:
        yield running


async def doctor(running: Running, streamer: str | None = None) -> Report:
    return await running.engine.api.diagnostics.doctor(streamer)


def named(report: Report) -> dict[str, Check]:
    return {check.name: check for check in report.checks}


def colours(report: Report) -> dict[str, str]:
    """What is not green."""
    return {check.name: check.state.value for check in report.checks if check.state.value != "green"}


async def test_all_is_well_but_a_filter(running: Running) -> None:
    report = await doctor(running)
    assert report.ok
    assert colours(report) == {"streamer bob": "amber"}
    checks = named(report)
    assert checks["streamer alice"].message == "It is subscribed to; what is announced goes to main."
    assert "Its channel has no tags now; none is in its tag_filter (Chess)" in checks["streamer bob"].message
    assert "through a connection that this machine opened" in checks["way"].message
    assert {"reachable", "certificate"}.isdisjoint(checks)
    assert checks["last message"].message == "No message of Twitch is in the history yet."


async def test_tags_of_all_channels_are_one_question(running: Running) -> None:
    before = running.engine.twitch.client.calls["GET /channels"]
    await doctor(running)
    assert running.engine.twitch.client.calls["GET /channels"] == before + 1
    await doctor(running, "alice")  # has no filter
    assert running.engine.twitch.client.calls["GET /channels"] == before + 1


async def test_one_streamer_and_its_destinations(running: Running) -> None:
    for login in ("carol", "CAROL"):
        checks = named(await doctor(running, login))
        about = [name for name in checks if name.startswith(("streamer", "destination"))]
        assert about == ["streamer carol", "destination spare"]
    with pytest.raises(NotFoundError, match="There are: alice, bob, carol"):
        await doctor(running, "mallory")


async def test_the_last_answer_of_a_destination_and_no_post_of_its_own(running: Running) -> None:
    running.simulator.faults.set_receiver("main", redirect="/elsewhere")
    await went_out(running, "alice")
    sent = len(running.simulator.receiver.received())
    report = await doctor(running)
    assert not report.ok
    checks = named(report)
    assert checks["destination main"].state.value == "red"
    assert "answered with a redirect (302)" in checks["destination main"].message
    assert "Nothing was sent there yet" in checks["destination spare"].message
    assert checks["last message"].message.startswith("The last message of Twitch came ")
    assert len(running.simulator.receiver.received()) == sent
    assert named(await doctor(running, "carol")).keys() & {"destination main", "destination spare"} == {
        "destination spare"
    }


async def test_a_new_address_is_judged_by_nothing_that_the_old_one_answered(running: Running) -> None:
    await went_out(running, "alice")
    assert "took the last announcement" in named(await doctor(running))["destination main"].message
    written = running.paths.config.read_text()
    running.paths.config.write_text(written.replace("/main", "/other"))

    def is_in_force() -> bool:
        return str(running.engine.config.current.destinations["main"].url).endswith("/other")

    await until(is_in_force, what="the new address is in force")
    assert "Nothing was sent there yet" in named(await doctor(running))["destination main"].message
    await running.engine.api.announcements.test_event("alice")

    async def arrived() -> bool:
        return "took the last announcement" in named(await doctor(running))["destination main"].message

    await until(arrived, what="it is judged by its own response")


async def test_a_paused_destination_that_gets_another_address_is_not_tried_yet(running: Running) -> None:
    running.simulator.faults.set_receiver("main", status=410)
    await went_out(running, "alice")
    assert named(await doctor(running))["destination main"].message.startswith("It is paused: ")
    running.simulator.faults.set_receiver("other", hang=True)
    written = running.paths.config.read_text()
    running.paths.config.write_text(written.replace("/main", "/other"))
    queue = running.engine.dispatcher.queues.queue("main")
    await until(lambda: queue.breaker.snapshot().name == "closed", what="it starts afresh")
    assert "Nothing was sent there yet" in named(await doctor(running))["destination main"].message


async def test_a_paused_destination(running: Running) -> None:
    running.simulator.faults.set_receiver("main", status=410)
    await went_out(running, "alice")
    check = named(await doctor(running))["destination main"]
    assert check.state.value == "red"
    assert check.message.startswith("It is paused: ")
    assert "410" in check.message


async def test_what_twitch_no_longer_holds_is_seen_and_repaired(running: Running) -> None:
    held = list(running.simulator.eventsub.subscriptions)
    alice = running.simulator.state.get("alice").user_id
    gone = next(each for each in held if each.condition["broadcaster_user_id"] == alice)
    await SubscriptionsApi(running.engine.twitch.client).delete(gone.id)  # behind the reconciler's back
    report = await doctor(running)
    assert colours(report) == {"streamer alice": "amber", "streamer bob": "amber"}
    assert "asked just now" in named(report)["streamer alice"].message

    async def repaired() -> bool:
        return named(await doctor(running))["streamer alice"].state.value == "green"

    await until(repaired, what="the subscription is made anew")


async def test_a_config_that_was_changed_or_broken_meanwhile(running: Running) -> None:
    before = running.paths.config.read_text()
    running.paths.config.write_text(f"{before}\n# a note\n")
    check = named(await doctor(running))["config"]
    assert (check.state.value, "was changed a moment ago" in check.message) == ("amber", True)
    running.paths.config.write_text("[")
    check = named(await doctor(running))["config"]
    assert (check.state.value, "cannot be used any more" in check.message) == ("amber", True)
    running.paths.config.write_text(before)
    assert named(await doctor(running))["config"].state.value == "green"


async def test_through_an_address_of_our_own(tmp_path: Path) -> None:
    port = free_port()
    config = CONFIG.replace('transport = "conduit"', f'incoming_webhook_url = "http://127.0.0.1:{port}/twitch"')
    async with ready(tmp_path, config, environ={"ITSJUSTINTV_SERVER_PORT": str(port)}) as running:
        report = await doctor(running)
        assert report.ok
        check = named(report)["reachable"]
        assert check.state.value == "green"
        assert check.message.startswith("We reached ourselves through 127.0.0.1 (")
        assert "certificate" not in named(report)


async def test_an_address_that_leads_elsewhere(tmp_path: Path) -> None:
    nobody = free_port()
    config = CONFIG.replace('transport = "conduit"', f'incoming_webhook_url = "http://127.0.0.1:{nobody}/twitch"')
    async with started(tmp_path, config) as running:

        def failing() -> bool:
            return running.engine.reach.subscriptions.status.code == "unverified"

        await until(failing, what="Twitch found nobody there")
        report = await doctor(running)
        assert not report.ok
        checks = named(report)
        assert checks["reachable"].state.value == "amber"
        assert "the connection was refused" in checks["reachable"].message
        assert checks["subscriptions"].state.value == "red"
        assert checks["streamer alice"].state.value == "red"


async def test_without_any_address_streams_are_found_late(tmp_path: Path) -> None:
    config = CONFIG.replace('transport = "conduit"', "")
    async with started(tmp_path, config) as running:
        await until(lambda: running.engine.reach.catch_up.status.state.value == "ok")
        report = await doctor(running)
        assert report.ok
        assert colours(report)["way"] == "amber"
        assert "found by asking" in named(report)["way"].message


@pytest.mark.parametrize(
    ("environ", "name", "text"),
    [
        ({"ITSJUSTINTV_TWITCH_CLIENT_SECRET": "wrong"}, "token", "refuses the client secret"),
        ({"ITSJUSTINTV_TWITCH_CLIENT_SECRET": ""}, "secrets", "No client secret"),
        ({"ITSJUSTINTV_TWITCH_CLIENT_ID": ""}, "secrets", "No [twitch] client_id"),
    ],
)
async def test_credentials_that_are_wrong_or_missing(
    tmp_path: Path, environ: dict[str, str], name: str, text: str
) -> None:
    async with started(tmp_path, environ=environ) as running:
        report = await doctor(running)
    check = named(report)[name]
    assert (report.ok, check.state.value) == (False, "red")
    assert text in check.message


async def test_a_channel_that_is_not_there_and_a_secret_that_is_not(tmp_path: Path) -> None:
    config = CONFIG + (
        '[destinations.vault]\nurl = "RECEIVER/vault"\nsecret = "@keyring"\n'
        '[streamers.eve]\nlogin = "eve_who_is_not_there"\ndestinations = ["vault"]\n'
    )
    async with ready(tmp_path, config) as running:
        report = await doctor(running)
        assert colours(report) == {"streamer bob": "amber", "streamer eve": "red", "destination vault": "red"}
        assert "eve_who_is_not_there" in named(report)["streamer eve"].message
        assert "no secret of this name is in the vault" in named(report)["destination vault"].message


async def test_while_the_program_does_not_run(tmp_path: Path) -> None:
    async with ready(tmp_path) as running:
        await running.stop()
        running._listen = False
        await running.start()
        assert running.engine.address is None
        (target,) = await running.engine.ledger.targets()
        assert colours(await doctor(running)) == {"program": "red", "way": "amber", "streamer bob": "amber"}
        await running.engine.ledger.remember_target("webhook https://elsewhere.example/twitch")
        check = named(await doctor(running))["streamer alice"]
        assert check.message == "Twitch holds no subscription for it that points here."
        await running.engine.ledger.remember_target(target)
        assert named(await doctor(running))["streamer alice"].state.value == "green"
        for held in list(running.simulator.eventsub.subscriptions):
            await SubscriptionsApi(running.engine.twitch.client).delete(held.id)
        check = named(await doctor(running))["streamer alice"]
        assert check.message == "Twitch holds no subscription for it that points here."


async def test_deliveries_that_nobody_sends_though_somebody_could(running: Running) -> None:
    engine = running.engine
    stuck, now, queue = engine.doctor._collector._ledger.stuck, engine.now(), engine.dispatcher.queues.queue("main")
    late = [("main", now - 600), ("spare", now - 30), ("removed", now - 600)]
    assert stuck(late) == {"main": now - 600}

    def hold() -> None:
        queue.held_until = now + 30

    def fail() -> None:
        queue.failing = True

    def send() -> None:
        queue.in_flight = 1

    def pause() -> None:
        queue.breaker.record(Outcome.GONE, now, "answered 410 Gone")

    changes: list[Callable[[], None]] = [hold, fail, send]
    for change in changes:
        change()
        assert stuck(late) == {}, change.__name__
        queue.held_until, queue.failing, queue.in_flight = 0.0, False, 0
    pause()
    assert stuck(late) == {}


async def test_a_secret_in_the_vault_that_cannot_sign_is_told(tmp_path: Path) -> None:
    config = '[destinations.sealed]\nurl = "https://a.example/"\nsecret = "@keyring"\nsignature = "standard-webhooks"\n'
    config += '[streamers.alice]\nlogin = "alice"\ndestinations = ["sealed"]\n'
    async with running_engine(tmp_path, config, secret=None) as running:
        await running.engine.secrets.set_destination("sealed", secret="whsec_")
        report = await running.engine.api.diagnostics.doctor()
        (check,) = [each for each in report.checks if each.name == "destination sealed"]
        assert (check.state, "nothing follows whsec_" in check.message) == ("red", True)
        await running.engine.secrets.set_destination("sealed", secret="whsec_" + "ab" * 20)
        report = await running.engine.api.diagnostics.doctor()
        (check,) = [each for each in report.checks if each.name == "destination sealed"]
        assert check.state == "green"


async def test_a_recent_look_asks_twitch_only_for_what_may_have_changed(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = running.engine
    asked: list[str] = []
    held = Outside._held

    async def counted(outside: Outside) -> frozenset[str] | None:
        asked.append("held")
        return await held(outside)

    monkeypatch.setattr(Outside, "_held", counted)
    await engine.api.diagnostics.doctor()
    assert len(asked) == 1
    await engine.api.announcements.pause(None)
    paused = await engine.api.diagnostics.doctor(recent=True)
    assert any("paused" in check.message for check in paused.checks), "what is known here is of this moment"
    await engine.api.announcements.resume()
    assert not any("paused" in check.message for check in (await engine.api.diagnostics.doctor(recent=True)).checks)
    before = engine.reach.subscriptions.status.last_round
    engine.reach.subscriptions.trigger("test")
    await until(lambda: engine.reach.subscriptions.status.last_round != before)
    await until(lambda: engine.reach.subscriptions.status.state is SubscriptionsState.OK)
    await engine.api.diagnostics.doctor(recent=True)
    assert len(asked) == 1, "a round that found nothing to do changes nothing"
    await engine.api.diagnostics.doctor()
    assert len(asked) == 2, "who asks for it gets the present"
    await engine.api.settings.streamers.set_enabled(["bob"], False)
    report = await engine.api.diagnostics.doctor(recent=True)
    assert len(asked) == 3, "other streamers are watched"
    assert "switched off" in named(report)["streamer bob"].message
    lists = StreamerLists(destinations=("spare",)), StreamerLists(destinations=("main",))
    await engine.api.settings.streamers.change_many(["alice"], *lists)
    assert named(await engine.api.diagnostics.doctor(recent=True))["destination main"].state == "amber", (
        "nobody uses it now"
    )
