"""What Briefcase cannot put into a .deb: maintainer scripts, the sums that `dpkg --verify` compares, how much it takes,
and a version that names the system it was built for.

Briefcase writes the control file and calls dpkg-deb in one breath. So the finished package is opened: it is an ar
archive of debian-binary, control.tar.xz and data.tar.xz (deb(5)), of which only the control part is made anew.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
from pathlib import Path

from installers import ROOT

SCRIPTS = ROOT / "installers" / "linux" / "maintainer"
NAMES = ("postinst", "postrm", "prerm")
"""Those that are packed, and nothing that lies beside them, such as an editor's backup."""
_MAGIC = b"!<arch>\n"
_CONTROL = "control.tar.xz"


def system(os_release: Path = Path("/etc/os-release")) -> str:
    """The system this runs on as a version ends with it: `debian12`, `ubuntu24.04`. Source: os-release(5)."""
    lines = os_release.read_text(encoding="utf-8").splitlines()
    values = {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)}
    # A testing release has no number yet; its name sorts behind those of all releases that have one.
    return values["ID"] + (values.get("VERSION_ID") or values.get("VERSION_CODENAME", ""))


def complete(deb: Path, epoch: int, built_for: str = "") -> Path:
    """Add the scripts, md5sums and Installed-Size to a package, dated `epoch` (Unix seconds); where it lies then.

    `built_for` (see `system`) ends its version and its file's name, so that the package for the next release of the
    system replaces this one: 1.2.3-1~debian12 is older than 1.2.3-1~debian13 (deb-version(7)). The same again for the
    same package. Raises ValueError when it is no package of the kind dpkg-deb writes.
    """
    members = _read(deb.read_bytes())
    if [name for name, _ in members][:2] != ["debian-binary", _CONTROL]:
        raise ValueError(f"{deb.name} is not a package of the kind that was expected")
    sums, size = _sums(deb)
    control = _with_field(_control(members[1][1]).decode(), "Installed-Size", str(size))
    if built_for:
        version = f"{_upstream(_field(control, 'Version'))}-1~{built_for}"
        control = _with_field(control, "Version", version)
        deb = deb.rename(deb.with_name(f"{_field(control, 'Package')}_{version}_{_field(control, 'Architecture')}.deb"))
    kept = {"control": control.encode(), "md5sums": sums}
    kept.update({name: (SCRIPTS / name).read_bytes() for name in NAMES})
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(_entry("./", epoch, 0o755, kind=tarfile.DIRTYPE))
        for name, data in sorted(kept.items()):
            entry = _entry(f"./{name}", epoch, 0o755 if name in NAMES else 0o644, size=len(data))
            tar.addfile(entry, io.BytesIO(data))
    members[1] = (_CONTROL, made.getvalue())
    deb.write_bytes(_MAGIC + b"".join(_member(name, data, epoch) for name, data in members))
    return deb


def _upstream(version: str) -> str:
    """Without a revision. A pre-release such as 1.2.3rc1 (PEP 440) must sort before 1.2.3: 1.2.3~rc1."""
    return re.sub(r"(?<=[0-9])(a|b|rc|\.dev)(?=[0-9])", r"~\1", version.partition("-")[0])


def _field(control: str, name: str) -> str:
    """Raises ValueError where there is none."""
    for line in control.splitlines():
        if line.startswith(f"{name}: "):
            return line.partition(": ")[2].strip()
    raise ValueError(f"the package has no {name}")


def _with_field(control: str, name: str, value: str) -> str:
    """With that field instead of the one that is there, before the description, which may be many lines."""
    lines = [line for line in control.splitlines() if not line.startswith(f"{name}: ")]
    lines.insert([line.partition(":")[0] for line in lines].index("Description"), f"{name}: {value}")
    return "\n".join(lines) + "\n"


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


def _sums(deb: Path) -> tuple[bytes, int]:
    """A line for each file of the package, in its own order; and what all takes when installed.

    Installed-Size is in KiB: files rounded up, 1 for anything else. Source: deb-substvars(5).
    """
    lines, size = [], 0
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpacked:
        assert unpacked.stdout is not None
        with tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isfile() else None
                size += -(-entry.size // 1024) if entry.isfile() else 1
                if file is not None:
                    summed = hashlib.md5(file.read(), usedforsecurity=False)
                    lines.append(f"{summed.hexdigest()}  {entry.name.removeprefix('./')}\n")
    if unpacked.returncode != 0 or not lines:
        raise ValueError(f"dpkg-deb could not read {deb.name}")
    return "".join(lines).encode(), size


def _entry(name: str, epoch: int, mode: int, *, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mtime, entry.mode, entry.size, entry.type = epoch, mode, size, kind
    entry.uname = entry.gname = "root"
    return entry
