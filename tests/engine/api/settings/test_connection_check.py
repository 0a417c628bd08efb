"""A way looked at before it is switched to."""

from __future__ import annotations

import socket

from itsjustintv_desktop.engine.api.settings.connection_check import TransportDraft
from itsjustintv_desktop.engine.ingress.ngrok.settings import own_program
from itsjustintv_desktop.engine.monitoring.doctor.report import Check, CheckState
from tests.support.engine import Running
from tests.support.ports import free_port

GREEN, AMBER, RED = CheckState.GREEN, CheckState.AMBER, CheckState.RED


async def checks(running: Running, **draft: object) -> dict[str, Check]:
    found = await running.engine.api.settings.connection_check.check(TransportDraft(**draft))  # type: ignore[arg-type]
    assert all(one.fix for one in found if one.state is RED)
    return {one.name: one for one in found}


def states(found: dict[str, Check]) -> dict[str, CheckState]:
    return {name: one.state for name, one in found.items()}


async def test_a_conduit_needs_credentials_and_room(running: Running) -> None:
    way = running.engine.reach.way
    assert states(await checks(running, kind="conduit")) == {"token": GREEN, "conduit": GREEN}
    assert running.engine.reach.way is way, "nothing is switched"
    assert running.engine.live.config.twitch.transport == "webhook"
    for _ in range(5):
        await running.engine.reach.conduits.create(1)
    assert states(await checks(running, kind="conduit")) == {"token": GREEN, "conduit": AMBER}


async def test_wrong_credentials_are_told_and_the_running_ones_stay(running: Running) -> None:
    await running.engine.twitch.tokens.validate()
    found = await checks(running, kind="conduit", client_secret="wrong-secret")
    assert states(found) == {"token": RED}
    assert "secret" in found["token"].message
    assert "wrong-secret" not in found["token"].message
    assert states(await checks(running, kind="conduit", client_id="")) == {"token": RED}
    await running.engine.twitch.tokens.validate()


async def test_ngrok_needs_its_program_and_a_token(running: Running) -> None:
    found = states(await checks(running, kind="ngrok"))
    assert found["authtoken"] is RED
    program = own_program(running.engine.paths.ngrok)
    program.parent.mkdir(parents=True)
    program.write_bytes(b"\x7fELF" + b"x" * 100)
    program.chmod(0o700)
    found = states(await checks(running, kind="ngrok", authtoken="2abc"))
    assert (found["ngrok"], found["authtoken"]) == (GREEN, GREEN)
    assert states(await checks(running, kind="ngrok", authtoken="a b"))["authtoken"] is RED


async def test_a_certificate_needs_a_name_that_leads_somewhere_and_a_port(running: Running) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        found = await checks(running, kind="tls", domains=("localhost", "nowhere.invalid"), port=port)
    assert states(found) == {
        "token": GREEN,
        "name localhost": GREEN,
        "name nowhere.invalid": RED,
        "port": RED,
        "listening": AMBER,
    }
    assert running.engine.address is not None
    ours = await checks(running, kind="tls", domains=("localhost",), port=running.engine.address[1])
    assert ours["port"].state is GREEN
    found = await checks(running, kind="tls", listen_addr="0.0.0.0", port=free_port(), challenge="http-01", http_port=0)
    assert found["port"].state is found["http port"].state is GREEN
    assert found["name"].state is RED
    assert "listening" not in found
    assert states(await checks(running, kind="tls", domains=("https://x",)))["name"] is RED


async def test_an_own_address_is_asked_for_a_nonce(running: Running) -> None:
    found = states(await checks(running, kind="own", address=running.callback))
    assert (found["address"], found["reachable"]) == (GREEN, GREEN)
    nobody = f"http://127.0.0.1:{free_port()}/twitch"
    assert states(await checks(running, kind="own", address=nobody))["reachable"] is AMBER
    assert states(await checks(running, kind="own", address="example.com"))["address"] is RED
    with_a_word = await checks(running, kind="own", address="http://127.0.0.1:1")
    assert with_a_word["address"].state is AMBER


def test_a_draft_shows_no_secret() -> None:
    assert "s3cret" not in repr(TransportDraft(kind="ngrok", client_secret="s3cret", authtoken="s3cret"))
