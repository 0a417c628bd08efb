"""Another config takes effect while the program runs, or the last good one stays and it says why."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config import watch
from itsjustintv_desktop.engine.core.events import ConfigChanged, Notice
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.runtime import config_reloader
from itsjustintv_desktop.simulator.faults import ReceiverFault
from tests.support import rawhttp
from tests.support.engine import HEAD, ONE_STREAMER, SECRET, Running, running_engine
from tests.support.waiting import until

BOB = """
[streamers.bob]
login = "bob"
destinations = ["main"]
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    monkeypatch.setattr(watch, "SETTLE", 0.02)
    monkeypatch.setattr(config_reloader, "CAREFUL", 0.4)
    monkeypatch.setattr(config_reloader, "BIND_AGAIN", 0.2)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, logins=("alice", "bob")) as running:
        yield running


class Watching:
    """What the watchers of an engine hear."""

    def __init__(self, running: Running) -> None:
        self._events = running.engine.subscribe()

    def all(self) -> list[ConfigChanged]:
        return [event for event in self._events._events if isinstance(event, ConfigChanged)]

    def notices(self) -> list[str]:
        return [event.text for event in self._events._events if isinstance(event, Notice)]


async def in_force(running: Running, state: str = "ok") -> None:
    """Until the file as it is now was taken up, or refused."""
    reloader = running.engine.reload
    digest = watch._read(running.paths.config).digest
    await until(lambda: reloader._seen == digest and reloader.state.state == state)


async def announced(running: Running, login: str, count: int) -> None:
    await running.simulator.go_live(login)
    await running.simulator.receiver.wait_for(count, "main")
    await running.settled()


async def test_a_streamer_added_is_announced(running: Running) -> None:
    heard = Watching(running)
    running.write_config(ONE_STREAMER + BOB)
    await in_force(running)
    await announced(running, "bob", 1)
    (event,) = heard.all()
    assert (event.state, event.text) == ("ok", "Added streamer bob.")


async def test_a_new_address_takes_what_is_queued_along(running: Running) -> None:
    running.simulator.faults.receivers["main"] = ReceiverFault(status=503)
    await running.simulator.go_live("alice")
    await running.failed_once()
    running.simulator.receiver.expect("other", secret=SECRET)
    running.write_config(ONE_STREAMER.replace("RECEIVER/main", "RECEIVER/other"))
    await in_force(running)
    (delivery,) = await running.deliveries()
    await running.engine.api.deliveries.retry(delivery.id)
    await running.simulator.receiver.wait_for(1, "other")


async def test_a_removed_destination_ends_what_waits_for_it(running: Running) -> None:
    running.simulator.faults.receivers["main"] = ReceiverFault(status=503)
    await running.simulator.go_live("alice")
    await running.failed_once()
    running.write_config('[streamers.alice]\nlogin = "alice"\n')
    await in_force(running)
    await until(lambda: running.deliveries(states=[DeliveryState.DEAD]))
    (delivery,) = await running.deliveries()
    assert delivery.last_error == "The destination was removed from the config."


async def test_filters_retries_and_the_feed_are_those_of_the_new_one(running: Running) -> None:
    text = ONE_STREAMER.replace('login = "alice"', 'login = "alice"\ntag_filter = ["Nobody has this"]')
    running.write_config(text + '[retry]\nmax_delay = "7s"\ninitial_delay = "5s"\n[output]\nfile_path = "other.json"\n')
    await in_force(running)
    await running.simulator.go_live("alice")
    await running.settled()
    (event,) = [one for one in await running.engine.ledger.events() if one.event.kind == "stream.online"]
    assert event.reason == "filtered"
    assert running.engine.dispatcher.latest_due() - running.engine.now() < 10
    await until((running.paths.data / "other.json").exists)


async def test_what_was_filtered_is_judged_again(running: Running) -> None:
    running.write_config(
        '[twitch]\nclient_id = "x"\n'
        + ONE_STREAMER.replace('login = "alice"', 'login = "alice"\ntag_filter = ["Nobody has this"]')
    )
    await in_force(running)
    await running.simulator.go_live("alice")
    await running.settled()
    assert not await running.deliveries()
    running.write_config(ONE_STREAMER)
    await in_force(running)
    await running.simulator.receiver.wait_for(1, "main")


