"""The manifest: latest.json, which names the newest version. Its bytes are signed as they are, in latest.json.sig.

```json
{"version": "1.2.3", "released": "2026-12-01T00:00:00Z", "expires": "2027-05-30T00:00:00Z",
 "download_url": "https://...", "notes_url": "https://..."}
```

Further fields are allowed and ignored, so that later versions can be told more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from itsjustintv_desktop.engine.monitoring.updates.signing import order

NAME = "latest.json"
SIGNATURE_SUFFIX = ".sig"
LARGEST = 64 * 1024
"""Bytes of each of the two files."""
_LONGEST_ADDRESS = 500


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`released` and `expires` are RFC 3339 with an offset; after `expires` it says nothing about today any more.

    `download_url` and `notes_url` are https pages for a person to open: nothing is ever fetched from there by us.
    """

    version: str
    released: datetime
    expires: datetime
    download_url: str
    notes_url: str


def decode(raw: bytes) -> Manifest:
    """To be called with bytes whose signature was verified. Raises ValueError, saying what is wrong."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    order(manifest.version)
    for moment in (manifest.released, manifest.expires):
        if moment.tzinfo is None:
            raise ValueError("a time without its offset")
    for address in (manifest.download_url, manifest.notes_url):
        if not is_page(address):
            raise ValueError("an address that is no https page")
    return manifest


def encode(manifest: Manifest) -> bytes:
    """Its bytes, to be signed: times in UTC to the second, for people to read. Raises ValueError as `decode`."""
    whole = msgspec.structs.replace(manifest, released=_whole(manifest.released), expires=_whole(manifest.expires))
    raw = msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"
    decode(raw)
    return raw


def is_page(address: str) -> bool:
    """Whether a browser may be sent there: plain https with a host, and nothing else in it."""
    if len(address) > _LONGEST_ADDRESS or not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and port != 0


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
