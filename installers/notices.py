"""The licences of everything inside a bundle, as those licences ask: `python -m installers.notices SITE-PACKAGES`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from importlib.metadata import Distribution
from pathlib import Path

from installers import ROOT

_RULE = "=" * 78
_FILES = re.compile(r"^(licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
_BY_HAND = ROOT / "installers" / "licences"
"""Texts for packages that ship none: NAME.txt, with {FILE} standing for another text of this folder."""


class MissingLicenceError(Exception):
    """A package has no licence text, neither of its own nor in installers/licences/. Add one."""


def collected(packages: Path) -> str:
    """The whole document, by package name. Raises MissingLicenceError."""
    parts = [
        "itsjustintv desktop contains the following software.\n"
        "Each part is under the licence given with it; our own is in the file LICENSE.\n"
    ]
    for metadata in sorted(packages.glob("*.dist-info/METADATA"), key=lambda path: path.parent.name.lower()):
        about = BytesHeaderParser().parsebytes(metadata.read_bytes())
        texts = list(_texts(metadata.parent, str(about["Name"])))
        if not texts:
            raise MissingLicenceError(f"{about['Name']} {about['Version']} ships no licence text; {_named(about)}")
        parts.append(f"{_RULE}\n{about['Name']} {about['Version']} - {_named(about)}\n{_RULE}\n")
        parts.extend(f"{text.strip()}\n" for text in texts)
    parts.append(f"{_RULE}\nInter, the typeface\n{_RULE}\n")
    parts.append((ROOT / "resources" / "fonts" / "OFL.txt").read_text(encoding="utf-8"))
    return "\n".join(parts)


def has_text(package: Distribution) -> bool:
    """Whether an installed package's licence is known: its own text, or one in installers/licences/."""
    place = next((file for file in package.files or () if file.name == "METADATA"), None)
    return place is not None and any(_texts(Path(str(package.locate_file(place))).parent, package.metadata["Name"]))


def _named(about: Message) -> str:
    classifiers = [value.rpartition("::")[2].strip() for value in about.get_all("Classifier", []) if "License" in value]
    told = about["License-Expression"] or about["License"] or ", ".join(classifiers)
    return str(told or "licence below").strip().splitlines()[0]


def _texts(dist_info: Path, name: str) -> Iterator[str]:
    for path in sorted(dist_info.rglob("*")):
        if path.is_file() and (_FILES.match(path.name) or path.parent.name.lower() == "licenses"):
            yield path.read_text(encoding="utf-8", errors="replace")
    by_hand = _BY_HAND / f"{re.sub(r'[-_.]+', '-', name).lower()}.txt"
    if by_hand.is_file():
        yield _filled(by_hand.read_text(encoding="utf-8"))


def _filled(text: str) -> str:
    return re.sub(
        r"^\{(.+)\}$", lambda found: (_BY_HAND / found[1]).read_text(encoding="utf-8"), text, flags=re.MULTILINE
    )


if __name__ == "__main__":
    sys.stdout.write(collected(Path(sys.argv[1])))
