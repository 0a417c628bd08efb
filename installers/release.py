"""Is this tag fit for release? `python -m installers.release v1.2.3 [FOLDER]` prints its notes, or says what is amiss.

With the folder of what is released, the notes name the bundles that no certificate vouches for.
"""

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


def unsigned(folder: Path) -> str:
    """A paragraph about the bundles whose names say that they are unsigned; nothing if there is none."""
    names = sorted(path.name for path in folder.glob("*-unsigned.*") if path.suffix != ".asc")
    if not names:
        return ""
    return (
        f"\n**Not signed with a certificate from Apple or Microsoft: {', '.join(names)}.** The system warns when "
        "it is opened. The signatures in the .asc files and SHA256SUMS hold for it all the same.\n"
    )


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(sys.argv[1]) + (unsigned(Path(sys.argv[2])) if len(sys.argv) > 2 else ""))
    except ValueError as error:
        sys.exit(str(error))
