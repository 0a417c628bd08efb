"""Differences between the file and a form where both were changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from itsjustintv_desktop.ui.formatting import tr

MOST = 3
LONGEST = 40
MASK = "••••••"
_SECRET = frozenset({"url", "secret", "headers"})
Path = tuple[str, ...]


class Difference(NamedTuple):
    name: str
    in_file: str
    here: str


def of_drafts(fields: Sequence[str], in_file: msgspec.Struct, here: msgspec.Struct) -> list[Difference]:
    """Of these fields of a streamer or a destination; what is secret stays so."""
    names = _names()
    return [
        Difference(names.get(field, field), MASK, MASK)
        if field in _SECRET
        else Difference(names.get(field, field), _text(getattr(in_file, field)), _text(getattr(here, field)))
        for field in fields
    ]


def of_keys(
    in_file: Mapping[Path, str | None], here: Mapping[Path, str | None], name_of: Callable[[Path], str]
) -> list[Difference]:
    """Of keys of config.toml; the value None is a secret, "" is not set."""
    paths = [path for path in dict.fromkeys((*in_file, *here)) if in_file.get(path, "") != here.get(path, "")]
    return [
        Difference(f"{name_of(path)} ({'.'.join(path)})", _text(in_file.get(path, "")), _text(here.get(path, "")))
        for path in paths
    ]


def sentence_of(differences: Sequence[Difference]) -> str:
    """A line for each, at most a few; "" for none."""
    line = tr("{}: {} in the file, {} here")
    lines = [line.format(*each) for each in differences[:MOST]]
    more = len(differences) - MOST
    return "\n".join([*lines, *([tr("and %n more", n=more)] if more > 0 else [])])


def _text(value: object) -> str:
    if value is None:
        return MASK
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    text = " ".join(text.split())
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…") or tr("not set")


def _names() -> dict[str, str]:
    """As the forms call the fields."""
    return {
        "key": tr("Name in the config"),
        "name": tr("Name"),
        "enabled": tr("Switched on"),
        "destinations": tr("Destinations"),
        "tag_filter": tr("Announce only with these tags"),
        "additional_tags": tr("Extra tags in the payload"),
        "description": tr("Description in the payload"),
        "url": tr("Address"),
        "secret": tr("Secret"),
        "headers": tr("More headers"),
        "format": tr("Format"),
        "signature": tr("Kind of signature"),
        "header": tr("Header of the signature"),
        "hashing": tr("Hash"),
        "picture": tr("Profile picture"),
        "timeout": tr("One attempt may take"),
    }
