"""Is this tag fit for release? `python -m installers.release v1.2.3` prints its notes, or says what is amiss."""

from __future__ import annotations

import sys
from pathlib import Path

from installers import ROOT, changelog, merge


def notes(tag: str, root: Path = ROOT) -> str:
    """The changelog's words for a tag. Raises ValueError when tag, version and changelog do not agree."""
    version = merge.version(root)
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, and the program calls itself {version}")
    try:
        release = changelog.of(version, root / "CHANGELOG.md")
    except LookupError as error:
        raise ValueError(str(error)) from error
    if release.date is None:
        raise ValueError(f"CHANGELOG.md calls {version} not released. Give it its date first.")
    return release.notes


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(sys.argv[1]))
    except ValueError as error:
        sys.exit(str(error))