async def test_a_broken_file_changes_nothing_and_says_where(running: Running) -> None:
    heard = Watching(running)
    running.write_config(ONE_STREAMER + BOB + "[retry]\nmax_age = 12 parsecs\n")
    await in_force(running, "refused")
    assert running.engine.reload.state.reason.startswith(f"{running.paths.config}:")
    assert "The last good config stays in force." in heard.notices()[0]
    assert SECRET not in heard.notices()[0]
    assert (await running.engine.doctor.health())["parts"]["config"]["status"] == "failing"
    await announced(running, "alice", 1)
    running.write_config(ONE_STREAMER)
    await in_force(running)
    assert (await running.engine.doctor.health())["parts"]["config"]["status"] == "ok"
    assert [each.state for each in heard.all()] == ["refused", "ok"]


async def test_the_same_fault_is_told_once(running: Running) -> None:
    heard = Watching(running)
    for comment in ("# one", "# two"):
        running.write_config(f"max_age = 12 parsecs\n{ONE_STREAMER}\n{comment}")
        await in_force(running, "refused")
    assert len(heard.notices()) == 1


async def test_removed_and_back(running: Running) -> None:
    kept = running.paths.config.read_bytes()
    running.paths.config.unlink()
    await in_force(running, "missing")
    assert "stays in force" in running.engine.reload.state.reason
    await announced(running, "alice", 1)
    running.paths.config.write_bytes(kept)
    await in_force(running)


async def test_a_byte_order_mark_and_a_swap_by_rename(running: Running) -> None:
    running.write_config(ONE_STREAMER + BOB)
    other = running.paths.config.with_name("swap")
    other.write_bytes(b"\xef\xbb\xbf" + running.paths.config.read_bytes() + b"# marked\n")
    other.replace(running.paths.config)
    await in_force(running)
    assert set(running.engine.live.config.streamers) == {"alice", "bob"}


async def test_half_of_a_file_is_never_taken_for_all_of_it(running: Running) -> None:
    """Written in place with pauses, each part a good config of its own: nothing is given up for a moment's sake."""
    heard = Watching(running)
    running.simulator.faults.receivers["main"] = ReceiverFault(status=503)
    await running.simulator.go_live("alice")
    await running.failed_once()
    whole = running.paths.config.read_text() + "# saved again\n"
    with running.paths.config.open("w", encoding="utf-8") as file:
        for part in ("", HEAD, whole.removeprefix(HEAD)):
            file.write(part)
            file.flush()
            await asyncio.sleep(0.15)
    await in_force(running)
    assert set(running.engine.live.config.streamers) == {"alice"}
    assert [each.text for each in heard.all()] == [""], "the only config that was ever found is the whole one"
    assert await running.deliveries(states=[DeliveryState.PENDING])


async def test_a_comment_is_no_change(running: Running) -> None:
    heard = Watching(running)
    before = running.engine.reach.way
    running.write_config(f"{ONE_STREAMER}\n# nothing\n")
    await in_force(running)
    assert [each.text for each in heard.all()] == [""]
    assert running.engine.reach.way is before


