"""One run of the program with marked secrets, and everything of it that is looked through."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from tests.e2e.leaks.echo import Echo, echo
from tests.e2e.leaks.marks import Marks
from tests.support.commands import beside, clean_environ
from tests.support.process import MODULE, Serve

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
            "[network]", f"proxy = {json.dumps('http://ada:' + make('password of the proxy') + '@127.0.0.1:9')}",
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
        for signature in self.there.signatures:
            self.marks.add("signature", signature)

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
        made.environ["HTTPS_PROXY"] = f"http://ada:{marks.make('password of a proxy')}@127.0.0.1:9"
        yield made
    print(marks.report())
    assert not marks.leaks, "\n".join(marks.leaks)
