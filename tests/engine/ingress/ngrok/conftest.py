"""The way with a stand-in for ngrok's program, in front of a real public port or of none."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Config, Tunnel
from itsjustintv_desktop.engine.core.errors import SecretsError
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.net.trust import Trust
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.ngrok import NgrokTransport
from itsjustintv_desktop.engine.ingress.transports import TransportStatus
from tests.support import ngrok_agent
from tests.support.clock import FakeClock
from tests.support.holding import holding
from tests.support.waiting import until

TOKEN = "2abcdefghijklmnopqrstuvwxyzA_3bcdefghijklmnopqrstu"
PYTHON = sys.executable


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of localhost in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "public.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def standin(place: Path, certificate: Path, name: str = "ngrok") -> Path:
    """The stand-in as a program in the folder `place`."""
    place.mkdir(parents=True, exist_ok=True)
    program = place / name
    program.write_text(f"#!{PYTHON} -I\n" + Path(ngrok_agent.__file__).read_text())
    program.chmod(0o700)
    (place / "public.pem").write_bytes(certificate.read_bytes())
    return program


class _Trusting(Trust):
    """Trusts the stand-in's certificate."""

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        self._certificate = certificate

    async def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self._certificate))


class Rig:
    """What the tests steer. `upstream` is where the public port listens."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self.place = folder / "programs"
        self.certificate = certificate
        self.folder = folder / "data" / "ngrok"
        self.program = standin(self.place, certificate)
        self.clock = FakeClock()
        self.told: list[TransportStatus] = []
        self.holder = holding()
        self.config = Config(tunnel=Tunnel(provider="ngrok"))
        self.token: str | SecretsError | None = TOKEN
        self.upstream: tuple[str, int] | None = ("127.0.0.1", 9)
        self.environ = {
            "PATH": str(self.place),
            "NGROK_AUTHTOKEN": TOKEN,
            "ITSJUSTINTV_TUNNEL_AUTHTOKEN": TOKEN,
            "HOME": str(folder),
        }
        self.tasks = Tasks()
        self.outbound = Outbound(_Trusting(certificate))
        self.way = self.made()

    @property
    def config(self) -> Config:
        return self.holder.current.config

    @config.setter
    def config(self, made: Config) -> None:
        self.holder.current = ActiveConfig(made, {})

    def made(self) -> NgrokTransport:
        return NgrokTransport(
            self.clock, self._changed, config=self.holder, authtoken=self._authtoken,
            local_address=lambda: self.upstream, folder=self.folder, environ=self.environ,
            outbound=self.outbound,
        )  # fmt: skip

    def _changed(self) -> None:
        if not self.told or self.told[-1] != self.way.status:
            self.told.append(self.way.status)

    async def _authtoken(self) -> str | None:
        if isinstance(self.token, SecretsError):
            raise self.token
        return self.token

    async def context(self) -> ssl.SSLContext:
        """What trusts the stand-in's certificate."""
        return await _Trusting(self.certificate).context()

    def script(self, **wanted: Any) -> None:
        """What the stand-in does from now on."""
        fresh = self.place / "script.new"
        fresh.write_text(json.dumps(wanted))
        fresh.replace(self.place / "script.json")

    def seen(self, key: str) -> list[Any]:
        """What the stand-in noted under `key`, oldest first."""
        path = self.place / "seen.jsonl"
        notes = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [one[key] for one in notes if key in one]

    def start(self) -> None:
        self.tasks.start("way", self.way.run())

    async def ready(self) -> None:
        await self.state("ready")

    async def state(self, code: str) -> TransportStatus:
        """Wait for it, the clock standing still."""
        await until(lambda: self.way.status.code == code, what=f"{code}, not {self.way.status}")
        return self.way.status

    async def passes(self, condition: Callable[[], Any], *, most: float) -> None:
        """Let the clock run until `condition` holds, but never while the way works: its answers take real time."""
        end = self.clock.monotonic() + most
        while self.clock.monotonic() < end:
            await until(lambda: self.clock.sleeping or condition())
            if condition():
                return
            self.clock.advance(max(1.0, most / 100))
        await until(condition)

    async def passed(self, seconds: float) -> None:
        """Let `seconds` pass, and what is due then be done."""
        await until(lambda: self.clock.sleeping)
        self.clock.advance(seconds)
        await until(lambda: self.clock.sleeping)

    async def stop(self) -> None:
        await self.tasks.stop(10.0)

    async def rests(self) -> float:
        """Wait until no agent runs and the way pauses; seconds left to pause."""
        await until(lambda: self.way._running is None and self.clock.sleeping)
        return self.clock.sleeping[0]

    async def retried(self) -> float:
        """Let its pause pass; how long that was."""
        seconds = await self.rests()
        self.clock.advance(seconds)
        return seconds

    def codes(self) -> list[str]:
        """The states told so far, each once in a row. The target is told a moment before the first of them."""
        found = [one.code for one in self.told if one.code != "starting"]
        return [code for before, code in zip([None, *found], found, strict=False) if code != before]

    def running(self) -> list[psutil.Process]:
        """The stand-ins that run now."""
        found = []
        for pid in self.seen("pid"):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if str(self.folder / "ngrok.yml") in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


@pytest.fixture
async def rig(tmp_path: Path, certificate: Path) -> AsyncIterator[Rig]:
    if sys.platform == "win32":
        pytest.skip("the stand-in is a script with a shebang")
    made = Rig(tmp_path, certificate)
    try:
        yield made
    finally:
        await made.stop()
        left = made.running()
        for process in left:
            process.kill()
        assert not left, "an agent was left running"
