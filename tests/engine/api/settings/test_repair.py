"""A config.toml that no engine can start with is mended without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine import ConfigRepair
from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.config.save import ConfigFile, Set, edit
from itsjustintv_desktop.engine.core.errors import ConfigChangedError, ConfigError

GOOD = '[destinations.a]\nurl = "https://example.com/a"\n'
BROKEN = '[server]\nport = 80\n[destinations.a]\nurl = "https://example.com/a\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(BROKEN)
    return path


def test_it_names_the_line(path: Path) -> None:
    document = ConfigRepair(path, {}).document()
    assert document.text == BROKEN
    assert [problem.line for problem in document.problems] == [4]


def test_only_what_can_be_used_is_saved(path: Path) -> None:
    mending = ConfigRepair(path, {})
    digest = mending.document().digest
    with pytest.raises(ConfigError):
        mending.save(BROKEN + "\n", digest)
    assert path.read_text() == BROKEN
    assert not mending.check("port = 'x'\n[server]\nport = 'x'").ok
    mending.save(GOOD, digest)
    assert load(path, {}).config.destinations["a"].url == "https://example.com/a"
    assert not path.with_name("config.toml.bak").exists(), "only a good one is worth a backup"


def test_somebody_elses_change_is_not_overwritten(path: Path) -> None:
    mending = ConfigRepair(path, {})
    digest = mending.document().digest
    path.write_text(GOOD)
    with pytest.raises(ConfigChangedError):
        mending.save("", digest)
    assert path.read_text() == GOOD


def test_back_to_the_last_good_one_and_nothing_is_lost(path: Path) -> None:
    path.with_name("config.toml.bak").write_text(GOOD)
    mending = ConfigRepair(path, {})
    good = mending.last_good()
    assert good is not None
    assert good.since == path.with_name("config.toml.bak").stat().st_mtime
    mending.go_back()
    assert path.read_text() == GOOD
    assert path.with_name("config.toml.bak").read_text() == GOOD
    assert path.with_name("config.toml.broken").read_text() == BROKEN


@pytest.mark.parametrize("content", [None, b"", b"x = ", b"\xff\xff", b"[server]\nport = 0.5\n"])
def test_no_last_good_one(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.with_name("config.toml.bak").write_bytes(content)
    mending = ConfigRepair(path, {})
    assert mending.last_good() is None
    with pytest.raises(ConfigError):
        mending.go_back()
    assert path.read_text() == BROKEN


@pytest.mark.parametrize("coding", ["cp1252", "utf-16", "utf-8-sig"])
def test_what_an_editor_saved_in_another_encoding_can_be_mended(path: Path, coding: str) -> None:
    path.write_bytes('# Käse\n[streamers.a]\nlogin = "a"\r\n'.encode(coding))
    mending = ConfigRepair(path, {})
    document = mending.document()
    assert document.text == '# Käse\n[streamers.a]\nlogin = "a"\n'
    mending.save(document.text, document.digest)
    assert load(path, {}).config.streamers["a"].login == "a"
    assert "# Käse" in path.read_text(encoding="utf-8")


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigError, match="it is a folder"):
        ConfigRepair(tmp_path / "config.toml", {}).document()


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "linked.toml"
    link.symlink_to(path)
    path.with_name("config.toml.bak").write_text(GOOD)
    ConfigRepair(link, {}).go_back()
    assert link.is_symlink()
    assert path.read_text() == GOOD


def test_a_secret_moved_away_is_in_no_broken_file_either(path: Path) -> None:
    path.with_name("config.toml.bak").write_text(GOOD)
    ConfigRepair(path, {}).go_back()
    file = ConfigFile(path, {})
    file.set("destinations.a.url", "https://example.com/b")
    file.save(forget_backup=True)
    assert not path.with_name("config.toml.broken").exists()
    edit(path, [Set("server.port", 99)], {})


@pytest.mark.parametrize(("keep", "there"), [(True, True), (False, True), (True, False), (False, False)])
def test_what_was_broken_is_kept_where_that_is_wanted(path: Path, keep: bool, there: bool) -> None:
    if not there:
        path.unlink()
    file = ConfigFile(path, {}, whole=True)
    file.replace(GOOD)
    file.save(keep_broken=keep)
    assert path.read_text() == GOOD
    assert path.with_name("config.toml.broken").exists() == (keep and there)
    assert not path.with_name("config.toml.bak").exists()
