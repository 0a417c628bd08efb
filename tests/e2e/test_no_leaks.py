"""Never leaks: every feature with marked secrets, as real processes, and a search for each of them everywhere.

Looked through: stdout and stderr of every process, every file below the data and config folders (the config itself
aside, and each secret's own place), the rows of the ledger unpacked, command lines and environments of processes we
start, and the answers of the control port. Telemetry, once there, adds what its collector received: `outside`.

What was covered is printed (`pytest -s`).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from tests.e2e.leaks.echo import Echo, echo
from tests.e2e.leaks.marks import Marks, mark
from tests.engine.ingress.acme.pebble import pebble
from tests.engine.ingress.ngrok.conftest import certificate, standin  # noqa: F401 - a fixture
from tests.keyring_session import keyring_session
from tests.support import signed
from tests.support.commands import beside, clean_environ
from tests.support.process import MODULE, Serve
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BROKEN = ("-m", "tests.e2e.leaks.broken")
ODD = "+/=&% ~"
TIGHT = ODD.replace(" ", "")
"""Behind some secrets: characters that every encoding changes."""
OWN_PLACES: dict[str, tuple[str, ...]] = {
    "control.json": ("control token",),
    "ngrok/ngrok.yml": ("ngrok",),
    "acme_certs/key.pem": ("acme key",),
    "acme_certs/acme_cache.json": ("acme account key", "acme key"),
    "config/config.toml": ("",),
    "config/config.toml.bak": ("",),
}
ANSWERS = (
    "health", "deliveries", "destinations", "conduits", "subscriptions", "subscriptions/status", "doctor",
    "doctor?local=true", "doctor?streamer=alice", "events/1", "events/2", "nothing",
)  # fmt: skip
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("config", "check"), ("config", "check", "--json"), ("config", "path"), ("deliveries", "list"),
    ("deliveries", "list", "--json"), ("deliveries", "retry", "1"), ("deliveries", "resend", "2"),
    ("deliveries", "drop", "3"), ("deliveries", "drop", "999"), ("test-event", "alice"), ("test-event", "nobody"),
    ("subscriptions", "list"), ("subscriptions", "sync"), ("subscriptions", "delete", "x"), ("conduit", "list"),
    ("conduit", "adopt", "x"), ("conduit", "delete", "x"), ("doctor", "--local"), ("doctor", "--streamer", "alice"),
    ("doctor", "--json"),
)  # fmt: skip


class Scene:
    """One folder, one simulated Twitch, one set of marked secrets."""

    def __init__(self, folder: Path, simulator: Simulator, there: Echo, marks: Marks) -> None:
        self.folder = folder
        self.simulator = simulator
        self.there = there
        self.marks = marks
        self.paths = Paths(folder / "config" / "config.toml", folder / "data")
        self.environ: dict[str, str] = {}
        self.outside: list[Callable[[], bytes]] = []
        """What left the program by other ways, such as a collector of telemetry."""

    @functools.cached_property
    def config(self) -> str:
        """Every way in which a destination can hold a secret, and every way in which one can fail."""
        make, port = self.marks.make, self.there.port
        basic = base64.b64encode(f"me:{make('header: password of Basic', ODD)}".encode()).decode()
        url = f"http://127.0.0.1:{port}"
        tables: dict[str, dict[str, str | dict[str, str]]] = {
            "main": {"url": f"{url}/status-204/{make('path of main')}", "secret": make("x-hub secret", ODD)},
            "standard": {
                "url": f"{url}/status-500/{make('path of standard')}", "secret": make("standard-webhooks secret"),
                "signature": "standard-webhooks",
            },
            "discord": {
                "url": f"{url}/api/webhooks/{random.randrange(10**17, 10**18)}/{make('token of Discord')}",
                "format": "discord",
            },
            "slack": {"url": f"{url}/services/T0AB12CD3/B0AB12CD3/{make('token of Slack')}", "format": "slack"},
            "userinfo": {
                "url": f"http://{make('user of an address')}:{make('password of an address')}"
                f"@127.0.0.1:{port}/status-400/x"
            },
            "query": {"url": f"{url}/status-503/hook?code={make('query of an address', '%2B%2F')}&x=1"},
            "bearer": {
                "url": f"{url}/status-401/hook",
                "headers": {"Authorization": f"Bearer {make('header: bearer')}", "X-Api-Key": make("header: key")},
            },
            "basic": {"url": f"{url}/status-403/hook", "headers": {"Authorization": f"Basic {basic}"}},
            "redirect": {"url": f"{url}/status-302/{make('path of redirect')}"},
            "gone": {"url": f"{url}/status-410/{make('path of gone')}"},
            "dns": {"url": f"https://nobody.invalid/{make('path without DNS')}?k={make('query without DNS')}"},
            "tls": {"url": f"https://127.0.0.1:{port}/{make('path without TLS')}"},
            "refused": {"url": f"http://127.0.0.1:9/{make('path that is refused')}"},
            "forbidden": {"url": f"http://169.254.169.254/{make('path that is forbidden')}"},
        }  # fmt: skip
        lines = [
            "[server]", "port = 0", "[secrets]", 'store = "passphrase"', "[retry]", 'initial_delay = "1s"',
            'max_delay = "2s"', "[twitch]", f"client_id = {json.dumps(self.simulator.client_id)}",
            f"client_secret = {json.dumps(self.simulator.client_secret)}",
            f"webhook_secret = {json.dumps(self.simulator.webhook_secret)}",
            "[tunnel]", f"authtoken = {json.dumps(make('ngrok token, not in use'))}",
            "[telemetry]", f"headers = {{ x-token = {json.dumps(make('telemetry header'))} }}",
        ]  # fmt: skip
        for name, table in tables.items():
            lines.append(f"[destinations.{name}]")
            for key, value in table.items():
                if isinstance(value, str):
                    lines.append(f"{key} = {json.dumps(value)}")
                else:
                    text = ", ".join(f"{each} = {json.dumps(of)}" for each, of in value.items())
                    lines.append(f"{key} = {{ {text} }}")
        lines += ["[streamers.alice]", 'login = "alice"', f"destinations = {json.dumps(list(tables))}"]
        lines += [
            "[streamers.own]",
            'login = "own"',
            f'target_webhook_url = "{url}/status-404/{make("path of a streamer")}"',
        ]
        lines += [f'target_webhook_secret = "{make("secret of a streamer")}"', ""]
        return "\n".join(lines)

    def write(self, text: str) -> None:
        self.paths.config.parent.mkdir(parents=True, exist_ok=True)
        self.paths.config.write_text(text, encoding="utf-8")
        self.paths.config.chmod(0o600)

    def serve(self, *faults: str, environ: Mapping[str, str] = {}) -> Serve:
        """The program at its most talkative; `faults` of tests/e2e/leaks/broken.py."""
        program = (*BROKEN, *faults, "--") if faults else MODULE
        made = Serve(self.paths, {}, program=(*program, "--log-level", "debug"))
        made.environ = clean_environ({**self.environ, **environ})
        return made

    async def command(self, *command: str, environ: Mapping[str, str] = {}, stdin: bytes = b"") -> int:
        done = await beside(self.paths, *command, environ={**self.environ, **environ}, stdin=stdin, timeout=90)
        text = f"{done.out}\n{done.err}"
        self.marks.search(f"command {' '.join(command[:2])}", f"`{' '.join(command)}`", text.encode())
        return done.code

    async def ask_everything(self) -> None:
        """The control port, and what the processes show of themselves."""
        found = address.read(self.paths.control)
        assert found is not None
        self.marks.add("control token", found.token)
        self.note_tokens()
        url = f"http://127.0.0.1:{found.port}/v1/"
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {found.token}"}, trust_env=False
        ) as session:
            for path in ANSWERS:
                async with session.get(url + path) as answer:
                    head = "\n".join(f"{key}: {value}" for key, value in answer.headers.items()).encode()
                    self.marks.search(f"control port /{path}", f"/v1/{path}", head + await answer.read())
        process = psutil.Process(found.pid)
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                self.marks.search("command lines", f"argv of {each.name()}", "\0".join(each.cmdline()).encode())
                if each.pid != found.pid:  # ours is what the person gave us
                    environ = repr(each.environ()).encode()
                    self.marks.search("environments of children", f"environment of {each.name()}", environ)

    def note_tokens(self) -> None:
        for token in self.simulator.tokens.ends:
            self.marks.add("app token", token)

    def search_all(self, *serves: Serve) -> set[str]:
        """Everything that is left when the processes are gone. Names of the files."""
        self.note_tokens()
        for path in {each.log for each in serves}:
            self.marks.search("stderr of serve", path.name, path.read_bytes())
        for told in self.outside:
            self.marks.search("outside", "outside", told())
        return self.marks.search_folder(self.folder, OWN_PLACES)

    async def go_live(self, serve: Serve, login: str) -> None:
        """Subscribed by hand: the way does not matter here."""
        user_id = self.simulator.state.get(login).user_id
        await self.simulator.subscribe(user_id, "stream.online", f"{serve.address}/twitch")
        await self.simulator.go_live(login)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """At the end the marks must be in no place but their own."""
    marks = Marks()
    client_secret = marks.make("client secret", TIGHT)
    webhook_secret = marks.make("webhook secret", ODD)
    async with (
        Simulator(resend_delays=(0.05, 0.1), client_secret=client_secret, webhook_secret=webhook_secret) as simulator,
        echo() as there,
    ):
        for login in ("alice", "own"):
            simulator.add_channel(login)
        made = Scene(folder, simulator, there, marks)
        kept = {name: value for name, value in simulator.environment().items() if not name.endswith(("SECRET", "_ID"))}
        made.environ = {**kept, "ITSJUSTINTV_PASSPHRASE": marks.make("passphrase", TIGHT)}
        yield made
    print(marks.report())
    assert marks.leaks == []


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
                await until(lambda: (certificates / "cert.pem").exists(), timeout=60, what="the certificate is there")
                for path in certificates.iterdir():
                    for line in path.read_text().splitlines() if path.name == "key.pem" else []:
                        if not line.startswith("-----") and len(line) > 40:
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
