import datetime as dt
from pathlib import Path

import pytest

from installers import changelog, merge

TEXT = """# Changes

Words before.

## 1.1.0 (not released)

- New.

## 1.0.0 (2026-12-01)

The first.

- A thing.
"""


def test_each_version_with_its_date_and_notes() -> None:
    newest, first = changelog.releases(TEXT)
    assert (newest.version, newest.date, newest.notes) == ("1.1.0", None, "- New.\n")
    assert (first.version, first.date) == ("1.0.0", dt.date(2026, 12, 1))
    assert first.notes == "The first.\n\n- A thing.\n"


@pytest.mark.parametrize("heading", ["## 1.0.0", "## (2026-12-01)", "## 1.0.0 (soon)"])
def test_a_heading_that_cannot_be_read_is_refused(heading: str) -> None:
    with pytest.raises(ValueError, match=r"no version and date|isoformat"):
        changelog.releases(heading)


def test_a_version_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(TEXT)
    with pytest.raises(LookupError, match=r"9\.9"):
        changelog.of("9.9", tmp_path / "CHANGELOG.md")


def test_the_changelog_names_the_version_that_is_built() -> None:
    assert changelog.of(merge.version()).notes.strip()
