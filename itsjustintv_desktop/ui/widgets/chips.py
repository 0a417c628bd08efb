"""Words as chips: typed with suggestions (tags), or chosen from what there is (destinations)."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QSize, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QCompleter, QFrame, QHBoxLayout, QLineEdit, QListView, QMenu, QSizePolicy, QWidget

from itsjustintv_desktop.ui.plain import for_menu, plain, readable
from itsjustintv_desktop.ui.widgets.basic import icon_button, label
from itsjustintv_desktop.ui.widgets.scroll import Flow

LONGEST = 100
"""Letters of a typed word that are taken."""


class Chip(QFrame):
    """One word with a button that takes it away."""

    gone = Signal(str)

    def __init__(self, word: str, note: str = "") -> None:
        super().__init__()
        self.word = word
        self.setProperty("role", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 1, 2, 1)
        layout.setSpacing(2)
        text = word if len(word) <= 40 else f"{word[:39]}…"
        layout.addWidget(label(text, "chip-text"))
        self.remove = icon_button("cross", self.tr("Remove {}").format(word), lambda: self.gone.emit(word))
        self.remove.setProperty("role", "chip")
        self.remove.setIconSize(QSize(10, 10))
        layout.addWidget(self.remove)
        if note or text != word:
            self.setToolTip(plain(note or word))


class Chips(QFrame):
    """The words and their order. `changed` when a person changed them."""

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(readable(name))
        self._name = name
        self._flow = Flow(parent=self)
        self._chips: list[Chip] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(chip.word for chip in self._chips)

    def set_values(self, words: Iterable[str]) -> None:
        wanted = tuple(dict.fromkeys(words))
        if wanted == self.values:
            return
        for chip in self._chips:
            self._drop(chip)
        self._chips = []
        for word in wanted:
            self._add(word)
        self._refit()

    def note_for(self, word: str) -> str:
        """A hint for a chip, "" for none."""
        del word
        return ""

    def add(self, word: str) -> bool:
        """Add it as a person does; False if it exists already."""
        if word.casefold() in {value.casefold() for value in self.values}:
            return False
        self._add(word)
        self._refit()
        self.changed.emit()
        return True

    def remove(self, word: str) -> None:
        """Remove it as a person does."""
        for chip in [chip for chip in self._chips if chip.word == word]:
            self._chips.remove(chip)
            self._drop(chip)
            self._refit()
            self.after_removal()
            self.changed.emit()

    def after_removal(self) -> None:
        """Where the focus goes once its chip is gone."""

    def _add(self, word: str) -> None:
        chip = Chip(word, self.note_for(word))
        chip.gone.connect(self.remove)
        self._flow.insert(len(self._chips), chip)
        self._chips.append(chip)

    def _drop(self, chip: Chip) -> None:
        self._flow.removeWidget(chip)
        chip.hide()
        chip.deleteLater()

    def _refit(self) -> None:
        self._flow.invalidate()
        self.updateGeometry()
        self._order()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        self._order()  # for chips added before it was shown

    def _order(self) -> None:
        """Tab reaches the chips in place, although they were created after the rest of the window."""
        last = self.focusProxy()
        if last is None:
            return
        # Else Qt takes `last` for all of this, and Tab would pass over the chips.
        self.setFocusProxy(None)  # type: ignore[arg-type]
        before = last  # its neighbour must not be asked for: see `rest` in ui/widgets/focus.py
        for part in (*(chip.remove for chip in self._chips), last):
            if part is not before:
                QWidget.setTabOrder(before, part)
            before = part
        self.setFocusProxy(last)


class ChipField(Chips):
    """Free words, such as tags: Enter or a comma ends one, Backspace takes the last away."""

    def __init__(self, name: str, placeholder: str) -> None:
        super().__init__(name)
        self.setProperty("role", "box")
        self._flow.setContentsMargins(8, 4, 6, 4)
        self._placeholder = placeholder
        self.edit = QLineEdit()
        self.edit.setProperty("role", "bare")
        self.edit.setAccessibleName(readable(name))
        self.edit.setMaxLength(LONGEST)
        self.edit.setMinimumWidth(88)
        self.edit.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.edit.setPlaceholderText(readable(placeholder))
        self._suggested = QStringListModel(self)
        self._all: tuple[str, ...] = ()
        completer = QCompleter(self._suggested, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        popup = QListView()
        popup.setProperty("role", "popup")
        completer.setPopup(popup)
        completer.activated.connect(self._chosen)
        self.edit.setCompleter(completer)
        self.edit.returnPressed.connect(self.take)
        self.edit.textEdited.connect(self._edited)
        self.edit.installEventFilter(self)
        self._flow.addWidget(self.edit)
        self.setFocusProxy(self.edit)

    def suggest(self, words: Iterable[str]) -> None:
        self._all = tuple(words)
        self._offer()

    def take(self) -> None:
        """Turn the typed text into chips."""
        words = [" ".join(part.split()) for part in self.edit.text().split(",")]
        self.edit.clear()
        for word in words:
            if word:
                self.add(word)

    def after_removal(self) -> None:
        self.edit.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if watched is self.edit:
            if event.type() is QEvent.Type.FocusOut and self.edit.text().strip() and not self._popup_is_open():
                self.take()
            if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
                if event.key() == Qt.Key.Key_Backspace and not self.edit.text() and self._chips:
                    self.remove(self._chips[-1].word)
                    return True
                if event.key() == Qt.Key.Key_Down and not self.edit.text() and self._suggested.rowCount():
                    self._show_all()
                    return True
        return super().eventFilter(watched, event)

    def _refit(self) -> None:
        self.edit.setPlaceholderText(readable(self._placeholder))
        self._offer()
        super()._refit()

    def _edited(self, text: str) -> None:
        if "," in text:
            self.take()

    def _offer(self) -> None:
        there = {value.casefold() for value in self.values}
        self._suggested.setStringList([word for word in self._all if word.casefold() not in there])

    def _chosen(self, word: str) -> None:
        self.add(word)
        QTimer.singleShot(0, self.edit, self.edit.clear)  # the completer writes the word into the field after this

    def _show_all(self) -> None:
        completer = self.edit.completer()
        completer.setCompletionPrefix("")
        completer.complete()

    def _popup_is_open(self) -> bool:
        popup = self.edit.completer().popup()
        return popup is not None and popup.isVisible()


def half_typed(place: QWidget) -> bool:
    """Whether a field of `place` has text that is not a chip yet."""
    return any(chips.edit.text().strip() for chips in place.findChildren(ChipField))


def take_words(place: QWidget) -> None:
    """Words that are half typed there become chips, as they do when the focus goes elsewhere."""
    for chips in place.findChildren(ChipField):
        chips.take()


class PickChips(Chips):
    """Some of what there is: "+" offers the rest."""

    def __init__(self, name: str, add_name: str) -> None:
        super().__init__(name)
        self._choices: tuple[str, ...] = ()
        self.plus = icon_button("plus", add_name, self._open)
        self.plus.setProperty("role", "chip-plus")
        self.plus.setIconSize(QSize(12, 12))
        self._menu: QMenu | None = None
        self._flow.addWidget(self.plus)
        self.setFocusProxy(self.plus)

    def set_choices(self, names: Iterable[str]) -> None:
        self._choices = tuple(names)
        self._refit()

    def after_removal(self) -> None:
        self.plus.setFocus()

    @property
    def offered(self) -> tuple[str, ...]:
        """What "+" would offer now."""
        there = set(self.values)
        return tuple(name for name in self._choices if name not in there)

    def note_for(self, word: str) -> str:
        return "" if word in self._choices or not self._choices else self.tr("There is no {}.").format(word)

    def _open(self) -> None:
        if self._menu is None:  # made earlier, it would tear "+" out of the order of Tab once this gets a parent
            self._menu = QMenu(self)
            self._menu.setAccessibleName(readable(self.plus.accessibleName()))
        self._menu.clear()
        for name in self.offered:
            action = self._menu.addAction(for_menu(name))
            action.triggered.connect(lambda _=False, chosen=name: self.add(chosen))
        if not self.offered:  # "+" stays enabled, since the focus is on it when the last one was chosen
            self._menu.addAction(self.tr("There are no others")).setEnabled(False)
        self._menu.popup(self.plus.mapToGlobal(self.plus.rect().bottomLeft()))
