"""A made-up language: every text that went through tr() stands in brackets."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from PySide6.QtCore import QObject, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTableView,
    QTabWidget,
    QWidget,
)

PACKAGE = Path(__file__).parents[2] / "itsjustintv_desktop"
NAMES = frozenset(
    {
        "itsjustintv", "output.json", "config.toml", "json", "discord", "slack", "Twitch", "Inter", "JSON", "Discord",
        "Slack", "SHA-1", "SHA-256", "SHA-512", "X-Hub-Signature", "Standard Webhooks", "Deutsch", "English",
        "X-Hub-Signature-256",
        "Authorization: Bearer …", "https://example.com/twitch", "live.example.com", "you@example.com",
        "your-name.ngrok-free.dev", "tls-alpn-01", "http-01", "HTTP", "gRPC", "ngrok",
    }
)  # fmt: skip
"""The same in every language."""


class Pseudo(QTranslator):
    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        return False  # else it would not be asked

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        return f"⟦{text}⟧" if context != "QPlatformTheme" else text


@cache
def literals() -> frozenset[str]:
    """Every piece of text in the sources of the screen: what of it is seen unbracketed was not translated."""
    found = set()
    for path in [*(PACKAGE / "ui").rglob("*.py"), PACKAGE / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value.strip())
    return frozenset(text for text in found if any(map(str.isalpha, text)))


def texts(widget: QWidget) -> list[str]:
    """What a person can see or hear of one widget."""
    if widget.property("role") == "aside":
        return []  # a key as it stands in config.toml
    found = [widget.accessibleName(), widget.toolTip(), widget.windowTitle()]
    if isinstance(widget, QLabel | QAbstractButton) and widget.property("role") != "aside":  # a key as the file has it
        found.append(widget.text())
    if isinstance(widget, QLineEdit | QPlainTextEdit):
        found.append(widget.placeholderText())
    if isinstance(widget, QComboBox):
        found += [widget.itemText(at) for at in range(widget.count())]
    if isinstance(widget, QTabWidget):
        found += [widget.tabText(at) for at in range(widget.count())]
    if isinstance(widget, QTableView) and (model := widget.model()) is not None:
        from PySide6.QtCore import Qt

        found += [str(model.headerData(at, Qt.Orientation.Horizontal) or "") for at in range(model.columnCount())]
    return [text for text in found if text]


def untranslated(root: QWidget) -> list[str]:
    """Faults below `root`: texts of the sources that did not go through tr()."""
    faults = []
    seen: list[QObject] = [root, *root.findChildren(QObject)]
    for each in seen:
        said = texts(each) if isinstance(each, QWidget) else [each.text()] if isinstance(each, QAction) else []
        plain = [text for text in said if text.strip() in literals() and text.strip() not in NAMES]
        faults += [f"{type(each).__name__}: {text!r}" for text in plain]
    return faults
