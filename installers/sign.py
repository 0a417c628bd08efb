"""Signatures of what is released: `python -m installers.sign FOLDER`, and `--verify FOLDER --key PUBLIC.asc`.

Every artifact gets a detached OpenPGP signature (FILE.asc), and SHA256SUMS names all of them and is signed itself. The
secret key comes from the environment, armoured, and lives in a keyring of its own for the length of the run:
RELEASE_KEY, and RELEASE_KEY_PASSPHRASE if it has one. Neither ever stands in an argument. The public key is laid beside
the files as itsjustintv.asc; whoever has it from there alone should compare its fingerprint with docs/releasing.md.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUMS = "SHA256SUMS"
PUBLIC = "itsjustintv.asc"
_TIMEOUT = 120.0


class SignatureError(Exception):
    """A file is not what was signed, a signature is missing or not by the key, or there is nothing to sign with."""


def artifacts(folder: Path) -> list[Path]:
    """What is released from there, by name: all files but sums and signatures."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".asc" and path.name != SUMS)


def digest(path: Path) -> str:
    """SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sign(folder: Path, key: str, passphrase: str = "") -> list[Path]:
    """Write SHA256SUMS and a signature beside each file; the signatures. `key` is armoured. Raises SignatureError."""
    files = artifacts(folder)
    if not files:
        raise SignatureError(f"{folder} holds nothing to sign")
    sums = folder / SUMS
    sums.write_text("".join(f"{digest(path)}  {path.name}\n" for path in files), encoding="ascii")
    made = []
    with _keyring() as gpg:
        fingerprint = _imported(gpg, key)
        for path in [*files, sums]:
            signature = path.with_name(f"{path.name}.asc")
            signature.unlink(missing_ok=True)
            _run(
                [*gpg, "--local-user", fingerprint, "--pinentry-mode", "loopback", "--passphrase-fd", "0", "--armor",
                 "--digest-algo", "SHA512", "--output", str(signature), "--detach-sign", str(path)],
                given=f"{passphrase}\n",
            )  # fmt: skip
            made.append(signature)
        (folder / PUBLIC).write_text(_run([*gpg, "--armor", "--export", fingerprint]), encoding="ascii")
    return made


def verify(folder: Path, key: str) -> list[Path]:
    """Check every signature and sum; the artifacts. `key` is the public one. Raises SignatureError at any fault."""
    files = artifacts(folder)
    with _keyring() as gpg:
        fingerprint = _imported(gpg, key)
        for path in [folder / SUMS, *files]:
            signature = path.with_name(f"{path.name}.asc")
            if not signature.is_file():
                raise SignatureError(f"{path.name} has no signature")
            told = _run([*gpg, "--status-fd", "1", "--verify", str(signature), str(path)])
            valid = [line.split() for line in told.splitlines() if line.startswith("[GNUPG:] VALIDSIG ")]
            # The last word is the primary key's fingerprint, whichever subkey signed.
            if [words[-1] for words in valid] != [fingerprint]:
                raise SignatureError(f"{path.name} is not signed by {fingerprint}")
    lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    named = {name: summed for summed, _, name in (line.partition("  ") for line in lines)}
    for path in files:
        if named.pop(path.name, "") != digest(path):
            raise SignatureError(f"{SUMS} does not name {path.name} as it is")
    if named:
        raise SignatureError(f"{', '.join(named)}: in {SUMS}, and not here")
    return files


@contextmanager
def _keyring() -> Iterator[list[str]]:
    """The command line of gpg with an empty keyring of its own, whose agent ends with it."""
    program = shutil.which("gpg")
    if program is None:
        raise SignatureError("gpg is not installed (Debian package gnupg)")
    # A socket's path may have 108 letters, so not below the person's own temporary folder, wherever that is.
    with tempfile.TemporaryDirectory(prefix="sign-", dir="/tmp" if Path("/tmp").is_dir() else None) as home:  # noqa: S108
        Path(home).chmod(0o700)
        try:
            yield [program, "--homedir", home, "--batch", "--no-tty", "--trust-model", "always"]
        finally:
            agent = shutil.which("gpgconf")
            if agent is not None:
                subprocess.run([agent, "--homedir", home, "--kill", "all"], check=False, timeout=_TIMEOUT)


def _imported(gpg: list[str], key: str) -> str:
    """The fingerprint of the one key in `key`."""
    _run([*gpg, "--import"], given=key)
    listed = _run([*gpg, "--with-colons", "--list-keys"]).splitlines()
    primary = [listed[at + 1].split(":")[9] for at, line in enumerate(listed) if line.startswith("pub:")]
    if len(primary) != 1:
        raise SignatureError(f"{len(primary)} keys instead of one")
    return primary[0]


def _run(command: list[str], given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    if done.returncode != 0:
        last = [line for line in done.stderr.splitlines() if line.strip()][-2:]
        raise SignatureError(f"gpg: {' '.join(last)}")
    return done.stdout


def main(words: list[str]) -> None:
    """The command."""
    options = argparse.ArgumentParser(prog="python -m installers.sign", description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--verify", action="store_true", help="check instead of sign")
    options.add_argument("--key", type=Path, help="the public key to verify with")
    given = options.parse_args(words)
    try:
        if given.verify:
            if given.key is None:
                options.error("--verify needs --key")
            for path in verify(given.folder, given.key.read_text(encoding="utf-8")):
                print(f"well signed: {path.name}")
            return
        key = os.environ.get("RELEASE_KEY", "")
        if not key:
            options.error("the environment has no RELEASE_KEY")
        for path in sign(given.folder, key, os.environ.get("RELEASE_KEY_PASSPHRASE", "")):
            print(path.name)
    except SignatureError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
