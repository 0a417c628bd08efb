"""`subscriptions`, beside a running program and without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.support import rawhttp
from tests.support.commands import Result, beside
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

ALICE = '[streamers.alice]\nlogin = "alice"\n'
CONDUIT = '[twitch]\ntransport = "conduit"\n' + ALICE
NOWHERE = "26b1c993-bfcf-44d9-b876-379dacafe75a"
_KEYS = {"id", "type", "version", "user_id", "login", "status", "target", "ours", "cost", "created_at"}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A program that reaches Twitch over a conduit, and whose subscriptions are all there."""
    async with running_engine(
        tmp_path, CONDUIT, logins=("alice",), secret=None, subscribe=False, start=False
    ) as running:
        await _foreign(running)
        await running.start()
        await until(lambda: running.engine.reach.subscriptions.status.code == "ok")
        yield running


async def _foreign(running: Running) -> None:
    user = running.simulator.state.get("alice").user_id
    (
        await running.simulator.subscribe(user, "stream.online", "http://127.0.0.1:9/other")
    ).status = SubscriptionStatus.ENABLED


async def _run(running: Running, *command: str, stdin: bytes = b"") -> Result:
    return await beside(running.paths, "subscriptions", *command, environ=running.simulator.environment(), stdin=stdin)


async def test_listed_beside_a_running_program(running: Running) -> None:
    found = (await _run(running, "list", "--json")).json
    assert all(set(each) == _KEYS for each in found)
    assert [(each["type"], each["login"], each["ours"]) for each in found] == [
        ("stream.online", "alice", False),
        ("stream.online", "alice", True),
        ("stream.offline", "alice", True),
    ]
    assert {each["target"].split()[0] for each in found if each["ours"]} == {"conduit"}
    shown = await _run(running, "list")
    lines = shown.out.splitlines()
    assert lines[0].split()[:5] == ["ID", "TYPE", "CHANNEL", "STATUS", "WHOSE"]
    assert lines[-1] == "2 ours, 1 foreign; 3 of 10000 points used."


@pytest.mark.slow
async def test_synced_and_deleted_beside_a_running_program(running: Running) -> None:
    held = running.simulator.eventsub.subscriptions
    ours = [each for each in held if each.transport.method == "conduit"]
    held.remove(ours[0].id)
    synced = await _run(running, "sync", "--json")
    assert synced.code == 0
    report = synced.json
    assert (report["ok"], report["created"], report["kept"], report["foreign"]) == (True, 1, 1, 1)
    shown = await _run(running, "sync")
    assert "0 created, 0 deleted, 2 left as they were, 1 of other programs left alone." in shown.out

    assert (await _run(running, "delete", ours[1].id, stdin=b"n\n")).code == 1
    assert held.get(ours[1].id) is not None
    assert (await _run(running, "delete", ours[1].id, stdin=b"y\n")).code == 0
    assert held.get(ours[1].id) is None
    unknown = await _run(running, "delete", NOWHERE, "--yes")
    assert (unknown.code, NOWHERE in unknown.err) == (1, True)
    assert (await _run(running, "delete")).code == 2
    gone = await _run(running, "delete", "--all-ours", "--yes")
    assert gone.out.startswith("Deleted 1 ")
    assert [each.transport.method for each in held] == ["webhook"]
    refused = await _run(running, "sync", "--new-secret")
    assert refused.code == 1
    assert "conduit" in refused.err


async def test_over_a_conduit_all_of_it_works_without_the_program(running: Running) -> None:
    held = running.simulator.eventsub.subscriptions
    await running.stop()
    assert len((await _run(running, "list", "--json")).json) == 3
    assert (await _run(running, "delete", "--all-ours", "--yes")).out.startswith("Deleted 2 ")
    assert len(held) == 1
    synced = await _run(running, "sync", "--json")
    assert (synced.code, synced.json["created"]) == (0, 2)
    assert len(held) == 3


async def test_with_webhooks_the_program_has_to_run_for_a_round(tmp_path: Path) -> None:
    config = '[twitch]\nincoming_webhook_url = "https://example.com/twitch"\n' + ALICE
    async with running_engine(
        tmp_path, config, logins=("alice",), secret=None, subscribe=False, start=False
    ) as running:
        await _foreign(running)
        assert len((await _run(running, "list", "--json")).json) == 1
        refused = await _run(running, "sync")
        assert refused.code == 1
        assert "has to run" in refused.err


async def test_a_new_secret_beside_a_running_program(tmp_path: Path) -> None:
    async with running_engine(tmp_path, ALICE, logins=("alice",), secret=None, subscribe=False, start=False) as running:
        environ = {
            name: value for name, value in running.simulator.environment().items() if "WEBHOOK_SECRET" not in name
        }
        running.simulator.environment = lambda: environ  # type: ignore[method-assign]
        await running.start()
        signing = running.engine.signing
        await until(lambda: signing.primary)
        old = str(signing.primary)
        nowhere = await _run(running, "sync", "--new-secret")
        assert nowhere.code == 1
        assert "stays as it is" in nowhere.err, "there is no address in this config"
        assert "has no address" in nowhere.err
        assert signing.primary == old
        running.engine.reach.way._target = Webhook(running.callback)  # type: ignore[attr-defined]
        done = await _run(running, "sync", "--new-secret")
        assert signing.primary != old
        assert old.encode() in signing.current()
        assert str(signing.primary) not in done.out + done.err


async def test_the_control_port(running: Running) -> None:
    found = address.read(running.paths.control)
    assert found is not None
    for method, path, body, status in (
        ("GET", "/v1/subscriptions/status", b"", 200),
        ("POST", "/v1/subscriptions/sync", b"[]", 409),
        ("DELETE", f"/v1/subscriptions/{NOWHERE}", b"", 404),
        ("DELETE", "/v1/subscriptions/a%2Fb", b"", 404),
    ):
        headers = [("Authorization", f"Bearer {found.token}")]
        request = rawhttp.request(method, path, headers, body, host=f"127.0.0.1:{found.port}")
        answer = await rawhttp.ask(("127.0.0.1", found.port), request)
        assert answer.status == status, (method, path)
