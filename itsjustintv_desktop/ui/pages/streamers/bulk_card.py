"""What can be done with several streamers at once."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal

from itsjustintv_desktop.engine import StreamerLists, StreamerView
from itsjustintv_desktop.ui.widgets.basic import Card, button, label, row
from itsjustintv_desktop.ui.widgets.chips import ChipField, PickChips, half_typed
from itsjustintv_desktop.ui.widgets.field import Field

_NOTHING = (StreamerLists(), StreamerLists())


class BulkCard(Card):
    """In place of the form while more than one is chosen. What is typed for them is kept until it is saved."""

    enable_requested = Signal(bool)
    remove_requested = Signal()
    save_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[str, ...] = ()
        self._common = StreamerLists()
        self._typed: dict[tuple[str, ...], tuple[StreamerLists, StreamerLists]] = {}
        """What was added and taken away, by the streamers it is meant for."""
        self.count = label("", "heading")
        self.destinations = PickChips(self.tr("Destinations"), self.tr("Add a destination"))
        self.tags = ChipField(self.tr("Announce only with these tags"), self.tr("add a tag"))
        self.extra = ChipField(self.tr("Extra tags in the payload"), self.tr("add a tag"))
        self.save = button(self.tr("&Save"), self.save_requested.emit, role="primary")
        self.discard = button(self.tr("D&iscard"), self.forget, role="link", destructive=True)
        self.enable = button(self.tr("Switch &on"), lambda: self.enable_requested.emit(True))
        self.disable = button(self.tr("Switch o&ff"), lambda: self.enable_requested.emit(False))
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
        self.body.addLayout(row(self.save, self.discard, None))
        self.body.addStretch(1)
        hint = self.tr("What is switched off keeps its settings and announces nothing.")
        self.body.addWidget(label(hint, "muted", wrap=True))
        self.body.addLayout(row(self.enable, self.disable, None, self.remove))
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
        """What was typed for streamers that are gone goes with them."""
        self._typed = {chosen: typed for chosen, typed in self._typed.items() if keys.issuperset(chosen)}

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
