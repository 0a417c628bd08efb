"""A port that another program holds, where nothing has to reach us."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.config import watch
from itsjustintv_desktop.engine.core.errors import AddressInUseError
from itsjustintv_desktop.engine.core.events import Notice
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.engine import Engine
from tests.support.waiting import until

CONFIG = '[server]\nport = {}\n[secrets]\nstore = "memory"\n'
CONDUIT = '[twitch]\ntransport = "conduit"\n'
NGROK = '[tunnel]\nprovider = "ngrok"\nauthtoken = "an-authtoken"\n'
OWN = '[twitch]\nincoming_webhook_url = "https://live.example.com/twitch"\n'


@pytest.fixture
def holder() -> Iterator[socket.socket]:
    """Another program that listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held


@pytest.fixture
def paths(tmp_path: Path, holder: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    monkeypatch.setattr(watch, "SETTLE", 0.02)
    paths = Paths(tmp_path / "config.toml", tmp_path / "data")
    paths.config.write_text(CONFIG.format(holder.getsockname()[1]))
    return paths


def engine_of(paths: Paths, *, yield_port: bool = True) -> Engine:
    return Engine(EngineOptions(paths=paths, environ={}, yield_port=yield_port))


async def test_it_starts_all_the_same_and_takes_the_port_once_it_is_free(paths: Paths, holder: socket.socket) -> None:
    taken = holder.getsockname()[1]
    engine = engine_of(paths)
    await engine.start()
    try:
        assert engine.listening is not None
        assert engine.listening.address not in {None, ("127.0.0.1", taken)}
        paths.config.write_text(paths.config.read_text() + '[retry]\nmax_age = "23h"\n')
        await until(
            lambda: engine.live.config.retry.max_age == 23 * 3600, what="another change is taken over meanwhile"
        )
        holder.close()
        paths.config.write_text(paths.config.read_text().replace("23h", "22h"))
        await until(lambda: engine.listening and engine.listening.address == ("127.0.0.1", taken))
    finally:
        await engine.stop()


async def test_where_twitch_calls_us_the_port_counts(paths: Paths) -> None:
    paths.config.write_text(paths.config.read_text() + OWN)
    with pytest.raises(AddressInUseError):
        await engine_of(paths).start()


async def test_a_way_that_needs_the_port_is_not_taken_over_without_it(paths: Paths) -> None:
    engine = engine_of(paths)
    await engine.start()
    try:
        paths.config.write_text(paths.config.read_text() + OWN)
        await until(lambda: "Cannot listen" in engine.reload.state.reason)
        assert engine.live.config.twitch.incoming_webhook_url == ""
    finally:
        await engine.stop()


async def test_a_server_that_waits_for_calls_says_so_and_ends(paths: Paths) -> None:
    with pytest.raises(AddressInUseError):
        await engine_of(paths, yield_port=False).start()


@pytest.mark.parametrize("way", [CONDUIT, NGROK], ids=["conduit", "ngrok"])
@pytest.mark.parametrize("yield_port", [True, False], ids=["window", "serve"])
async def test_nobody_needs_the_port_of_the_config(
    paths: Paths, holder: socket.socket, way: str, yield_port: bool
) -> None:
    """Over a conduit nobody comes at all, and ngrok's agent is sent to wherever it listens."""
    paths.config.write_text(paths.config.read_text() + way)
    engine = engine_of(paths, yield_port=yield_port)
    watcher = engine.subscribe()
    await engine.start()
    try:
        assert engine.address is not None
        assert engine.address != ("127.0.0.1", holder.getsockname()[1])
        said = [event.text for event in watcher.take()[1] if isinstance(event, Notice)]
        assert any("Cannot listen" in text and f"port {engine.address[1]}" in text for text in said), said
    finally:
        await engine.stop()


async def test_a_change_to_a_conduit_is_not_held_up_by_a_taken_port(paths: Paths, holder: socket.socket) -> None:
    taken = holder.getsockname()[1]
    paths.config.write_text(CONFIG.format(0) + OWN)
    engine = engine_of(paths, yield_port=False)
    await engine.start()
    try:
        before = engine.address
        paths.config.write_text(CONFIG.format(taken) + CONDUIT)
        await until(lambda: engine.live.config.twitch.transport == "conduit")
        assert engine.reload.state.state == "ok"
        assert engine.address == before
    finally:
        await engine.stop()
