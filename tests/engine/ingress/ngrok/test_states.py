"""Each state by name: what provokes it, what it tells a person, and how it ends."""

from __future__ import annotations

import shutil

import pytest

from itsjustintv_desktop.engine.config.schema import Config, Tunnel
from itsjustintv_desktop.engine.core.errors import (
    SecretsAbsentError,
    SecretsError,
    SecretsLockedError,
    WrongPassphraseError,
)
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.ngrok.conftest import TOKEN, Rig, standin
from tests.support.waiting import until


async def test_no_program(rig: Rig) -> None:
    shutil.rmtree(rig.place)
    rig.start()
    status = await rig.state("agent_missing")
    assert status.state is TransportState.FAILING
    assert "tunnel install" in status.fix
    standin(rig.place, rig.certificate)
    assert await rig.retried() == 15.0
    await rig.ready()


async def test_an_installed_program_comes_before_the_path(rig: Rig) -> None:
    standin(rig.folder / "bin", rig.certificate)
    rig.start()
    await rig.ready()
    assert not rig.seen("pid"), "not the one in PATH"
    assert (rig.folder / "bin" / "seen.jsonl").exists()


async def test_pyngroks_command_of_the_same_name_is_not_ngroks_program(rig: Rig) -> None:
    rig.program.write_text("#!/bin/sh\nfrom pyngrok.ngrok import main\n")
    rig.start()
    await rig.state("agent_missing")


async def test_a_program_that_cannot_be_started(rig: Rig) -> None:
    rig.program.write_bytes(b"\x7fELF of another machine")
    rig.start()
    status = await rig.state("agent_broken")
    assert status.state is TransportState.FAILING
    assert "tunnel install" in status.fix


@pytest.mark.parametrize("token", [None, "", "  ", SecretsAbsentError("No keyring.")])
async def test_no_token(rig: Rig, token: str | SecretsError | None) -> None:
    rig.token = token
    rig.start()
    status = await rig.state("no_token")
    assert status.state is TransportState.FAILING
    assert "ITSJUSTINTV_TUNNEL_AUTHTOKEN" in status.fix
    assert rig.seen("pid") == []
    rig.token = TOKEN
    rig.way.trigger()
    await rig.ready()


@pytest.mark.parametrize("error", [SecretsLockedError("Unlock it."), WrongPassphraseError("Give the right one.")])
async def test_the_keyring_is_locked(rig: Rig, error: SecretsError) -> None:
    rig.token = error
    rig.start()
    status = await rig.state("secrets_waiting")
    assert status.state is TransportState.WAITING
    assert error.message in status.message
    rig.token = TOKEN
    assert await rig.retried() == 15.0
    await rig.ready()


async def test_nothing_listens_yet(rig: Rig) -> None:
    rig.upstream = None
    rig.start()
    await until(lambda: rig.clock.sleeping)
    assert rig.way.status.state is TransportState.STARTING
    rig.upstream = ("127.0.0.1", 8099)
    assert await rig.retried() == 1.0
    await rig.ready()
    assert rig.codes()[-1] == "ready"


async def test_a_bad_token(rig: Rig) -> None:
    rig.script(session="bad_token")
    rig.start()
    status = await rig.state("bad_token")
    assert status.state is TransportState.FAILING
    assert TOKEN not in f"{status.message} {status.fix}"
    assert await rig.rests() == 300.0, "it is not left to try and try"
    assert rig.running() == []
    rig.clock.advance(300)
    await until(lambda: len(rig.seen("pid")) == 2)
    await rig.rests()
    rig.script()
    rig.way.trigger()
    await rig.ready()
    assert rig.codes() == ["bad_token", "ready"], "told once, however often it is tried"


async def test_a_bad_token_of_a_program_that_gives_up(rig: Rig) -> None:
    rig.script(
        exit=1, last_words=["authentication failed: The authtoken you specified", f"Your authtoken: {TOKEN}",
                            "ERR_NGROK_105", "https://ngrok.com/docs/errors/err_ngrok_105"],
    )  # fmt: skip
    rig.start()
    status = await rig.state("bad_token")
    assert TOKEN not in f"{status.message} {status.fix}"


async def test_too_many_agents(rig: Rig) -> None:
    rig.script(session="sessions")
    rig.start()
    status = await rig.state("session_limit")
    assert status.state is TransportState.FAILING
    assert "Another ngrok agent" in status.fix
    rig.script()
    assert await rig.retried() == 60.0
    await rig.ready()


