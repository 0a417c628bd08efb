"""Never leaks: every feature with marked secrets, as real processes, and a search for each of them everywhere.

Looked through: stdout and stderr of every process, every file below the data and config folders (the config itself
aside, and each secret's own place), the rows of the ledger unpacked, command lines and environments of processes we
start, and the answers of the control port. Telemetry, once there, adds what its collector received: `outside`.

What was covered is printed (`pytest -s`).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from itsjustintv_desktop.engine.core.paths import Paths
from tests.e2e.leaks.marks import Marks, mark
from tests.e2e.leaks.scene import ODD, OWN_PLACES, Scene, scene
from tests.engine.ingress.acme.pebble import pebble
from tests.engine.ingress.ngrok.conftest import certificate, standin  # noqa: F401 - a fixture
from tests.keyring_session import keyring_session
from tests.support import signed
from tests.support.commands import beside, clean_environ
from tests.support.process import MODULE, Serve
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("config", "check"), ("config", "check", "--json"), ("config", "path"), ("deliveries", "list"),
    ("deliveries", "list", "--json"), ("deliveries", "retry", "1"), ("deliveries", "resend", "2"),
    ("deliveries", "drop", "3"), ("deliveries", "drop", "999"), ("test-event", "alice"), ("test-event", "nobody"),
    ("subscriptions", "list"), ("subscriptions", "sync"), ("subscriptions", "delete", "x"), ("conduit", "list"),
    ("conduit", "adopt", "x"), ("conduit", "delete", "x"), ("doctor", "--local"), ("doctor", "--streamer", "alice"),
    ("doctor", "--json"),
)  # fmt: skip


async def knock(serve: Serve, marks: Marks, secret: str) -> None:
    """What strangers and Twitch send to the public port."""
    now = time.time()
    good = signed.online(now)
    sent = [
        good.but(signature=f"sha256={mark()}"), good.but(secret=marks.make("secret of another")),
        good.but(secret=secret, at=now - 3600, timestamp=signed.rfc3339(now - 3600)),
        signed.challenge(now, marks.make("challenge", ODD)).but(secret=secret),
        good.but(secret=secret, body=b'{"broken": "' + marks.make("in a broken body").encode()),
        signed.revocation(now).but(secret=secret),
    ]  # fmt: skip
    statuses = []
    async with aiohttp.ClientSession(trust_env=False) as session:
        for message in sent:
            headers = [(name, str(value)) for name, value in message.headers()]
            async with session.post(f"{serve.address}/twitch", data=message.body, headers=headers) as answer:
                statuses.append(answer.status)
        query = f"{serve.address}/health?token={marks.make('query of a stranger')}"
        async with session.get(query, headers={"Authorization": f"Bearer {marks.make('header of a stranger')}"}):
            pass
    assert statuses == [403, 403, 403, 200, 400, 204]


async def test_serve_and_all_commands_with_everything_going_wrong(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.write(here.config)
        serve = here.serve()
        try:
            await serve.started()
            await here.go_live(serve, "alice")
            await here.go_live(serve, "own")
            wanted = {f"status-{code}" for code in (204, 500, 400, 503, 401, 403, 302, 410, 404)} | {"api", "services"}
            await until(lambda: wanted <= here.there.seen.keys(), timeout=30, what="each destination was tried")
            await until(lambda: here.there.seen["status-503"] > 1, what="one was tried again")
            await knock(serve, here.marks, here.simulator.webhook_secret)
            await here.ask_everything()
            for command in COMMANDS:
                await here.command(*command)
            here.simulator.faults.revoke_tokens()
            here.simulator.faults.set("*", status=400)
            await here.ask_everything()
            await serve.kill()
            # Nobody runs now: the commands do it themselves. Then everything moves into the vault.
            for command in COMMANDS[:6]:
                await here.command(*command)
            here.simulator.faults.clear()
            assert await here.command("config", "move-secrets", "--yes") == 0
            assert "@keyring" in here.paths.config.read_text()
            tried = here.there.seen["status-503"]
            await serve.started()
            await until(
                lambda: here.there.seen["status-503"] > tried, timeout=30, what="an address of the vault is used"
            )
            await here.ask_everything()
            assert await serve.stop() == 0
            wrong = {"ITSJUSTINTV_PASSPHRASE": here.marks.make("wrong passphrase")}
            closed = here.serve(environ=wrong)
            await closed.started()
            await here.ask_everything()
            assert await closed.stop() == 0
        finally:
            await serve.close()
        names = here.search_all(serve)
        assert {"data/ledger.db", "data/secrets.vault", "data/output.json", "data/logs/itsjustintv.log"} <= names
        assert b"taken in" in (here.paths.logs / "itsjustintv.log").read_bytes()


async def crash(here: Scene, *more: str) -> None:
    here.write(here.config)
    serve = here.serve("attempt", "enrich", "loops", *more)
    try:
        await serve.started()
        await here.go_live(serve, "alice")

        def broke() -> bool:
            log = serve.log.read_text(errors="replace")
            return all(
                each in log for each in ("an attempt broke", "enriching broke", "a loop broke", "a thread broke")
            )

        await until(broke, timeout=30, what="everything broke that can")
        await here.ask_everything()
        await here.command("deliveries", "list", "--json")
        await here.command("doctor")
        await serve.stop()
        fails = here.serve("start", *more)
        await fails.start()
        assert await fails.ended() == 1
    finally:
        await serve.close()
    told = serve.log.read_text(errors="replace")
    for each in ("UserWarning", "some.library", "an error nobody could be told of", "the program broke"):
        assert each in told, each
    here.search_all(serve)
    assert "the program cannot start" in (here.paths.logs / "itsjustintv.log").read_text()


async def test_crashes_that_quote_every_secret_there_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        await crash(here)


async def test_without_the_redactor_the_search_finds_what_leaks(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        await crash(here, "no_redactor")
        found = {leak.partition(" (")[0] for leak in here.marks.leaks}
        places = {leak.partition(" in ")[2].partition(",")[0] for leak in here.marks.leaks}
        assert {"client secret", "webhook secret", "passphrase", "x-hub secret", "header: bearer"} <= found
        assert {"token of Discord", "password of an address", "query of an address"} <= found
        assert any(name.startswith("app token") for name in found)
        assert {"serve.log", "file data/logs/itsjustintv.log"} <= places
        here.marks.leaks.clear()


async def test_without_cleaned_answers_the_search_finds_them_in_the_ledger(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.write(here.config)
        serve = here.serve("no_excerpt")
        try:
            await serve.started()
            await here.go_live(serve, "alice")
            await until(lambda: here.there.seen["status-503"], timeout=30)
            await serve.stop()
        finally:
            await serve.close()
        here.search_all(serve)
        assert any("rows of data/ledger.db" in leak for leak in here.marks.leaks)
        here.marks.leaks.clear()


@pytest.mark.parametrize(
    "wrong",
    [
        '[twitch]\nclient_secret = "{secret}\n',
        '[twitch]\nclient_secret = {secret}\n',
        '[twitch]\nwebhook_secret = "{secret} with a\\tTab"\nclient_secret = ["{secret}"]\nclient_id = "{secret} x"\n',
        '[destinations.x]\nurl = "ftp://{secret}@host/{secret}"\nsecret = 5\n'
        'headers = {{ "Authorization: {secret}" = "y" }}\n',
        '[destinations.x]\nurl = "https://host/{secret} x"\nheaders = {{ "A" = "{secret}\\r\\nB: c" }}\n',
        '[unknown]\nkey = "{secret}"\n[streamers.x]\nlogin = "https://x/{secret}"\nunknown = "{secret}"\n',
        '[server]\nport = "{secret}"\nlisten_addr = "{secret}/"\n[retry]\nmax_delay = "{secret}"\n',
        '[telemetry]\nenabled = true\nendpoint = "http://{secret}@h/?{secret}"\nprotocol = "{secret}"\n',
    ],
)  # fmt: skip
async def test_a_wrong_config_is_explained_without_what_stands_in_it(tmp_path: Path, wrong: str) -> None:
    marks = Marks()
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    paths.config.parent.mkdir()
    paths.config.write_text(wrong.format(secret=marks.make("in the config")))
    for command in (
        ("config", "check"),
        ("config", "check", "--json"),
        ("serve",),
        ("deliveries", "list"),
        ("doctor",),
    ):
        done = await beside(paths, *command, environ={"ITSJUSTINTV_SERVER_TLS_ENABLED": marks.values["in the config"]})
        assert done.code or command[0] == "deliveries", command  # those need no config
        marks.search("output", " ".join(command), f"{done.out}{done.err}".encode())
    marks.search_folder(tmp_path, OWN_PLACES)
    assert marks.leaks == []


async def test_a_conduit(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.write(here.config.replace("[twitch]\n", '[twitch]\ntransport = "conduit"\n'))
        serve = here.serve()
        try:
            await serve.started()
            await until(
                lambda: len(here.simulator.eventsub.subscriptions) == 4, timeout=30, what="all is subscribed to"
            )
            await here.simulator.go_live("alice")
            await until(lambda: here.there.seen["status-204"], timeout=30)
            secret = here.marks.make("in a reconnect address")
            for session in here.simulator.sockets:
                here.marks.add("challenge of a reconnect", session.challenge)
            here.simulator.faults.reconnect_url = f"wss://me:{secret}@evil.example/ws?challenge={secret}"
            await here.simulator.ask_reconnect()
            await until(lambda: here.simulator.other_calls["websocket"] >= 2, timeout=30)
            for command in COMMANDS[11:]:
                await here.command(*command)
            await here.command("subscriptions", "sync", "--new-secret")
            await here.ask_everything()
            await serve.stop()
        finally:
            await serve.close()
        here.search_all(serve)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with a shebang")
async def test_a_tunnel(tmp_path: Path, certificate: Path) -> None:  # noqa: F811 - the fixture
    async with scene(tmp_path / "scene") as here:
        place = tmp_path / "programs"
        standin(place, certificate)
        token = here.marks.values.setdefault("ngrok token", f"2{mark()}_{mark()}")
        text = here.config.replace("[tunnel]\n", '[tunnel]\nprovider = "ngrok"\n')
        old = here.marks.values["ngrok token, not in use"]
        here.write(text.replace(old, token))
        path = f"{place}{os.pathsep}{os.environ['PATH']}"
        serve = here.serve(environ={"PATH": path, "NGROK_AUTHTOKEN": token, "OTEL_EXPORTER_OTLP_HEADERS": f"a={token}"})
        notes = place / "seen.jsonl"
        try:
            await serve.started()
            await until(
                lambda: notes.exists() and "asked" in notes.read_text(), timeout=30, what="a tunnel is asked for"
            )
            await here.ask_everything()
            (place / "script.new").write_text(json.dumps({"session": "bad_token"}))
            (place / "script.new").replace(place / "script.json")
            await until(lambda: b"[hidden]" in serve.log.read_bytes(), timeout=30, what="it quotes our token back")
            await here.ask_everything()
            await here.command("doctor")
            await serve.stop()
        finally:
            await serve.close()
        here.search_all(serve)
        for note in map(json.loads, notes.read_text().splitlines()):
            note.pop("settings", None)  # its own file, which is where the token belongs
            here.marks.search("what ngrok's program was given", "seen.jsonl", json.dumps(note).encode())


async def test_certificates(tmp_path: Path) -> None:
    name = f"n{random.randrange(10**9)}.example.com"
    folder = tmp_path / "pebble"
    folder.mkdir()
    with pebble(folder) as authority:
        async with scene(tmp_path / "scene") as here:
            tls = f'[server.tls]\nenabled = true\ndomains = ["{name}"]\ndirectory_url = "{authority.directory}"\n'
            here.write(here.config + tls)
            serve = here.serve(
                environ={
                    **authority.environ, "ITSJUSTINTV_SERVER_PORT": str(authority.tls_port),
                    "ITSJUSTINTV_SERVER_LISTEN_ADDR": "127.0.0.1",
                }
            )  # fmt: skip
            certificates = here.paths.data / "acme_certs"
            try:
                await serve.started()
                await until(lambda: (certificates / "key.pem").exists(), timeout=60, what="the certificate is there")
                for path in certificates.iterdir():
                    # The private number stands in the first two lines; the third is public, and in the certificate.
                    for line in path.read_text().splitlines()[1:3] if path.name == "key.pem" else []:
                        here.marks.add("acme key", line)
                await here.ask_everything()
                await here.command("doctor")
                await serve.stop()
                for account in json.loads((certificates / "acme_cache.json").read_text())["accounts"].values():
                    here.marks.add("acme account key", account["key"].get("d"))
            finally:
                await serve.close()
            assert any(name.startswith("acme account key") for name in here.marks.values)
            assert any(name.startswith("acme key") for name in here.marks.values)
            assert "data/acme_certs/key.pem" in here.search_all(serve)


async def test_a_keyring_that_is_locked(tmp_path: Path) -> None:
    with keyring_session() as session:
        async with scene(tmp_path) as here:
            here.environ |= session.environment
            del here.environ["ITSJUSTINTV_PASSPHRASE"]
            here.write(here.config.replace('store = "passphrase"', 'store = "keyring"'))
            await here.command("config", "move-secrets", "--yes")
            serve = here.serve()
            try:
                await serve.started()
                await here.go_live(serve, "alice")
                await until(lambda: here.there.seen["status-204"], timeout=30)
                await here.ask_everything()
                await serve.stop()
                session.lock()
                await serve.started()
                await here.ask_everything()
                await here.command("doctor")
                await here.command("deliveries", "list", "--json")
                await serve.stop()
            finally:
                await serve.close()
            assert b"locked" in serve.log.read_bytes()
            here.search_all(serve)


async def test_no_secret_is_in_the_demo(tmp_path: Path) -> None:
    """It has secrets of its own, known from the simulator's code."""
    paths = Paths(tmp_path / "config.toml", tmp_path / "data")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *MODULE, "--log-level", "debug", "demo", "--headless", "--seconds", "5",
        env=clean_environ(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert not paths.data.exists()
    for secret in (b"simulated-client-secret", b"simulated-webhook-secret", b"Bearer "):
        assert secret not in out
