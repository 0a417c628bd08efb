"""Writes and signs what tells installed programs of a version: `python -m installers.update_manifest FOLDER`.

FOLDER gets latest.json and latest.json.sig (docs/updates.md). The private key is in UPDATE_KEY (PEM; several while
keys change), with UPDATE_KEY_PASSPHRASE if it has one. What was made is verified with the public keys that the program
itself believes, resources/update-keys.txt. Running it again makes it good for another half a year. For a pre-release,
such as 1.2.3rc1, nothing is made: whoever installed a release is not led to one.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import os
import re
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from installers import ROOT, changelog, merge
from itsjustintv_desktop.engine.monitoring.updates.signing import KEYS, is_final, order, parse_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from itsjustintv_desktop.engine.monitoring.updates.manifest import Manifest

DAYS = 180
"""How long a manifest is good. A release or a renewal must come before."""
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


def pinned(root: Path = ROOT) -> tuple[bytes, ...]:
    """The keys that a build of this checkout believes. Raises ValueError when there is none, or one is no key."""
    path = root / "resources" / KEYS
    found = parse_keys(path.read_text(encoding="utf-8"))
    if not found:
        raise ValueError(
            f"{path.relative_to(root)} has no key, so whoever installs this release would never hear of the next one. "
            "See docs/updates.md."
        )
    return found


def manifest(root: Path = ROOT, *, now: float, days: float = DAYS) -> Manifest:
    """Of this checkout's version. Raises ValueError for a pre-release, or when the changelog has no date for it."""
    from itsjustintv_desktop.engine.monitoring.updates.manifest import Manifest

    version = merge.version(root)
    if not is_final(order(version)):
        raise ValueError(f"{version} is a pre-release")
    try:
        date = changelog.of(version, root / "CHANGELOG.md").date
    except LookupError as error:
        raise ValueError(str(error)) from error
    if date is None:
        raise ValueError(f"CHANGELOG.md calls {version} not released. Give it its date first.")
    project = tomllib.loads((root / "briefcase.toml").read_text(encoding="utf-8"))["tool"]["briefcase"]["url"]
    return Manifest(
        version=version,
        released=dt.datetime.combine(date, dt.time(), dt.UTC),
        expires=dt.datetime.fromtimestamp(now, dt.UTC) + dt.timedelta(days=days),
        download_url=f"{project}/releases/tag/v{version}",
        notes_url=f"{project}/blob/v{version}/CHANGELOG.md",
    )


def write(folder: Path, made: Manifest, private: list[Ed25519PrivateKey]) -> list[Path]:
    """Both files. Raises ValueError for a manifest that the program would not take."""
    from itsjustintv_desktop.engine.monitoring.updates.manifest import NAME, SIGNATURE_SUFFIX, encode

    raw = encode(made)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / NAME, folder / (NAME + SIGNATURE_SUFFIX)]
    paths[0].write_bytes(raw)
    paths[1].write_bytes(b"".join(base64.b64encode(key.sign(raw)) + b"\n" for key in private))
    return paths


def verify(folder: Path, public: tuple[bytes, ...], *, version: str, now: float) -> Manifest:
    """Judge both files as an installed program does. Raises ValueError, OSError."""
    from itsjustintv_desktop.engine.monitoring.updates.manifest import NAME, SIGNATURE_SUFFIX, decode
    from itsjustintv_desktop.engine.monitoring.updates.signing import is_signed

    raw = (folder / NAME).read_bytes()
    if not is_signed(raw, (folder / (NAME + SIGNATURE_SUFFIX)).read_bytes(), public):
        raise ValueError(f"{NAME} is not signed by a key of resources/{KEYS}")
    found = decode(raw)
    if found.version != version:
        raise ValueError(f"{NAME} names {found.version}, and this is {version}")
    if found.expires.timestamp() <= now:
        raise ValueError(f"{NAME} is no longer good since {found.expires:%Y-%m-%d}")
    return found


def private_keys(pem: str, passphrase: str = "") -> list[Ed25519PrivateKey]:
    """All in the text. Raises ValueError when there is none, one is of another kind, or the passphrase does not fit."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found = []
    for block in _PEM.findall(pem):
        try:
            key = load_pem_private_key(block.encode(), passphrase.encode() or None)
        except (ValueError, TypeError):
            raise ValueError("a key in UPDATE_KEY cannot be read, or UPDATE_KEY_PASSPHRASE does not fit it") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("a key in UPDATE_KEY is not Ed25519")
        found.append(key)
    if not found:
        raise ValueError("the environment has no UPDATE_KEY (PEM)")
    return found


def new_key(path: Path, passphrase: str = "") -> str:
    """Make one, its private half in a new file (0600); the line for resources/update-keys.txt. Raises OSError."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        locked = serialization.BestAvailableEncryption(passphrase.encode())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def main(words: list[str], root: Path = ROOT) -> None:
    """The command."""
    options = argparse.ArgumentParser(prog="python -m installers.update_manifest", description=__doc__)
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--verify", action="store_true", help="judge what is in the folder instead of making it")
    options.add_argument("--days", type=float, default=DAYS, help="how long it is good")
    options.add_argument("--has-key", action="store_true", help="only: does this checkout believe any key?")
    options.add_argument("--new-key", type=Path, metavar="FILE", help="only: make a key, and say its public half")
    given = options.parse_args(words)
    passphrase = os.environ.get("UPDATE_KEY_PASSPHRASE", "")
    try:
        if given.new_key is not None:
            print(new_key(given.new_key, passphrase))
            return
        public = pinned(root)
        if given.has_key:
            return
        if given.folder is None:
            options.error("name a folder")
        if not is_final(order(merge.version(root))):
            print(f"{merge.version(root)} is a pre-release: no installed program is told of it")
            return
        now = time.time()
        if not given.verify:
            made = manifest(root, now=now, days=given.days)
            write(given.folder, made, private_keys(os.environ.get("UPDATE_KEY", ""), passphrase))
        found = verify(given.folder, public, version=merge.version(root), now=now)
        print(f"well signed: version {found.version}, good until {found.expires:%Y-%m-%d}")
    except (ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
