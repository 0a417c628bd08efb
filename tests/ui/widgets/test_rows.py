"""Rows that come anew: the model is what they are, and persistent places follow their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from pytestqt.modeltest import ModelTester

from itsjustintv_desktop.ui.widgets.table import ROW_ROLE, KeyedRows

Row = tuple[str, int]
rows = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 2)), max_size=8, unique_by=lambda row: row[0])


class Model(KeyedRows[Row]):
    def __init__(self) -> None:
        super().__init__(("Key", "Value"), lambda row: row[0])

    def cell(self, row: Row, column: int, role: int) -> Any:
        return str(row[column]) if role == Qt.ItemDataRole.DisplayRole else None


@given(rows, rows)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_changes_it_shows_the_new_rows(
    qtmodeltester: ModelTester, before: list[Row], after: list[Row]
) -> None:
    model = Model()
    model.show_rows(before)
    model.show_rows(after)
    assert model.rows == after
    assert [model.index(number, 1).data() for number in range(model.rowCount())] == [str(row[1]) for row in after]
    check: Callable[..., None] = qtmodeltester.check
    check(model, force_py=True)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1), st.data())
@settings(deadline=None)
def test_a_place_follows_its_row_while_others_come_and_go(keys: list[str], data: st.DataObject) -> None:
    kept = data.draw(st.sampled_from(keys))
    after = [key for key in "abcdefgh" if key == kept or data.draw(st.booleans())]
    model = Model()
    model.show_rows([(key, 0) for key in sorted(keys)])
    place = QPersistentModelIndex(model.index(sorted(keys).index(kept), 0))
    model.show_rows([(key, 1) for key in after])
    assert place.data(ROW_ROLE) == (kept, 1)


def test_many_changes_far_apart_are_few_signals() -> None:
    """Of 100,000 rows each third changes, then goes: one signal a row would hold the window for a second."""
    model = Model()
    model.show_rows([(str(number), 0) for number in range(100_000)])
    changed, removed, reset = list[int](), list[int](), list[int]()
    model.dataChanged.connect(lambda *_: changed.append(1))
    model.rowsRemoved.connect(lambda *_: removed.append(1))
    model.modelReset.connect(lambda: reset.append(1))
    model.show_rows([(str(number), int(number % 3 == 0)) for number in range(100_000)])
    assert (len(changed), len(removed), len(reset)) == (1, 0, 0)
    model.show_rows([(str(number), 0) for number in range(100_000) if number % 3])
    assert (len(removed), len(reset)) == (0, 1)
    assert model.rowCount() == 66_666
