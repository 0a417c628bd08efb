"""What holds from the moment the public port takes connections: messages can be verified, if that can be had at all."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.engine.ingress import webhook_secret
from itsjustintv_desktop.engine.storage.secrets import SecretStore
from tests.support import rawhttp, signed
from tests.support.ports import free_port
from tests.support.waiting import until

CONFIG = '[server]\nport = {}\n[secrets]\nstore = "memory"\n[streamers.alice]\nlogin = "alice"\n'
SECRET = {"ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": signed.SECRET}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def paths(tmp_path: Path, port: int) -> Paths:
    paths = Paths(tmp_path / "config.toml", tmp_path / "data")
    paths.config.write_text(CONFIG.format(port))
    return paths


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place for secrets that takes its time, as a keyring on a busy machine does."""
    get = SecretStore.get

    async def later(self: SecretStore, name: str) -> str | None:
        await asyncio.sleep(0.3)
        return await get(self, name)

    monkeypatch.setattr(SecretStore, "get", later)


async def _first_answer(port: int, request: bytes) -> rawhttp.Answer:
    """As soon as anybody takes the connection."""
    found: list[rawhttp.Answer] = []

    async def answered() -> bool:
        try:
            found.append(await rawhttp.ask(("127.0.0.1", port), request))
        except OSError:
            return False
        return True

    await until(answered, timeout=20, what="somebody listens")
    return found[0]


@pytest.mark.usefixtures("slow")
@pytest.mark.fault(
    "keyring: slow at the start, and a message comes at once",
    seen="Nothing: the port opens once the webhook secret is at hand, so the first message gets 204.",
)
async def test_the_first_message_is_verified(paths: Paths, port: int) -> None:
    engine, tasks = Engine(EngineOptions(paths=paths, environ=SECRET)), Tasks()
    tasks.start("start", engine.start())
    try:
        answer = await _first_answer(port, signed.online(time.time()).request())
        assert answer.status == 204
    finally:
        await tasks.stop()
        await engine.stop()


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("environ", [SECRET, {}], ids=["environment", "store"])
async def test_it_is_at_hand_once_it_is_ready(paths: Paths, environ: dict[str, str]) -> None:
    engine = Engine(EngineOptions(paths=paths, environ=environ))
    await engine.start()
    try:
        assert engine.signing.problem is None
        assert engine.signing.current()
    finally:
        await engine.stop()


@pytest.mark.usefixtures("slow")
async def test_over_a_conduit_it_is_not_waited_for(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.config.write_text(paths.config.read_text() + '[twitch]\ntransport = "conduit"\n')
    monkeypatch.setattr(webhook_secret.WebhookSecret, "keep", None)
    engine = Engine(EngineOptions(paths=paths, environ={}))
    await engine.start()
    await engine.stop()


@pytest.mark.parametrize("hangs", [True, False], ids=["silent", "locked"])
async def test_one_that_cannot_be_had_holds_nothing_up(
    paths: Paths, port: int, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """Twitch hears 503, and sends again."""
    monkeypatch.setattr(webhook_secret, "START_SECONDS", 0.1)

    async def get(*_: Any) -> str:
        if hangs:
            await asyncio.Event().wait()
        raise SecretsLockedError("The keyring is locked.")

    monkeypatch.setattr(SecretStore, "get", get)
    engine = Engine(EngineOptions(paths=paths, environ={}))
    await engine.start()
    try:
        assert engine.signing.problem
        answer = await rawhttp.ask(("127.0.0.1", port), signed.online(time.time()).request())
        assert answer.status == 503
        health = await rawhttp.ask(("127.0.0.1", port), rawhttp.request(target="/health"))
        assert health.status == 200
    finally:
        await engine.stop()
