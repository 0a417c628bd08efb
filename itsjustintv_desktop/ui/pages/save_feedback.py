"""What became of a change, said where the person is: done, done with a way back, or saved and not in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from itsjustintv_desktop.ui.formatting import translate

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Saved
    from itsjustintv_desktop.ui.pages.base import Page


def save_feedback(page: Page, saved: Saved, done: str, show: Callable[[], object] | None = None) -> None:
    """`done` is a sentence such as "Removed alice."; `show` brings what was changed to the front, where that was
    taken back."""
    word = " ".join(part for part in (done, translate(saved.note)) if part)
    if saved.state in {"refused", "waiting"}:
        text = _tr("It is saved, but the program goes on with the settings it had.")
        page.banner.say(f"{text} {translate(saved.sentence)}", "alert")
    elif saved.sentence:
        word = f"{word} {translate(saved.sentence)}"
    if saved.undo:
        page.tell(word, _tr("Undo"), lambda: page.do("undo", _undo(page, saved.undo, show)))
    else:
        page.tell(word)


async def _undo(page: Page, token: str, show: Callable[[], object] | None) -> None:
    await page.bridge.call(lambda engine: engine.api.settings.undo(token))
    if show is not None:
        show()
    page.tell(_tr("It is as it was before."))
    page.store.refresh()


def _tr(text: str) -> str:
    return QCoreApplication.translate("saving", text)
