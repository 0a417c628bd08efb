"""Over real TLS: what is trusted, and where a redirect may lead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from itsjustintv_desktop.engine.core.errors import UpdateUnreachableError
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.monitoring.updates.fetch import both, may_follow
from tests.support.authority import Authority
from tests.support.clock import START
from tests.support.versions import Versions, manifest, versions


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path, "updates")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture
async def secure(authority: Authority) -> AsyncIterator[Versions]:
    async with versions(authority.server("127.0.0.1")) as server:
        server.publish(manifest(now=START))
        yield server


@pytest.fixture
async def plain() -> AsyncIterator[Versions]:
    async with versions() as server:
        server.publish(manifest("66.6.6", now=START))
        yield server


def lead(server: Versions, to: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        suffix = ".sig" if request.path.endswith(".sig") else ""
        raise web.HTTPFound(to + suffix)

    server.answer = answer


async def test_over_tls(secure: Versions) -> None:
    assert await both(secure.url, Outbound()) == (secure.raw, secure.signatures)


async def test_a_certificate_of_somebody_else(
    secure: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path, "another").file))
    with pytest.raises(UpdateUnreachableError, match="certificate is not valid"):
        await both(secure.url, Outbound())
    assert secure.asked == []


@pytest.mark.hostile
async def test_a_redirect_to_plain_http_is_not_followed(secure: Versions, plain: Versions) -> None:
    """Not even to this machine, which is where plain http is otherwise allowed."""
    lead(secure, plain.url)
    with pytest.raises(UpdateUnreachableError, match="not https"):
        await both(secure.url, Outbound())
    assert plain.asked == []


async def test_a_redirect_to_https_is_followed(secure: Versions, authority: Authority) -> None:
    """As the address of a project's latest release does."""
    async with versions(authority.server("localhost")) as store:
        store.publish(manifest("2.0.0", now=START))
        lead(secure, store.url.replace("127.0.0.1", "localhost"))
        assert await both(secure.url, Outbound()) == (store.raw, store.signatures)


@pytest.mark.parametrize(
    ("first", "then", "may"),
    [
        ("https://a.example/x", "https://b.example/y", True),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example/x", "http://127.0.0.1/x", False),
        ("https://a.example/x", "ftp://a.example/x", False),
        ("https://a.example/x", "file:///etc/passwd", False),
        ("http://127.0.0.1/x", "http://localhost/y", True),
        ("http://127.0.0.1/x", "https://a.example/y", True),
        ("http://127.0.0.1/x", "http://a.example/y", False),
        ("http://127.0.0.1/x", "http://127.0.0.1.a.example/y", False),
        ("http://a.example/x", "http://a.example/x", False),
    ],
)
def test_where_it_may_lead(first: str, then: str, may: bool) -> None:
    assert may_follow(URL(first), URL(then)) is may
