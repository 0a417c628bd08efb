from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.moving.gofolder import GoFolder


@pytest.fixture
def go(tmp_path: Path) -> Iterator[GoFolder]:
    """Whatever a test does: the Go service's files are as they were, and no secret of theirs lies among ours."""
    made = GoFolder(tmp_path)
    yield made
    assert made.leaks() == []
