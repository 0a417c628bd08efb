"""Marked secrets, and the search for them. Knows nothing of the program's own redaction."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus


def mark(tail: str = "") -> str:
    """A secret as long as those of Twitch; with a `tail` of odd characters every encoding changes it."""
    return f"zq{secrets.token_hex(14)}{tail}"


@cache
def forms(secret: str) -> dict[str, bytes]:
    """How it may be written: the name of the form, and the bytes to look for."""
    data = secret.encode()
    found = {
        "raw": data,
        "percent-encoded": quote(secret, safe="").encode(),
        "percent-encoded (/)": quote(secret).encode(),
        "form-encoded": quote_plus(secret).encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "hex": data.hex().encode(),
        "HEX": data.hex().upper().encode(),
    }
    for offset in range(3):
        # Only the characters that hold nothing but bits of the secret.
        start, end = (0, 2, 3)[offset], (offset + len(data)) * 8 // 6
        text = base64.b64encode(bytes(offset) + data)[start:end]
        found[f"base64 +{offset}"] = text
        found[f"base64url +{offset}"] = text.replace(b"+", b"-").replace(b"/", b"_")
    # The random part alone: it shows whatever became of the rest.
    head = secret[:30].encode()
    return found | {"head": head} if secret.startswith("zq") else found


@dataclass
class Marks:
    """Every secret used, by what it is; and every place looked at."""

    values: dict[str, str] = field(default_factory=dict)
    looked_at: dict[str, int] = field(default_factory=dict)
    """Kind of place: bytes looked through."""
    leaks: list[str] = field(default_factory=list)

    def make(self, name: str, tail: str = "") -> str:
        assert name not in self.values, name
        self.values[name] = mark(tail)
        return self.values[name]

    def add(self, name: str, value: str | None) -> None:
        """One that the program or the simulator made."""
        if value and value not in self.values.values():
            self.values[f"{name} #{len(self.values)}"] = value

    def search(self, kind: str, where: str, content: bytes, *, legitimate: Iterable[str] = ()) -> None:
        """Note every secret in `content`. `legitimate`: beginnings of names that may be there."""
        self.looked_at[kind] = self.looked_at.get(kind, 0) + len(content)
        allowed = tuple(legitimate)
        for name, value in self.values.items():
            if allowed and name.startswith(allowed):
                continue
            for form, needle in forms(value).items():
                at = content.find(needle)
                if at >= 0:
                    around = content[max(0, at - 80) : at].decode(errors="replace")
                    self.leaks.append(f"{name} ({form}) in {where}, behind: {around!r}")
                    break

    def search_folder(self, folder: Path, legitimate: Mapping[str, tuple[str, ...]]) -> set[str]:
        """Every file below; `legitimate` by the end of its path. Their names."""
        names: set[str] = set()
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            relative = path.relative_to(folder).as_posix()
            names.add(relative)
            allowed = next((those for end, those in legitimate.items() if relative.endswith(end)), ())
            self.search(f"file {relative}", f"file {relative}", path.read_bytes(), legitimate=allowed)
            self.search("file names", f"name of {relative}", relative.encode())
            if relative.endswith("ledger.db"):
                self.search("ledger rows, unpacked", f"rows of {relative}", ledger_text(path))
        return names

    def report(self) -> str:
        """What was covered, for people."""
        secrets_used = "\n".join(f"  {name}" for name in sorted(self.values))
        places = "\n".join(f"  {size:>9} bytes  {kind}" for kind, size in sorted(self.looked_at.items()))
        return f"{len(self.values)} secrets:\n{secrets_used}\nlooked for in:\n{places}"


def ledger_text(path: Path) -> bytes:
    """Every value of every row, payloads unpacked."""
    pieces: list[bytes] = []
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    if isinstance(value, bytes):
                        try:
                            pieces.append(zlib.decompress(value))
                        except zlib.error:
                            pieces.append(value)
                    else:
                        pieces.append(str(value).encode())
    finally:
        connection.close()
    return b"\n".join(pieces)
