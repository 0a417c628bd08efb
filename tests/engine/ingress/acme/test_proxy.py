"""The authority is asked through the proxy, and never with the passwords or the proxies that `requests` would find."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwk import JWKEC

from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.core.net.proxies import Proxy, parse
from itsjustintv_desktop.engine.ingress.acme.client import Authority, Network
from tests.support.proxy import forward_proxy


def network(proxy: Proxy | None) -> Network:
    return Network(JWKEC(key=ec.generate_private_key(ec.SECP256R1())), None, only_tls=True, proxy=proxy)


async def test_the_authority_is_asked_through_the_proxy() -> None:
    async with forward_proxy("ada", "s3cret") as proxy:
        proxy.names = {"other.example": 1}
        authority = Authority("https://acme.example/directory", proxy=parse(proxy.url, ""))
        with pytest.raises(CertificateError) as caught:
            await asyncio.to_thread(authority.sign_in, None, "")
    assert caught.value.kind == "unreachable"
    assert proxy.asked[0].startswith("CONNECT acme.example:443 ")
    assert "Proxy-Authorization: Basic " in proxy.heads[0]


def test_nothing_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ada password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://stale.example:1")
    session = network(None).session
    request = session.prepare_request(requests.Request("GET", "https://acme.example/directory"))
    settings = session.merge_environment_settings(str(request.url), {}, None, None, None)
    assert "Authorization" not in request.headers
    assert settings["proxies"] == {}
