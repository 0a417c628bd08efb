"""The settings of one streamer, or of several at once, at the right of the table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from itsjustintv_desktop.engine import StreamerDraft, StreamerLists, StreamerView
from itsjustintv_desktop.ui.formatting import number
from itsjustintv_desktop.ui.images import Avatar, Pictures
from itsjustintv_desktop.ui.pages.streamers.preview import PreviewBox
from itsjustintv_desktop.ui.plain import channel_address, open_address
from itsjustintv_desktop.ui.status import StreamerRow, live_of, problem_of
from itsjustintv_desktop.ui.widgets.basic import Card, Elided, button, column, fill, icon_button, label, row
from itsjustintv_desktop.ui.widgets.chips import ChipField, PickChips, half_typed
from itsjustintv_desktop.ui.widgets.field import Field
from itsjustintv_desktop.ui.widgets.scroll import Upright


class StreamerForm(Card):
    """Shows a draft, and gives it back as a person changed it."""

    edited = Signal()
    discard_requested = Signal()
    remove_requested = Signal()

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self._pictures = pictures
        self._base: StreamerDraft | None = None
        self._row: StreamerRow | None = None
        self.avatar = Avatar(size=44)
        self.name, self.about = Elided(role="heading"), Elided(role="muted")
        self.open = icon_button("open", self.tr("Open the channel"), self._open)
        self.problem = label("", "attention", wrap=True, selectable=True)
        self.enabled = QCheckBox(self.tr("&Announce its streams"))
        self.tags = ChipField(self.tr("Announce only with these tags"), self.tr("add a tag"))
        self.extra = ChipField(self.tr("Extra tags in the payload"), self.tr("add a tag"))
        self.destinations = PickChips(self.tr("Destinations"), self.tr("Add a destination"))
        self.description = QLineEdit()
        self.description.setPlaceholderText(self.tr("the channel's own"))
        self.key = QLineEdit()
        self.preview = PreviewBox()
        self.save = button(self.tr("&Save"), role="primary")
        self.discard = button(self.tr("D&iscard"), self.discard_requested.emit, role="link", destructive=True)
        self.test = button(self.tr("Send &test"))
        self.duplicate = icon_button("copy", self.tr("Duplicate for another channel"))
        self.remove = button(self.tr("&Remove"), self.remove_requested.emit, role="danger")
        self._lay_out()
        self.enabled.clicked.connect(lambda: self._changed())
        for chips in (self.tags, self.extra, self.destinations):
            chips.changed.connect(self._changed)
        for words in (self.tags, self.extra):
            words.edit.textEdited.connect(lambda _: self._state())
        for line in (self.description, self.key):
            line.textEdited.connect(self._changed)

    @property
    def base(self) -> StreamerDraft | None:
        """What is saved."""
        return self._base

    @property
    def shown_key(self) -> str:
        """The streamer that is shown, "" for none."""
        return self._base.key if self._base is not None else ""

    @property
    def draft(self) -> StreamerDraft:
        """The current content of the form."""
        base = self._base or StreamerDraft(key="")
        return msgspec.structs.replace(
            base,
            key=self.key.text().strip() or base.key,
            enabled=self.enabled.isChecked(),
            destinations=self.destinations.values,
            tag_filter=self.tags.values,
            additional_tags=self.extra.values,
            description=self.description.text().strip(),
        )

    @property
    def is_changed(self) -> bool:
        return self._base is not None and self.draft != self._base

    def show_row(self, shown: StreamerRow, destinations: tuple[str, ...]) -> None:
        """What is known of the channel now; what a person types stays."""
        self._row = shown
        view = shown.view
        self.avatar.show_channel(shown.name, self._pictures.get(view.picture))
        self.name.say(shown.name)
        live = live_of(shown)
        about = [live] if live else []
        about += [f"twitch.tv/{view.login}"] if view.login else []
        if view.followers is not None:
            about.append(
                self.tr("%n followers", "", view.followers).replace(str(view.followers), number(view.followers))
            )
        self.about.say(" · ".join(about))
        problem = problem_of(view)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.destinations.set_choices(destinations)

    def show_draft(self, base: StreamerDraft, draft: StreamerDraft | None = None) -> None:
        """`base` is what is saved, `draft` what a person made of it and has not saved yet."""
        self._base = base
        shown = draft or base
        self.enabled.setChecked(shown.enabled)
        self.tags.set_values(shown.tag_filter)
        self.extra.set_values(shown.additional_tags)
        self.destinations.set_values(shown.destinations)
        _put(self.description, shown.description)
        _put(self.key, shown.key)
        self._state()

    def suggest(self, tags: tuple[str, ...]) -> None:
        self.tags.suggest(tags)
        self.extra.suggest(tags)

    def busy(self, busy: bool) -> None:
        """Something is being saved."""
        self._is_busy = busy
        self._state()

    def hold(self, held: bool, *, gone: bool = False) -> None:
        """Nothing is saved before a person chose between two versions; with what is gone nothing else can be done."""
        self._is_held, self._is_gone = held, gone
        self._state()

    def _changed(self) -> None:
        self._state()
        self.edited.emit()

    def _state(self) -> None:
        changed, busy = self.is_changed or half_typed(self), self._is_busy
        self.save.setEnabled(changed and not busy and not self._is_held)
        self.discard.setVisible(changed)
        for control in (self.remove, self.duplicate):
            control.setEnabled(not self._is_gone)
        self.test.setVisible(not changed and not self._is_gone)  # a test uses what is saved
        self.test.setEnabled(not changed and not busy)
        self.preview.offer(self.destinations.values)

    def _open(self) -> None:
        if self._row is not None:
            open_address(channel_address(self._row.view.login))

    def _lay_out(self) -> None:
        self._is_busy = self._is_held = self._is_gone = False
        self.discard.hide()
        inner = QWidget()
        fields = column(self.problem, self.enabled, spacing=14, inside=inner, margins=(0, 0, 6, 0))
        for chips in (self.tags, self.extra, self.destinations):
            fields.addWidget(Field(chips.accessibleName(), chips))
        fields.addWidget(Field(self.tr("Description in the payload"), self.description))
        fields.addWidget(Field(self.tr("Name in the config"), self.key))
        fill(fields, self.preview, None)
        scroll = Upright(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        head = row(self.avatar, (column(self.name, self.about, spacing=1), 1), self.duplicate, self.open, spacing=8)
        self.body.setSpacing(14)
        fill(self.body, head, (scroll, 1), row(self.save, self.test, self.discard, None, self.remove))


def _put(line: QLineEdit, text: str) -> None:
    """Without moving the cursor of somebody who types the same."""
    if line.text() != text:
        line.setText(text)
        line.setCursorPosition(0)


_NOTHING = (StreamerLists(), StreamerLists())


class BulkCard(Card):
    """In place of the form while more than one is chosen. What is typed for them is kept until it is saved."""

    remove_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[str, ...] = ()
        self._common = StreamerLists()
        self._typed: dict[tuple[str, ...], tuple[StreamerLists, StreamerLists]] = {}
        """What was added and removed, by the keys of the selected streamers."""
        self.count = label("", "heading")
        self.destinations = PickChips(self.tr("Destinations"), self.tr("Add a destination"))
        self.tags = ChipField(self.tr("Announce only with these tags"), self.tr("add a tag"))
        self.extra = ChipField(self.tr("Extra tags in the payload"), self.tr("add a tag"))
        self.save = button(self.tr("&Save"), role="primary")
        self.discard = button(self.tr("D&iscard"), self.forget, role="link", destructive=True)
        self.enable = button(self.tr("Switch &on"))
        self.disable = button(self.tr("Switch o&ff"))
        self.remove = button(self.tr("&Remove"), self.remove_requested.emit, role="danger")
        self.body.setSpacing(14)
        self.body.addWidget(self.count)
        words = self.tr("Shown is what all of them have. What you add or take away here changes for each of them.")
        self.body.addWidget(label(words, "muted", wrap=True))
        for chips in (self.destinations, self.tags, self.extra):
            self.body.addWidget(Field(chips.accessibleName(), chips))
            chips.changed.connect(self._edited)
        for field in (self.tags, self.extra):
            field.edit.textEdited.connect(lambda _: self._state())
        fill(self.body, row(self.save, self.discard, None), None)
        hint = self.tr("What is switched off keeps its settings and announces nothing.")
        fill(self.body, label(hint, "muted", wrap=True), row(self.enable, self.disable, None, self.remove))
        self._state()

    @property
    def is_changed(self) -> bool:
        """Something was typed, for those shown or for others, that is not saved."""
        return bool(self._typed)

    @property
    def added(self) -> StreamerLists:
        return self._typed.get(self._keys, _NOTHING)[0]

    @property
    def removed(self) -> StreamerLists:
        return self._typed.get(self._keys, _NOTHING)[1]

    def show_streamers(self, views: Sequence[StreamerView], destinations: Sequence[str]) -> None:
        """Those that are chosen, and all destinations there are."""
        self._keys = tuple(sorted(view.key for view in views))
        self._common = StreamerLists(**{name: _common(views, name) for name in StreamerLists.__struct_fields__})
        self.count.setText(self.tr("%n streamers chosen", "", len(views)))
        self.destinations.set_choices(destinations)
        self._show()

    def keep_only(self, keys: frozenset[str]) -> None:
        """What was typed for streamers that are gone stays for the others, as long as there are several."""
        left: dict[tuple[str, ...], tuple[StreamerLists, StreamerLists]] = {}
        for chosen, (added, removed) in self._typed.items():
            there = tuple(key for key in chosen if key in keys)
            if len(there) > 1:
                before = left.get(there, _NOTHING)
                left[there] = _more(before[0], added), _more(before[1], removed)
        self._typed = left

    def forget(self) -> None:
        """What was typed for those shown."""
        self._typed.pop(self._keys, None)
        self._show()

    @property
    def _values(self) -> StreamerLists:
        return StreamerLists(
            destinations=self.destinations.values, tag_filter=self.tags.values, additional_tags=self.extra.values
        )

    def _show(self) -> None:
        lists = _more(_less(self._common, self.removed), self.added)
        self.destinations.set_values(lists.destinations)
        self.tags.set_values(lists.tag_filter)
        self.extra.set_values(lists.additional_tags)
        self._state()

    def _edited(self) -> None:
        change = _less(self._values, self._common), _less(self._common, self._values)
        if change == _NOTHING:
            self._typed.pop(self._keys, None)
        else:
            self._typed[self._keys] = change
        self._state()

    def _state(self) -> None:
        changed = self._keys in self._typed or half_typed(self)
        self.save.setEnabled(changed)
        self.discard.setVisible(changed)


def _common(views: Sequence[StreamerView], name: str) -> tuple[str, ...]:
    """In the order of the first."""
    lists: list[tuple[str, ...]] = [getattr(view, name) for view in views]
    return tuple(word for word in lists[0] if all(word in each for each in lists[1:])) if lists else ()


def _more(one: StreamerLists, other: StreamerLists) -> StreamerLists:
    names = StreamerLists.__struct_fields__
    return StreamerLists(**{name: tuple(dict.fromkeys((*getattr(one, name), *getattr(other, name)))) for name in names})


def _less(one: StreamerLists, other: StreamerLists) -> StreamerLists:
    """What the lists of the first have that those of the second do not."""
    left = {
        name: tuple(word for word in getattr(one, name) if word not in getattr(other, name))
        for name in StreamerLists.__struct_fields__
    }
    return StreamerLists(**left)