async def test_a_domain_of_somebody_else(rig: Rig) -> None:
    rig.config = Config(tunnel=Tunnel(provider="ngrok", domain="theirs.ngrok.app"))
    rig.script(refusal="This domain is reserved for another account.\\r\\n\\r\\nERR_NGROK_320\\r\\n")
    rig.start()
    status = await rig.state("bad_domain")
    assert status.state is TransportState.FAILING
    assert "theirs.ngrok.app" in status.message
    rig.script()
    rig.config = Config(tunnel=Tunnel(provider="ngrok", domain="mine.ngrok-free.dev"))
    rig.way.trigger()
    await rig.ready()


async def test_a_domain_that_another_agent_serves(rig: Rig) -> None:
    rig.script(refusal="The endpoint 'https://mine.ngrok-free.dev' is already online.\\r\\n\\r\\nERR_NGROK_334\\r\\n")
    rig.start()
    assert (await rig.state("domain_in_use")).state is TransportState.FAILING
    rig.script()
    assert await rig.retried() == 60.0
    await rig.ready()


async def test_a_program_too_old_for_endpoints(rig: Rig) -> None:
    rig.script(old=True)
    rig.start()
    status = await rig.state("agent_too_old")
    assert (status.state, "tunnel install" in status.fix) == (TransportState.FAILING, True)


async def test_anything_else_that_ngrok_refuses_is_shown_without_the_token(rig: Rig) -> None:
    rig.script(refusal=f"The account x has been suspended ({TOKEN}).\\r\\n\\r\\nERR_NGROK_338\\r\\n")
    rig.start()
    status = await rig.state("refused")
    assert status.state is TransportState.FAILING
    assert "has been suspended" in status.message
    assert TOKEN not in status.message
    assert status.fix.endswith("err_ngrok_338")


async def test_the_quota_is_spent_when_it_starts(rig: Rig) -> None:
    rig.script(refusal="This ngrok account has reached its connections limit for the month. ERR_NGROK_726")
    rig.start()
    status = await rig.state("quota_spent")
    assert status.state is TransportState.WAITING
    assert "conduit" in status.fix
    rig.script()
    assert await rig.retried() == 1800.0
    await rig.ready()


async def test_a_silent_program(rig: Rig) -> None:
    rig.script(silent=True)
    rig.start()
    await until(lambda: rig.seen("pid"))
    await rig.passes(lambda: rig.way.status.code == "start_timeout", most=31)
    assert rig.way.status.state is TransportState.WAITING
    await until(lambda: rig.running() == [])
    rig.script()
    assert await rig.retried() == 1.0
    await rig.ready()


async def test_a_program_that_is_never_ready_for_an_address(rig: Rig) -> None:
    rig.script(not_ready=True)
    rig.start()
    await until(lambda: rig.seen("asked"))
    await rig.passes(lambda: rig.way.status.code == "start_timeout", most=40)
    assert len(rig.seen("asked")) > 3, "it was asked again and again"
    rig.script()
    assert await rig.retried() == 1.0
    await rig.ready()


async def test_offline_from_the_start(rig: Rig) -> None:
    rig.script(session="dial")
    rig.start()
    status = await rig.state("offline")
    assert status.state is TransportState.WAITING
    assert "i/o timeout" in status.message
    assert rig.way.target is None
    rig.script()
    await rig.ready()
    assert len(rig.seen("pid")) == 1, "the program connects by itself"


async def test_offline_for_long_starts_the_program_anew(rig: Rig) -> None:
    """An agent that began without a network can hang for ever."""
    rig.script(session="dial")
    rig.start()
    await rig.state("offline")
    await rig.passes(lambda: rig.way._running is None, most=1000)
    rig.script()
    assert await rig.retried() == 1.0
    await rig.ready()
    assert len(rig.seen("pid")) == 2
    assert rig.codes() == ["offline", "ready"]


async def test_a_folder_that_cannot_be_written(rig: Rig) -> None:
    rig.folder.parent.mkdir()
    rig.folder.write_text("in the way")
    rig.start()
    assert (await rig.state("folder_unwritable")).state is TransportState.FAILING
    rig.folder.unlink()
    assert await rig.retried() == 15.0
    await rig.ready()
