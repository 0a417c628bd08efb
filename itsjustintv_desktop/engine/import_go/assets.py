"""Pictures of channels and the certificate: files that are taken over when ours can use them. All blocks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import CertificateError, GoFileError, ImageError, os_sentence
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.import_go import reader
from itsjustintv_desktop.engine.import_go.report import Part, State, number
from itsjustintv_desktop.engine.ingress.acme.store import CertStore, pair_of
from itsjustintv_desktop.engine.storage import image_cache
from itsjustintv_desktop.engine.storage.image_cache import inspect
from itsjustintv_desktop.engine.twitch.profiles import Profile

_NAME = re.compile(r"(\d{1,20})\.jpg", re.ASCII)
_MOST = 20_000
_ANEW = "A new certificate is ordered by itself at the first start."


def pictures(
    folder: Path, ours: Path, kept: Mapping[str, bytes], addresses: Mapping[tuple[str, str], str]
) -> tuple[Part, list[tuple[str, bytes | None]]]:
    """What to save among the profiles so that pictures are at hand at once.

    `kept` are the profiles there are; `addresses` by (user id, SHA-256): a picture goes by the address it has at
    Twitch, which the Go service keeps in its announcements only.
    """
    part = Part(name=f"{reader.IMAGES}/")
    profiles: list[tuple[str, bytes | None]] = []
    try:
        names = sorted(entry.name for entry in os.scandir(folder))[:_MOST]
    except FileNotFoundError:
        part.state = State.NOTHING
        return part, profiles
    except OSError as error:
        part.fail(f"It cannot be read: {os_sentence(error)}.")
        return part, profiles
    unplaced = 0
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        try:
            content = reader.read(folder / name, 2) or b""
            kind, width, height = inspect(content)
        except (GoFileError, ImageError) as error:
            part.left_out += 1
            if part.left_out <= 10:
                part.notes.append(f"{name} is left out: {error.message.rstrip('.')}.")
            continue
        profile = _profile(match[1], kept.get(match[1]))
        if profile is None or profile.image is not None:
            part.already += 1
            continue
        url = addresses.get((match[1], image_cache.digest_of(content)))
        if url is None:
            unplaced += 1
            continue
        try:
            digest = image_cache.keep(ours, content, kind.extension)
            at = (folder / name).stat().st_mtime
        except OSError as error:
            part.fail(f"{name} cannot be kept: {os_sentence(error)}.")
            break
        image = Image(url=url, sha256=digest, mime_type=kind.mime_type, width=width, height=height)
        seeded = msgspec.structs.replace(profile, image=image, image_at=at)
        profiles.append((match[1], msgspec.json.encode(seeded)))
        part.taken += 1
    if unplaced:
        part.left_out += unplaced
        part.notes.append(
            f"{number(unplaced, 'picture is', 'pictures are')} fetched anew at the next announcement: no announcement "
            "tells the address at Twitch, and without it a picture cannot be told from an outdated one."
        )
    return part, profiles


def _profile(user_id: str, kept: bytes | None) -> Profile | None:
    """The one there is, or an empty one; None: there is one that cannot be read, and it is not ours to replace."""
    if kept is None:
        return Profile(user_id=user_id)
    try:
        return msgspec.json.decode(kept, type=Profile)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def certificate(folder: Path, ours: Path, config: Config, now: float) -> Part:
    """Take cert.pem and key.pem over where ours has none."""
    part = Part(name=f"{reader.CERTS}/")
    if not os.path.lexists(folder):
        part.state = State.NOTHING
        return part
    if folder.exists() and ours.exists() and folder.samefile(ours):
        part.state = State.LEFT
        part.notes.append("[server.tls] cert_dir leads to this very folder: it is used where it is.")
        return part
    if (ours / "cert.pem").exists():
        part.already = 1
        return part
    why = None
    try:
        chain, key = reader.read(folder / "cert.pem", 1), reader.read(folder / "key.pem", 1)
        if chain is None or key is None:
            why = "the Go service keeps its certificates in a form of its own"
        elif (pair := pair_of(key, chain)).not_after <= now:
            why = "the certificate has run out"
        elif not pair.covers(config.server.tls.domains):
            why = "the certificate is not for exactly the names in [server.tls] domains"
        else:
            CertStore(ours).save_pair(pair)
            part.taken = 1
    except GoFileError as error:
        why = error.message
    except ValueError:
        why = "cert.pem and key.pem cannot be used together"
    except CertificateError as error:
        part.fail(f"The certificate cannot be kept: {error.message}.")
    if why is not None:
        part.state, part.left_out = State.LEFT, 1
        part.notes.append(f"Left out: {why}. {_ANEW if config.server.tls.enabled else 'TLS is off in the config.'}")
    return part
