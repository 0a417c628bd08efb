"""Getting ngrok's program: real archives from a real HTTP server, and everything that can be wrong with them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import stat
import sys
import tarfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from itsjustintv_desktop.engine.core.errors import TunnelError
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.ngrok import install as install_module
from itsjustintv_desktop.engine.ingress.ngrok.install import download_address, install
from itsjustintv_desktop.engine.ingress.ngrok.settings import NAME, locate, own_program
from tests.support import ngrok_agent
from tests.support.waiting import until

PROGRAM = f"#!{sys.executable} -I\n".encode() + Path(ngrok_agent.__file__).read_bytes()

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with a shebang")


def tgz(content: bytes = PROGRAM, name: str = NAME, kind: bytes = tarfile.REGTYPE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as roll:
        member = tarfile.TarInfo(name)
        member.size, member.type, member.linkname = len(content), kind, "/etc/passwd"
        roll.addfile(member, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return out.getvalue()


def boxed(content: bytes = PROGRAM, name: str = NAME) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr(name, content)
    return out.getvalue()


BOMB = b"#!/bin/sh\n" + bytes(3_000_000)


def broken_box() -> bytes:
    """Its list of contents is whole, and what it lists is not what was packed."""
    made = bytearray(boxed())
    begin = made.index(NAME.encode()) + len(NAME)
    made[begin : begin + 40] = bytes(range(200, 240))
    return bytes(made)


def long_names() -> bytes:
    """Its headers alone unpack to more than a program is large, before any file comes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.GNU_FORMAT) as roll:
        roll.addfile(tarfile.TarInfo("x" * 3_000_000))
    return out.getvalue()


def many_others() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as roll:
        for number in range(30):
            member = tarfile.TarInfo(f"other-{number}")
            member.size = 100_000
            roll.addfile(member, io.BytesIO(bytes(100_000)))
    return out.getvalue()


