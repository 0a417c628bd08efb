"""No file of the window hands a text of others to Qt but through ui/plain.py: a look at the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import itsjustintv_desktop

PACKAGE = Path(itsjustintv_desktop.__file__).parent
TEXT_AT = {
    "setToolTip": 0, "setStatusTip": 0, "setWhatsThis": 0, "setWindowTitle": 0, "setAccessibleName": 0,
    "setAccessibleDescription": 0, "setPlaceholderText": 0, "setInformativeText": 0, "setDetailedText": 0,
    "addAction": 0, "addMenu": 0, "addSection": 0, "setTitle": 0, "setItemText": 1, "setTabText": 1, "showText": 1,
}  # fmt: skip
"""Methods of Qt that show a text, and which argument it is."""
NEVER = frozenset({
    "QMessageBox", "QErrorMessage", "QTextBrowser", "QTextDocument", "QStaticText", "setHtml", "insertHtml",
    "appendHtml", "setMarkdown", "insertMarkdown", "openUrl", "showMessage", "setTextFormat",
})  # fmt: skip
"""These are used in one place each."""
PLACES = {
    "ui/plain.py": {"openUrl"},
    "ui/widgets/dialog.py": {"QMessageBox", "setTextFormat", "setInformativeText"},
    "ui/widgets/basic.py": {"QLabel", "setTextFormat"},
    "ui/shell/tray.py": {"showMessage", "addAction"},
}
SAFE = frozenset({"readable", "plain", "for_menu"})


def sources() -> Iterator[Path]:
    yield PACKAGE / "app.py"
    yield from sorted((PACKAGE / "ui").rglob("*.py"))


def ours(text: ast.expr) -> bool:
    """A sentence of this program, or one of another that went through the helper."""
    if isinstance(text, ast.Constant):
        return True
    if isinstance(text, ast.IfExp):
        return ours(text.body) and ours(text.orelse)
    if isinstance(text, ast.Call):
        name = text.func.attr if isinstance(text.func, ast.Attribute) else getattr(text.func, "id", "")
        return name in SAFE or (name in {"tr", "_tr"} and all(isinstance(each, ast.Constant) for each in text.args[:2]))
    return False


def bare(source: str, where: str) -> list[str]:
    """Calls in which Qt would get a text as it came."""
    found = []
    allowed = PLACES.get(where, set())
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in NEVER and name not in allowed:
            found.append(f"{where}:{node.lineno} {name}")
        elif name == "QLabel" and node.args and name not in allowed:
            found.append(f"{where}:{node.lineno} {name} with a text: label() makes plain ones")
        elif name in TEXT_AT and name not in allowed and len(node.args) > TEXT_AT[name]:
            text = node.args[TEXT_AT[name]]
            if not ours(text):
                found.append(f"{where}:{node.lineno} {name}({ast.unparse(text)})")
    return found


def test_no_text_of_others_goes_to_qt_as_it_came() -> None:
    found = [each for path in sources() for each in bare(path.read_text(), path.relative_to(PACKAGE).as_posix())]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "self.setToolTip(title)",
        "made.setAccessibleName(f'{title}')",
        "box = QMessageBox(QMessageBox.Icon.Warning, '', text)",
        "menu.addAction(self.tr('Open {}').format(name))",
        "QDesktopServices.openUrl(QUrl(address))",
        "part = QLabel(text)",
        "view.setHtml(text)",
    ],
)
def test_a_bare_call_is_seen(line: str) -> None:
    assert len(bare(line, "ui/pages/any.py")) == 1
    assert (
        bare("self.setToolTip(plain(title)); menu.addAction(for_menu(t)); w.setToolTip(self.tr('Copied'))", "x") == []
    )
