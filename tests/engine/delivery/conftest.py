from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.net.trust import client_context
from itsjustintv_desktop.engine.delivery.attempt import Sender
from tests.support.authority import Authority
from tests.support.world import World, opened_world


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the system's trust store holds, by the variable that OpenSSL itself reads."""
    authority = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    if client_context().cert_store_stats()["x509_ca"] != 1:
        pytest.skip("the trust store of this system is not a file")
    return authority


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """With its dispatcher running."""
    async with opened_world(tmp_path) as made:
        made.run_dispatcher()
        yield made


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = Sender()
    yield made
    await made.close()