@contextlib.asynccontextmanager
async def serving(
    answer: bytes | int | str, *, cut: int = 0, hang: bool = False, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """The address of a server that answers so; a text is where it leads to. `cut` bytes before the end it breaks off,
    or hangs."""
    over = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(answer, int):
            return web.Response(status=answer)
        if isinstance(answer, str):
            raise web.HTTPFound(answer)
        response = web.StreamResponse(headers={"Content-Length": str(len(answer))})
        await response.prepare(request)
        await response.write(answer[: len(answer) - cut])
        if hang:
            await over.wait()
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    server = web.Server(handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    assert site._server is not None
    try:
        yield f"http://{host}:{site._server.sockets[0].getsockname()[1]}/ngrok-v3-stable-linux-amd64.tgz"  # type: ignore[attr-defined]
    finally:
        over.set()
        await runner.cleanup()


def ignore(done: int, whole: int | None) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("archive", [tgz(), boxed()], ids=["tgz", "zip"])
async def test_it_is_installed_and_found(tmp_path: Path, archive: bytes) -> None:
    steps: list[tuple[int, int | None]] = []
    async with serving(archive) as url:
        version = await install(tmp_path / "ngrok", lambda *step: steps.append(step), url=url)
    assert version == ngrok_agent.VERSION
    program = own_program(tmp_path / "ngrok")
    assert locate(tmp_path / "ngrok", {}) == program
    assert program.read_bytes() == PROGRAM
    assert stat.S_IMODE(program.stat().st_mode) == 0o700
    assert stat.S_IMODE(program.parent.stat().st_mode) == 0o700
    assert [path.name for path in program.parent.iterdir()] == [NAME]
    assert steps[0] == (0, len(archive))
    assert steps[-1] == (len(archive), len(archive))


@pytest.mark.parametrize(
    ("answer", "cut", "says"),
    [
        (404, 0, "status 404"),
        (b"<html>a hotel's login page</html>", 0, "not ngrok's program"),
        (tgz(name="other"), 0, "not ngrok's program"),
        (boxed(name="../ngrok"), 0, "not ngrok's program"),
        (tgz(b"", kind=tarfile.SYMTYPE), 0, "not ngrok's program"),
        (tgz()[:-2000], 0, "not ngrok's program"),
        (broken_box(), 0, "not ngrok's program"),
        (b"\x1f\x8b\x08 and then something else" * 9, 0, "not ngrok's program"),
        (tgz(), 50, "cannot be downloaded"),
        (tgz(b"#!/bin/sh\necho ngrok version 2.3.41\n"), 0, "does not run"),
        (tgz(b"#!/bin/sh\nexit 1\n"), 0, "does not run"),
        (tgz(b"\x7fELF of another machine"), 0, "does not run"),
    ],
)
async def test_what_is_no_program_of_ngrok_is_not_installed(
    tmp_path: Path, answer: bytes | int, cut: int, says: str
) -> None:
    before = own_program(tmp_path)
    before.parent.mkdir()
    before.write_text("the one before")
    async with serving(answer, cut=cut) as url:
        with pytest.raises(TunnelError, match=says) as raised:
            await install(tmp_path, ignore, url=url)
    assert "install ngrok yourself" in raised.value.message
    assert before.read_text() == "the one before"
    assert [path.name for path in before.parent.iterdir()] == [NAME]


@pytest.mark.fault(
    "tunnel: what comes as ngrok's program unpacks to more than a program could be",
    seen='"too large"; nothing is installed, and the one before stays',
)
@pytest.mark.parametrize(
    "archive", [tgz(BOMB), boxed(BOMB), long_names(), many_others()], ids=["tgz", "zip", "names", "others"]
)
async def test_it_unpacks_to_a_limit_only(tmp_path: Path, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_module, "_LARGEST", 1_000_000)
    assert len(archive) < 100_000
    before = own_program(tmp_path)
    before.parent.mkdir()
    before.write_text("the one before")
    async with serving(archive) as url:
        with pytest.raises(TunnelError, match="too large") as raised:
            await install(tmp_path, ignore, url=url)
    assert "install ngrok yourself" in raised.value.message
    assert before.read_text() == "the one before"
    assert [path.name for path in before.parent.iterdir()] == [NAME]


async def test_it_downloads_to_a_limit_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_module, "_LARGEST", 1000)
    async with serving(tgz()) as url:
        with pytest.raises(TunnelError, match="too large"):
            await install(tmp_path, ignore, url=url)
    assert list(own_program(tmp_path).parent.iterdir()) == []


async def test_a_program_that_talks_without_end_is_none_of_ngrok(tmp_path: Path) -> None:
    async with serving(tgz(b"#!/bin/sh\nexec yes ngrok\n")) as url, asyncio.timeout(10):
        with pytest.raises(TunnelError, match="does not run"):
            await install(tmp_path, ignore, url=url)


async def test_it_has_a_deadline(tmp_path: Path) -> None:
    async with serving(tgz(), cut=50, hang=True) as url:
        with pytest.raises(TunnelError, match=r"within 0\.3 s"):
            await install(tmp_path, ignore, url=url, deadline=0.3)
    assert list(own_program(tmp_path).parent.iterdir()) == []


async def test_it_can_be_stopped(tmp_path: Path) -> None:
    steps: list[int] = []
    tasks = Tasks()
    async with serving(tgz(), cut=50, hang=True) as url:
        tasks.start("install", install(tmp_path, lambda done, _: steps.append(done), url=url))
        await until(lambda: any(steps))
        await tasks.stop()
    assert list(own_program(tmp_path).parent.iterdir()) == []


async def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="refused"):
        await install(tmp_path, ignore, url="http://127.0.0.1:1/ngrok.tgz")


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "ngrok").write_text("in the way")
    async with serving(tgz()) as url:
        with pytest.raises(TunnelError, match="put in place"):
            await install(tmp_path / "ngrok", ignore, url=url)


async def test_it_comes_over_https_only(tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="https"):
        await install(tmp_path, ignore, url="http://ngrok.example/ngrok.tgz")


@pytest.mark.skipif(sys.platform == "darwin", reason="127.0.0.1 is its only address on this machine")
async def test_a_redirect_does_not_lead_away_from_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.2 stands for a machine elsewhere: what it sends over plain http is neither kept nor run."""
    monkeypatch.setattr(
        "itsjustintv_desktop.engine.ingress.ngrok.install.is_loopback", lambda host: host == "127.0.0.1"
    )
    async with serving(tgz(), host="127.0.0.2") as elsewhere, serving(elsewhere) as url:
        with pytest.raises(TunnelError, match="not https"):
            await install(tmp_path, ignore, url=url)
    assert list(own_program(tmp_path).parent.iterdir()) == []


async def test_what_was_downloaded_sees_no_secret_when_it_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITSJUSTINTV_TWITCH_CLIENT_SECRET", "marked-1")
    monkeypatch.setenv("NGROK_AUTHTOKEN", "marked-2")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=marked-3")
    seen = tmp_path / "seen"
    async with serving(tgz(f"#!/bin/sh\nenv > {seen}\necho ngrok version 3.39.8\n".encode())) as url:
        await install(tmp_path / "ngrok", ignore, url=url)
    assert "PATH=" in seen.read_text()
    assert "marked" not in seen.read_text()


def test_the_address_is_ngroks() -> None:
    assert download_address().startswith("https://bin.ngrok.com/")


def test_a_system_without_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyngrok import installer

    monkeypatch.setattr(installer, "PLATFORMS", {})
    with pytest.raises(TunnelError, match="no program for this system"):
        download_address()
