"""What stands there while there is no destination, or none is chosen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from itsjustintv_desktop.ui.widgets.basic import Card
from itsjustintv_desktop.ui.widgets.states import EmptyState


def none_chosen() -> Card:
    card = Card(quiet=True)
    card.setMinimumWidth(330)
    card.body.addWidget(EmptyState("arrow", _tr("None chosen"), _tr("Choose a destination at the left.")))
    return card


def none_yet(add: Callable[[], object]) -> EmptyState:
    words = _tr("A destination is a webhook of Discord, Slack or a program of yours that announcements go to.")
    return EmptyState("arrow", _tr("There is no destination yet"), words, _tr("Add destination"), add)


def _tr(text: str) -> str:
    return QCoreApplication.translate("destinations", text)
