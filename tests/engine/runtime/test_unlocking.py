"""A keyring that is unlocked outside of the program is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.runtime import unlocking
from itsjustintv_desktop.engine.storage.secrets.secret_backend import MemoryBackend, UnlockResult
from tests.support.engine import running_engine
from tests.support.waiting import until


async def test_secrets_that_are_unlocked_elsewhere_are_noticed_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a conduit, where nothing waits for the webhook secret and looks for it."""
    locked, woken = [True], list[bool]()

    async def open_(_: MemoryBackend, *, prompt: bool) -> UnlockResult:
        error = SecretsLockedError("The keyring is locked.") if locked[0] else None
        return UnlockResult(error, error)

    monkeypatch.setattr(unlocking, "EVERY", 0.05)
    monkeypatch.setattr(MemoryBackend, "open", open_)
    async with running_engine(tmp_path, environ={"ITSJUSTINTV_TWITCH_TRANSPORT": "conduit"}) as running:
        await running.engine.secrets.refresh()
        assert running.engine.secrets.state.status == "locked"
        running.engine.unlocking.unlocked.connect(lambda: woken.append(True))
        locked[0] = False
        await until(lambda: running.engine.secrets.state.status == "ready")
        await until(lambda: woken)
        assert len(woken) == 1, "not again with each look"
