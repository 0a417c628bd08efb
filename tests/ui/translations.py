"""Brings the catalogues up to date with the texts of the code: `make translations`.

New texts are added with an empty translation, those no longer used are taken out; en.json has those that count.
Needs nothing but Python.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "itsjustintv_desktop"
HERE = ROOT / "resources" / "translations"
_WHERE = {"tr": 0, "noop": 0, "translate": 1}
"""Functions that mark a text for translation, and which of their arguments it is."""


def texts(package: Path = PACKAGE) -> list[str]:
    """Every text to translate, in the order of the code."""
    found: dict[str, None] = {}
    for path in [*sorted((package / "ui").rglob("*.py")), package / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = _WHERE.get(name, len(node.args))
            for part in ast.walk(node.args[at]) if at < len(node.args) else ():
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.strip():
                    found[part.value] = None
    return list(found)


def update(path: Path) -> list[str]:
    """The texts that still want a translation."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    wanted = [text for text in texts() if path.stem != "en" or "%n" in text]
    new = {text: known.get(text) or (["", ""] if "%n" in text else "") for text in wanted}
    path.write_text(json.dumps(new, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [text for text, translation in new.items() if not translation or not all(translation)]


if __name__ == "__main__":
    left = [f"{path.name}: {text!r}" for path in sorted(HERE.glob("*.json")) for text in update(path)]
    sys.stdout.write("".join(f"{line}\n" for line in left))
    sys.exit(bool(left))