async def test_the_port_moves_and_connections_live_on(running: Running) -> None:
    assert running.engine.address is not None
    before = running.engine.address
    reader, writer = await asyncio.open_connection(*before)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running.paths.config.write_text(running.paths.config.read_text().replace("port = 0", f"port = {port}"))
    await in_force(running)
    assert running.engine.address == ("127.0.0.1", port)
    assert (await rawhttp.ask(running.engine.address, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")).status == 200
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200 OK" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*before)
    assert f"port {port}" in running.engine.reach.way.status.message or running.engine.reach.way.kind == "none"


async def test_a_port_that_is_taken_leaves_all_as_it_was_until_it_is_free(running: Running) -> None:
    before = running.engine.address
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = running.paths.config.read_text().replace("port = 0", f"port = {port}") + BOB
        running.paths.config.write_text(text)
        await in_force(running, "waiting")
        assert running.engine.address == before
        assert "bob" not in running.engine.live.config.streamers, "all or nothing"
        assert f"port {port}" in running.engine.reload.state.reason
        await announced(running, "alice", 1)
    await in_force(running)
    assert running.engine.address == ("127.0.0.1", port)
    assert "bob" in running.engine.live.config.streamers


async def test_from_webhooks_to_a_conduit_and_back(running: Running) -> None:
    running.write_config('[twitch]\ntransport = "conduit"\n' + ONE_STREAMER)
    await in_force(running)
    assert running.engine.reach.way.kind == "conduit"
    await until(lambda: running.engine.reach.way.status.code == "ready")

    def over_a_conduit() -> bool:
        held = running.simulator.eventsub.subscriptions
        return any(each.transport.method == "conduit" and each.type == "stream.online" for each in held)

    await until(over_a_conduit)
    await running.simulator.go_live("alice")
    await running.simulator.receiver.wait_for(1, "main")
    running.write_config(ONE_STREAMER)
    await in_force(running)
    assert running.engine.reach.way.kind == "none"
    await until(lambda: running.engine.supervisor.keeps("reach.way"))
    await until(lambda: not running.engine.signing.problem)
    await running.settled()
    assert len(running.simulator.receiver.accepted("main")) == 1


async def test_a_new_webhook_secret_counts_and_so_does_the_old_one(tmp_path: Path) -> None:
    unset = {"ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": ""}
    text = '[twitch]\nwebhook_secret = "{}"\n' + ONE_STREAMER
    async with running_engine(tmp_path, text.format("the-old-secret"), environ=unset, subscribe=False) as running:
        engine = running.engine
        await until(lambda: engine.signing.primary == "the-old-secret")
        nudged: list[str] = []
        engine.reach.subscriptions.trigger = nudged.append  # type: ignore[method-assign,assignment]
        running.write_config(text.format("another-secret"))
        await in_force(running)
        await until(lambda: engine.signing.primary == "another-secret")
        assert set(engine.signing.current()) == {b"another-secret", b"the-old-secret"}
        assert "secret" in nudged, "the subscriptions have to be made anew"


async def test_without_a_client_id_nobody_asks_twitch(tmp_path: Path) -> None:
    async with running_engine(tmp_path, environ={"ITSJUSTINTV_TWITCH_CLIENT_ID": ""}, subscribe=False) as running:
        supervisor = running.engine.supervisor
        assert not supervisor.keeps("twitch.token")
        (client_id,) = [
            value for key, value in running.simulator.environment().items() if key == "ITSJUSTINTV_TWITCH_CLIENT_ID"
        ]
        running.write_config(f'[twitch]\nclient_id = "{client_id}"\ntransport = "conduit"\n{ONE_STREAMER}')
        await in_force(running)
        assert supervisor.keeps("twitch.token")
        await until(lambda: running.engine.reach.subscriptions.status.code == "ok")
        running.write_config(ONE_STREAMER)
        await in_force(running)
        assert not supervisor.keeps("twitch.token")
        assert not supervisor.keeps("reach.subscriptions")


async def test_what_takes_a_restart_says_so(running: Running) -> None:
    heard = Watching(running)
    text = running.paths.config.read_text().replace('store = "memory"', 'store = "passphrase"')
    running.paths.config.write_text(text)
    await in_force(running)
    assert any("next start" in text for text in heard.notices())


async def test_it_can_be_stopped_in_the_middle_of_it(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_reloader, "CAREFUL", 60.0)
    running.paths.config.write_text("broken =")
    await asyncio.sleep(0.1)
    await asyncio.wait_for(running.stop(), 10)


@pytest.mark.expected_errors("did not close cleanly")
async def test_a_way_that_does_not_close_keeps_nobody_from_the_next(running: Running) -> None:
    async def broken() -> None:
        raise OSError("no such process")

    running.engine.reach.way.close = broken  # type: ignore[method-assign]
    running.write_config('[twitch]\ntransport = "conduit"\n' + ONE_STREAMER)
    await in_force(running)
    await until(lambda: running.engine.reach.way.status.code == "ready")


async def test_a_stop_closes_the_way_before_as_well(running: Running) -> None:
    """Else an agent of ngrok would outlive the program."""
    closes: list[str] = []

    async def slow() -> None:
        closes.append("begun")
        await asyncio.sleep(0.3)
        closes.append("done")

    running.engine.reach.way.close = slow  # type: ignore[method-assign]
    running.write_config('[twitch]\ntransport = "conduit"\n' + ONE_STREAMER)
    await in_force(running)
    await until(lambda: closes)
    await running.stop()
    assert closes == ["begun", "begun", "done"]


async def test_nothing_is_watched_by_a_command_that_works_by_itself(tmp_path: Path) -> None:
    async with running_engine(tmp_path, listen=False) as running:
        assert not running.engine.supervisor.keeps("config.reload")
