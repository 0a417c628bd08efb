"""Files in every state a folder can be in: none stops the others, and each says what is wrong with it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.errors import AlreadyRunningError, GoFileError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.import_go import reader
from itsjustintv_desktop.engine.import_go.report import State
from tests.engine.import_go.gofolder import CONFIG, GoFolder, over, told, waiting

LISTS = ("output.json", "cache.json", "retry_state.json")


def fill(go: GoFolder) -> None:
    go.write("output.json", [over(at=-at) for at in (900, 800, 700)])
    go.write("cache.json", [told("100", str(number), -60) for number in range(3)])
    go.queue(waiting(), waiting("bob"), waiting("carol"))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"not json", "not JSON"),
        (b'{"a": ', "not JSON"),
        (b"7", "does not hold"),
        (b'"text"', "does not hold"),
        (b"\x00\x01\x02\x80", "not JSON"),
        (b"\xff\xfe[\x00]\x00", "not JSON"),
        (b"[" * 100_000, "cut off"),
    ],
)
async def test_one_that_is_no_list_says_so_and_the_others_are_taken(
    go: GoFolder, name: str, content: bytes, says: str
) -> None:
    fill(go)
    go.write(name, content)
    moved = await go.move()
    parts = {part.name: part for part in moved.parts}
    if name == "retry_state.json" and content.startswith(b"[["):
        says = "not JSON"
    assert parts[name].state is State.FAILED
    assert says in " ".join(parts[name].notes)
    assert not moved.ok
    assert all(parts[other].taken == 3 for other in LISTS if other != name)


@pytest.mark.parametrize("name", LISTS)
async def test_an_empty_list_is_fine(go: GoFolder, name: str) -> None:
    for content in (b"null", b"[]", b'{"queue": null}', b'{"queue": []}'):
        if (name == "retry_state.json") == content.startswith(b"["):
            continue
        go.write(name, content)
        part = await go.part(name)
        assert (part.state, part.taken, part.notes) == (State.DONE, 0, [])


@pytest.mark.parametrize("name", LISTS)
async def test_no_file_is_nothing_to_take_over(go: GoFolder, name: str) -> None:
    assert (await go.part(name)).state is State.NOTHING


@pytest.mark.parametrize("name", LISTS)
async def test_one_that_is_cut_off_gives_what_stands_before_the_cut(go: GoFolder, name: str) -> None:
    """The Go service writes over its files in place: a crash or a full disk leaves half of one."""
    fill(go)
    whole = (go.data / name).read_bytes()
    go.write(name, whole[: len(whole) * 5 // 6])
    part = await go.part(name)
    assert (part.state, part.taken) == (State.FAILED, 2)
    assert "cut off or damaged behind entry 2" in " ".join(part.notes)
    go.write(name, whole)
    part = await go.part(name)
    assert (part.state, part.taken, part.already) == (State.DONE, 1, 2)


@pytest.mark.parametrize("name", LISTS)
async def test_a_byte_order_mark_and_bytes_that_are_not_utf8(go: GoFolder, name: str) -> None:
    fill(go)
    go.write(
        name,
        b"\xef\xbb\xbf" + (go.data / name).read_bytes().replace(b"English", b"Engl\xefsh").replace(b"MQ==", b"M\xff"),
    )
    part = await go.part(name)
    assert part.taken == 3
    assert "not UTF-8" in " ".join(part.notes)


@pytest.mark.parametrize("name", [*LISTS, "tokens.json"])
async def test_a_huge_one_is_refused(go: GoFolder, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reader.LARGEST, name, 1)
    go.write(name, b"[" + b" " * 1024 * 1024 + b"]")
    part = await go.part(name)
    assert part.state is State.FAILED
    assert "larger than 1 MiB" in " ".join(part.notes)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
@pytest.mark.parametrize("name", [*LISTS, "tokens.json"])
async def test_a_symbolic_link_is_not_followed(go: GoFolder, tmp_path: Path, name: str) -> None:
    fill(go)
    target = tmp_path / "elsewhere"
    target.write_text("[]")
    (go.data / name).unlink(missing_ok=True)
    (go.data / name).symlink_to(target)
    part = await go.part(name)
    assert part.state is State.FAILED
    assert "symbolic link" in " ".join(part.notes)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
async def test_a_named_pipe_and_a_folder_make_nobody_wait(go: GoFolder) -> None:
    os.mkfifo(go.data / "cache.json")
    (go.data / "output.json").mkdir()
    moved = await go.move()
    failed = {part.name for part in moved.parts if part.state is State.FAILED}
    assert failed == {"cache.json", "output.json"}


async def test_one_that_may_not_be_read(go: GoFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(go)
    real = os.open

    def refused(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).endswith("cache.json"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refused)  # root may read everything, so the mode alone would prove nothing
    part = await go.part("cache.json")
    assert part.state is State.FAILED
    assert "cannot be read" in " ".join(part.notes)


async def test_numbers_that_are_none(go: GoFolder) -> None:
    go.write("output.json", json.dumps([over(extra=float("nan"))]).encode())
    assert (await go.part("output.json")).taken == 1


async def test_the_data_folder_itself_can_be_named(go: GoFolder) -> None:
    fill(go)
    moved = await go.move(go.data)
    assert [part.taken for part in moved.parts[:4]] == [1, 3, 3, 3]


async def test_a_config_that_lies_elsewhere(go: GoFolder, tmp_path: Path) -> None:
    (go.root / "config.toml").rename(tmp_path / "go.toml")
    fill(go)
    assert (await go.part("config.toml")).state is State.NOTHING
    go.paths.config.unlink(missing_ok=True)
    assert (await go.part("config.toml", go_config=tmp_path / "go.toml")).taken == 1


async def test_files_that_its_config_places_elsewhere(go: GoFolder) -> None:
    text = CONFIG.replace('token_file = "data/tokens.json"', 'token_file = "state/t.json"')
    go.config(text + '\n[retry]\nstate_file = "state/queue.json"\n[output]\nfile_path = "data/deep/out.json"\n')
    go.write("../state/queue.json", {"queue": [waiting()]})
    go.write("deep/out.json", [over()])
    moved = await go.move()
    taken = {part.name: part.taken for part in moved.parts}
    assert (taken["retry_state.json"], taken["output.json"]) == (1, 1)


async def test_a_folder_of_something_else(go: GoFolder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(NotFoundError, match="no folder of the Go service"):
        await go.move(other)
    with pytest.raises(NotFoundError, match="no folder"):
        await go.move(tmp_path / "missing")
    assert not go.paths.data.exists()


async def test_our_own_folders_are_refused(go: GoFolder) -> None:
    await go.move()
    with pytest.raises(UsageError, match="belongs to this program"):
        await go.move(go.paths.data)
    go.paths = Paths(go.paths.config, go.data)
    with pytest.raises(UsageError, match="Choose another --data-dir"):
        await go.move()
    go.paths = Paths(go.paths.config, go.data / "desktop")
    with pytest.raises(UsageError, match="Choose another --data-dir"):
        await go.move()


async def test_a_program_that_runs_is_to_be_stopped_first(go: GoFolder) -> None:
    fill(go)
    go.paths.create()
    lock = InstanceLock(go.paths.lock)
    lock.acquire()
    try:
        with pytest.raises(AlreadyRunningError, match="Stop it"):
            await go.move()
    finally:
        lock.release()
    assert not go.paths.config.exists()
    assert (await go.move()).ok


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=20
)


@settings(max_examples=40)  # such lists take long to make up
@given(items=st.lists(JSON | st.dictionaries(st.text(), JSON), max_size=8), cut=st.integers(0, 400), key=st.booleans())
def test_any_list_cut_anywhere_gives_a_beginning_of_it(items: list[object], cut: int, key: bool) -> None:
    whole = json.dumps({"queue": items} if key else items).encode()
    name = "queue" if key else None
    everything = reader.elements(whole, name)
    assert everything.whole
    try:
        found = reader.elements(whole[:cut], name)
    except GoFileError:
        return
    for mine, wanted in zip(found.items[:-1], everything.items, strict=False):
        assert json.dumps(mine) == json.dumps(wanted)
    assert len(found.items) <= len(items)


@given(content=st.binary(max_size=300))
def test_any_bytes_give_a_list_or_a_sentence(content: bytes) -> None:
    for name in (None, "queue"):
        with contextlib.suppress(GoFileError):
            reader.elements(content, name)
