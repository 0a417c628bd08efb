"""A stand-in for ngrok's agent program: reads the same config file, says the same lines, answers the same local API,
and really carries what comes to its public side (https, on this machine) to our port. It runs as a program of its own.

What it does wrong is read from script.json beside it, now, before each answer and every 20 ms. What it was started with
and asked for goes to seen.jsonl beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import signal
import ssl
import stat
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
VERSION = "3.39.8"
KEYS = {
    "authtoken", "connect_url", "console_ui", "inspect_db_size", "log", "log_format", "log_level",
    "proxy_url", "remote_management", "update_check", "web_addr",
}  # fmt: skip
BAD_TOKEN = (
    "authentication failed: The authtoken you specified is properly formed, but it is invalid.\\n"
    "Your authtoken: {token}\\nThis usually happens when:\\n - You reset your authtoken\\r\\n\\r\\nERR_NGROK_107\\r\\n"
)
SESSIONS = (
    "authentication failed: Your account is limited to 1 simultaneous ngrok agent sessions.\\r\\n\\r\\nERR_NGROK_108"
)
DIAL = 'failed to dial ngrok server with address \\"connect.ngrok-agent.com:443\\": dial tcp: i/o timeout'
SPENT = "This ngrok account has reached its HTTP requests limit for the month.\r\n\r\nERR_NGROK_727\r\n"


def say(level: str, message: str, **more: object) -> None:
    parts = [f'{key}="{value}"' if " " in str(value) else f"{key}={value}" for key, value in more.items()]
    print(f't=2026-11-24T02:00:00+0000 lvl={level} msg="{message}"', *parts, flush=True)


def note(**facts: object) -> None:
    with (HERE / "seen.jsonl").open("a") as file:
        file.write(json.dumps(facts) + "\n")


class Standin:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.script: dict[str, Any] = {}
        self.stamp = (0, 0)
        self.online = False
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.public: asyncio.Server | None = None

    def read_script(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            path = HERE / "script.json"
            found = path.stat()
            stamp = found.st_mtime_ns, found.st_ino
            if stamp != self.stamp:
                self.script, self.stamp = json.loads(path.read_text()), stamp
                return True
        return False

    async def run(self) -> None:
        self.read_script()
        if self.script.get("stubborn"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.script.get("silent"):
            await asyncio.sleep(3600)
        say("info", "open config file", path="ngrok.yml", err="nil")
        host, _, port = self.settings["web_addr"].rpartition(":")
        web = await asyncio.start_server(self.serve_api, host, int(port))
        address = "{}:{}".format(*web.sockets[0].getsockname()[:2])
        say("info", "starting web service", obj="web", addr=address, allow_hosts="[]")
        while True:
            await self.obey()
            await asyncio.sleep(0.02)
            self.read_script()

    async def obey(self) -> None:
        if "exit" in self.script:
            for line in self.script.get("last_words", []):
                print(f"ERROR:  {line}", flush=True)
            os._exit(self.script["exit"])
        trouble = self.script.get("session")
        if trouble is None and not self.online:
            self.online = True
            say("info", "client session established", obj="tunnels.session")
            say("info", "tunnel session started", obj="tunnels.session")
        elif trouble is not None:
            if self.online:
                self.online = False
                say("eror", "session closed, starting reconnect loop", obj="tunnels.session", err="session closed")
            text = {"bad_token": BAD_TOKEN, "sessions": SESSIONS, "dial": DIAL}.get(trouble, trouble)
            text = text.format(token=self.settings["authtoken"])
            say("eror", "failed to reconnect session", obj="tunnels.session", err=text)
            await asyncio.sleep(0.05)

    async def serve_api(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path, _ = head.split(" ", 2)
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                status, answer = await self.answer(method, path, json.loads(body) if body else None)
                content = b"" if answer is None else json.dumps(answer).encode()
                head = (
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
                )
                writer.write(head.encode() + content if status != 204 else b"HTTP/1.1 204 X\r\n\r\n")
                await writer.drain()
        writer.close()

    async def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.read_script()
        while self.script.get("mute"):
            await asyncio.sleep(0.02)
        if path == "/api/status":
            status = "online" if self.online else "reconnecting"
            legs = [{"region": "eu", "latency": "20ms"}] if self.online else []
            return 200, {"status": status, "agent_version": VERSION, "session": {"legs": legs}, "uri": path}
        if self.script.get("old") or not path.startswith("/api/endpoints"):
            return 404, "404 page not found"
        if method == "GET":
            return 200, {"endpoints": [one | {"url": self.url(one["asked"])} for one in self.endpoints.values()]}
        if method == "DELETE":
            name = path.rpartition("/")[2]
            note(removed=name)
            return (204, None) if self.endpoints.pop(name, None) else (404, {})
        note(asked=body)
        if not self.online or self.script.get("not_ready"):
            reason = "a successful ngrok tunnel session has not yet been established"
            return 503, {"error_code": 104, "status_code": 503, "msg": "not ready", "details": {"err": reason}}
        if refusal := self.script.get("refusal"):
            details = {"err": f"failed to start tunnel: {refusal}"}
            return 502, {"error_code": 103, "status_code": 502, "msg": "failed to start tunnel", "details": details}
        if unknown := set(body) - {"name", "url", "upstream", "inspect"}:
            return 400, {"error_code": 102, "status_code": 400, "msg": f"unknown {unknown}", "details": {}}
        made = {"name": body["name"], "upstream": body["upstream"], "inspect": body["inspect"], "asked": body["url"]}
        self.endpoints[body["name"]] = made
        await self.open_public()
        return 201, made | {"url": self.url(body["url"]), "uri": f"/api/endpoints/{body['name']}"}

    def url(self, asked: str) -> str:
        assert self.public is not None
        host = asked.removeprefix("https://") or self.script.get("host", "localhost")
        return f"https://{host}:{self.public.sockets[0].getsockname()[1]}"

    async def open_public(self) -> None:
        if self.public is None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(HERE / "public.pem")
            self.public = await asyncio.start_server(self.carry, "127.0.0.1", 0, ssl=context)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.read_script()
            said = SPENT if self.script.get("spent") else self.script.get("edge", "")
            if said or not self.endpoints or not self.online:
                said = said or "The endpoint is offline.\r\n\r\nERR_NGROK_3200\r\n"
                code = said.split()[-1]
                head = f"HTTP/1.1 403 X\r\nNgrok-Error-Code: {code}\r\nContent-Length: {len(said)}\r\n\r\n".encode()
                writer.write(head + said.encode())
                await writer.drain()
            else:
                target = next(iter(self.endpoints.values()))["upstream"]["url"].removeprefix("http://")
                host, _, port = target.rpartition(":")
                inner, outer = await asyncio.open_connection(host.strip("[]"), int(port))
                first, _, rest = head.partition(b"\r\n")
                outer.write(first + b"\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n" + rest)
                await asyncio.gather(pipe(reader, outer), pipe(inner, writer))
        writer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(ConnectionError, OSError, RuntimeError):
        writer.close()


def main() -> None:
    if sys.argv[1:] == ["version"]:
        print(f"ngrok version {VERSION}")
        return
    path = Path(sys.argv[sys.argv.index("--config") + 1])
    text = path.read_text()
    mode = stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)
    note(argv=sys.argv, environ=dict(os.environ), settings=text, modes=mode, pid=os.getpid())
    settings = importlib.import_module("yaml").safe_load(text)
    assert settings["version"] == "3", "a config of version 3"
    if unknown := set(settings["agent"]) - KEYS:
        print(f"ERROR:  Error reading configuration file: unknown {unknown}", flush=True)
        sys.exit(1)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Standin(settings["agent"]).run())


if __name__ == "__main__":
    main()
