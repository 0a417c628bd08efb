from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.storage.secrets import store
from tests.engine.import_go.gofolder import GoFolder


@pytest.fixture(autouse=True)
def _keys_may_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine derives a key from a passphrase slowly."""
    monkeypatch.setattr(store, "FIRST_WAIT", 30.0)


@pytest.fixture
def go(tmp_path: Path) -> Iterator[GoFolder]:
    """Whatever a test does: the Go service's files are as they were, and no secret of theirs lies among ours."""
    made = GoFolder(tmp_path)
    yield made
    assert made.leaks() == []
