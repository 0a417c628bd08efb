"""What Briefcase cannot put into a .deb: maintainer scripts, and the sums that `dpkg --verify` compares.

Briefcase writes the control file and calls dpkg-deb in one breath. So the finished package is opened: it is an ar
archive of debian-binary, control.tar.xz and data.tar.xz (deb(5)), of which only the control part is made anew.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

from installers import ROOT

SCRIPTS = ROOT / "installers" / "linux" / "maintainer"
NAMES = ("postinst", "postrm", "prerm")
"""Those that are packed, and nothing that lies beside them, such as an editor's backup."""
_MAGIC = b"!<arch>\n"
_CONTROL = "control.tar.xz"


def complete(deb: Path, epoch: int) -> None:
    """Add the scripts and md5sums to a package, dated `epoch` (Unix seconds). The same again for the same package.

    Raises ValueError when it is no package of the kind dpkg-deb writes.
    """
    members = _read(deb.read_bytes())
    if [name for name, _ in members][:2] != ["debian-binary", _CONTROL]:
        raise ValueError(f"{deb.name} is not a package of the kind that was expected")
    kept = {"control": _control(members[1][1])}
    kept["md5sums"] = _sums(deb)
    kept.update({name: (SCRIPTS / name).read_bytes() for name in NAMES})
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(_entry("./", epoch, 0o755, kind=tarfile.DIRTYPE))
        for name, data in sorted(kept.items()):
            entry = _entry(f"./{name}", epoch, 0o755 if name in NAMES else 0o644, size=len(data))
            tar.addfile(entry, io.BytesIO(data))
    members[1] = (_CONTROL, made.getvalue())
    deb.write_bytes(_MAGIC + b"".join(_member(name, data, epoch) for name, data in members))


def _read(data: bytes) -> list[tuple[str, bytes]]:
    if not data.startswith(_MAGIC):
        raise ValueError("not an ar archive")
    found, at = [], len(_MAGIC)
    while at < len(data):
        head = data[at : at + 60]
        size = int(head[48:58])
        found.append((head[:16].decode("ascii").rstrip(" /"), data[at + 60 : at + 60 + size]))
        at += 60 + size + size % 2
    return found


def _member(name: str, data: bytes, epoch: int) -> bytes:
    head = f"{name:<16}{epoch:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n"
    return head.encode("ascii") + data + b"\n" * (len(data) % 2)


def _control(data: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        file = tar.extractfile("./control")
        if file is None:
            raise ValueError("no control file")
        return file.read()


def _sums(deb: Path) -> bytes:
    """A line for each file of the package, in its own order."""
    lines = []
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpacked:
        assert unpacked.stdout is not None
        with tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isfile() else None
                if file is not None:
                    summed = hashlib.md5(file.read(), usedforsecurity=False)
                    lines.append(f"{summed.hexdigest()}  {entry.name.removeprefix('./')}\n")
    if unpacked.returncode != 0 or not lines:
        raise ValueError(f"dpkg-deb could not read {deb.name}")
    return "".join(lines).encode()


def _entry(name: str, epoch: int, mode: int, *, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mtime, entry.mode, entry.size, entry.type = epoch, mode, size, kind
    entry.uname = entry.gname = "root"
    return entry
