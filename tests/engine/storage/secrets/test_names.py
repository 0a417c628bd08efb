"""Names of items and of data directories."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.storage.secrets.names import MAX_ITEM, check_item, directory_id, keyring_service


def test_each_data_directory_has_items_of_its_own(tmp_path: Path) -> None:
    assert directory_id(tmp_path / "a") != directory_id(tmp_path / "b")
    assert keyring_service("app", tmp_path / "a", "x") != keyring_service("app", tmp_path / "b", "x")
    assert keyring_service("app", tmp_path / "a", "x") != keyring_service("app", tmp_path / "a", "y")


def test_a_directory_is_the_same_by_whatever_way_it_is_reached(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    link = tmp_path / "link"
    link.symlink_to(real)
    assert directory_id(link) == directory_id(real) == directory_id(real / ".." / "real")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_the_limit_counts_what_windows_counts(value: str) -> None:
    fits = len(value.encode("utf-16-le")) <= 2560
    if fits:
        check_item(value)
    else:
        with pytest.raises(UsageError, match="too long"):
            check_item(value)


@pytest.mark.parametrize("value", ["a" * (MAX_ITEM + 1), "\N{GRINNING FACE}" * (MAX_ITEM // 2 + 1)])
def test_a_value_too_long_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_item(value)
    assert value[:3] not in caught.value.message


@pytest.mark.parametrize("value", ["a\0b", "a\ud800b"])
def test_a_value_that_cannot_be_stored_is_refused(value: str) -> None:
    with pytest.raises(UsageError):
        check_item(value)
