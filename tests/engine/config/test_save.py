"""Saving the config file: checked, atomic, with a backup, never over someone else's change."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.config.notation import Value
from itsjustintv_desktop.engine.config.save import AddTables, Change, ConfigFile, Redirect, Remove, Rename, Set, edit
from itsjustintv_desktop.engine.core.errors import ConfigChangedError, ConfigError, ConfigSaveError, UsageError

TEXT = """\
# mine
[twitch]
client_id = "abc" # the id

[streamers.first]
destinations = ["friends"] # who hears of it
[streamers.twitch."second one"]
login = "second"
webhook_url = "https://example.com/second"

[destinations.friends]
url = "https://example.com/friends"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(TEXT.encode())
    return path


def test_a_change_is_saved_with_a_backup_of_the_last_good_file(path: Path) -> None:
    loaded = edit(path, [Set("server.port", 99)], {})
    assert loaded.config.server.port == 99
    assert path.read_text() == TEXT + "\n[server]\nport = 99\n"
    assert path.with_name("config.toml.bak").read_text() == TEXT
    assert loaded.digest == load(path, {}).digest
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["config.toml", "config.toml.bak"]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are those of POSIX")
def test_only_the_owner_may_read_it(path: Path) -> None:
    path.chmod(0o644)
    edit(path, [Set("server.port", 99)], {})
    for name in ("config.toml", "config.toml.bak"):
        assert stat.S_IMODE(path.with_name(name).stat().st_mode) == 0o600


def test_a_new_file_in_a_new_folder(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "config.toml"
    edit(path, [Set(("streamers", "shroud", "login"), "shroud")], {})
    assert path.read_text() == '[streamers.shroud]\nlogin = "shroud"\n'
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_mark_and_line_ends_survive(path: Path, mark: bytes, newline: bytes) -> None:
    path.write_bytes(mark + TEXT.encode().replace(b"\n", newline))
    edit(path, [Set("twitch.client_id", "xyz"), Set("twitch.transport", "conduit")], {})
    wanted = TEXT.replace('"abc" # the id\n', '"xyz" # the id\ntransport = "conduit"\n')
    assert path.read_bytes() == mark + wanted.encode().replace(b"\n", newline)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("pasted", ["\n", "\r\n"])
def test_another_text_takes_mark_and_line_ends_of_the_file(
    path: Path, mark: bytes, newline: bytes, pasted: str
) -> None:
    path.write_bytes(mark + TEXT.encode().replace(b"\n", newline))
    file = ConfigFile(path, {}, whole=True)
    file.replace(TEXT.replace("abc", "xyz").replace("\n", pasted))
    file.save()
    assert path.read_bytes() == mark + TEXT.replace("abc", "xyz").encode().replace(b"\n", newline)


def test_a_result_that_could_not_be_used_is_not_written(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        edit(path, [Set("server.port", -1), Remove("destinations.friends")], {})
    assert len(caught.value.problems) == 2
    assert path.read_text() == TEXT
    assert not path.with_name("config.toml.bak").exists()


def test_the_backup_is_the_last_good_file_not_just_the_last(path: Path) -> None:
    edit(path, [Set("server.port", 99)], {})
    good = path.read_text()
    edit(path, [Set("server.port", 98)], {})
    path.write_text(path.read_text().replace("98", "-98"))
    edit(path, [Set("server.port", 97)], {})
    assert load(path, {}).config.server.port == 97
    assert path.with_name("config.toml.bak").read_text() == good


def test_a_change_by_someone_else_is_never_lost(path: Path) -> None:
    file = ConfigFile(path, {})
    file.set("server.port", 99)
    path.write_text(TEXT + "# by hand\n")
    with pytest.raises(ConfigChangedError, match="changed by someone else"):
        file.save()
    assert path.read_text() == TEXT + "# by hand\n"
    path.unlink()
    with pytest.raises(ConfigChangedError):
        file.save()
    assert not path.exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    file = ConfigFile(path, {})
    file.set("server.port", 99)
    path.touch()
    with pytest.raises(ConfigChangedError):
        file.save()
    assert path.read_bytes() == b""


def test_one_may_save_again_after_saving(path: Path) -> None:
    file = ConfigFile(path, {})
    for port in (1, 2, 3):
        file.set("server.port", port)
        assert file.save().config.server.port == port
    assert load(path, {}).config.server.port == 3


def test_nothing_changed_is_nothing_written(path: Path) -> None:
    before = path.stat().st_mtime_ns, path.stat().st_ino
    file = ConfigFile(path, {})
    file.set("twitch.client_id", "abc")
    file.save()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    ("victim", "count"),
    [("os.fsync", 1), ("os.fsync", 2), ("os.fsync", 3), ("pathlib.Path.replace", 1), ("pathlib.Path.replace", 2)],
)
def test_killed_in_the_middle_the_file_is_whole(path: Path, victim: str, count: int) -> None:
    script = (
        "import os, pathlib, sys\n"
        "from itsjustintv_desktop.engine.config import save\n"
        f"real, calls = {victim}, []\n"
        "def dying(*args):\n"
        "    calls.append(args)\n"
        f"    return os._exit(9) if len(calls) == {count} else real(*args)\n"
        f"{victim} = dying\n"
        "save.edit(pathlib.Path(sys.argv[1]), [save.Set('server.port', 99)], {})\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, timeout=30, check=False)
    assert run.returncode == 9, run.stderr
    assert path.read_text() == TEXT
    leftovers = list(path.parent.glob(".config.toml*.new"))
    assert leftovers or (victim, count) == ("os.fsync", 2)  # that one is between the backup and the file
    for leftover in leftovers:
        os.utime(leftover, (time.time() - 7200,) * 2)
    edit(path, [Set("server.port", 98)], {})
    assert not list(path.parent.glob(".config.toml*.new"))
    assert load(path, {}).config.server.port == 98


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "config.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    edit(link, [Set("server.port", 99)], {})
    assert link.is_symlink()
    assert load(path, {}).config.server.port == 99


@pytest.mark.skipif(sys.platform == "win32", reason="a folder over the backup fails differently on Windows")
def test_what_cannot_be_written_is_said(path: Path) -> None:
    path.with_name("config.toml.bak").mkdir()
    with pytest.raises(ConfigSaveError, match="could not be saved"):
        edit(path, [Set("server.port", 99)], {})
    assert path.read_text() == TEXT
    assert not list(path.parent.glob(".config.toml*.new"))


def test_a_secret_that_moved_away_leaves_no_copy(path: Path) -> None:
    edit(path, [Set("twitch.client_secret", "hunter2")], {})
    file = ConfigFile(path, {})
    file.remove("twitch.client_secret")
    file.save(forget_backup=True)
    assert all(b"hunter2" not in entry.read_bytes() for entry in path.parent.iterdir())


def test_paths_by_the_names_of_the_schema_find_what_the_file_says(path: Path) -> None:
    changes = {"target_webhook_url": "https://example.com/new", "enabled": False}
    edit(path, [Set(("streamers", "second one"), changes)], {})
    wanted = 'login = "second"\nwebhook_url = "https://example.com/new"\nenabled = false\n'
    assert f'[streamers.twitch."second one"]\n{wanted}' in path.read_text()
    assert list(load(path, {}).config.streamers) == ["first", "second one"]


def test_listed_secrets_can_be_replaced_by_their_dotted_key(path: Path) -> None:
    path.write_text(TEXT.replace("https://example.com/second", "https://discord.com/api/webhooks/1/t"))
    (key,) = load(path, {}).secrets_in_clear
    assert key == 'streamers.twitch."second one".webhook_url'
    edit(path, [Set(key, "@keyring")], {})
    assert load(path, {}).config.streamers["second one"].target_webhook_url == "@keyring"
    assert load(path, {}).secrets_in_clear == ()


def test_renaming_a_destination_takes_those_who_name_it_along(path: Path) -> None:
    loaded = edit(path, [Rename("destinations.friends", "dear friends")], {})
    assert path.read_text() == TEXT.replace("[destinations.friends]", '[destinations."dear friends"]').replace(
        '["friends"]', '["dear friends"]'
    )
    assert loaded.config.streamers["first"].destinations == ("dear friends",)


def test_renaming_a_streamer_goes_on_watching_the_same_channel(path: Path) -> None:
    loaded = edit(path, [Rename("streamers.first", "uno"), Rename(("streamers", "second one"), "due")], {})
    assert {key: one.login for key, one in loaded.config.streamers.items()} == {"uno": "first", "due": "second"}
    assert "[streamers.twitch.due]" in path.read_text()


def test_renaming_a_streamer_others_send_to(path: Path) -> None:
    path.write_text(TEXT.replace('["friends"]', '["friends", "second one"]'))
    loaded = edit(path, [Rename(("streamers", "second one"), "due")], {})
    assert loaded.config.streamers["first"].destinations == ("friends", "due")


def test_renaming_a_streamer_leaves_a_destination_of_the_same_name_alone(path: Path) -> None:
    path.write_text(TEXT.replace("[streamers.first]", "[streamers.friends]"))
    loaded = edit(path, [Rename("streamers.friends", "uno")], {})
    assert loaded.config.streamers["uno"].destinations == ("friends",)


def test_destinations_given_to_another(path: Path) -> None:
    path.write_text(
        f"{TEXT}[destinations.other]\nurl = 'https://example.com/'\n".replace(
            "webhook_url", "destinations = ['friends', 'other']\ntarget_webhook_url"
        )
    )
    loaded = edit(path, [Redirect("friends", "second one")], {})
    assert {key: one.destinations for key, one in loaded.config.streamers.items()} == {
        "first": ("second one",),
        "second one": ("second one", "other"),
    }
    loaded = edit(path, [Redirect("second one", None)], {})
    assert [one.destinations for one in loaded.config.streamers.values()] == [(), ("other",)]


STANDS_AT = """\
[streamers.zoe]
[streamers.first]
[streamers.twitch]
enabled = true
[streamers.twitch.login]
user_id = "3"
WEBHOOK_URL = "https://example.com/3"
[streamers.twitch.user_id]
login = "other"

[destinations.main]
URL = "https://example.com/main"
"""
"""Streamers that have the name of the platform, or of a key."""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        (("streamers", "zoe", "login"), "zed", "[streamers.zoe]\n", '[streamers.zoe]\nlogin = "zed"\n'),
        (("streamers", "first", "user_id"), "9", "[streamers.first]\n", '[streamers.first]\nuser_id = "9"\n'),
        (("streamers", "twitch", "login"), {"user_id": "4"}, 'user_id = "3"', 'user_id = "4"'),
        (("streamers", "login", "user_id"), "4", 'user_id = "3"', 'user_id = "4"'),
        (("streamers", "twitch", "login", "user_id"), "4", 'user_id = "3"', 'user_id = "4"'),
        (("streamers", "login", "target_webhook_url"), "https://example.com/4", "com/3", "com/4"),
        (("streamers", "twitch", "login", "target_webhook_url"), "https://example.com/4", "com/3", "com/4"),
        (("streamers", "twitch", "enabled"), False, "= true", "= false"),
        (("destinations", "main", "url"), "https://example.com/4", "com/main", "com/4"),
    ],
)
def test_a_path_means_what_stands_there(path: Path, key: tuple[str, ...], value: Value, old: str, new: str) -> None:
    path.write_text(STANDS_AT)
    file = ConfigFile(path, {})
    file.set(key, value)
    assert file.text == STANDS_AT.replace(old, new)


def test_what_a_path_holds(path: Path) -> None:
    path.write_text(STANDS_AT)
    file = ConfigFile(path, {})
    assert file.get("streamers.twitch")["login"]["user_id"] == "3"
    assert file.get("streamers.twitch.login") == file.get("streamers.login")
    assert file.get("streamers.twitch.login")["user_id"] == "3"
    assert file.get("destinations.main.url") == "https://example.com/main"
    assert [file.get(key) for key in ("streamers.no", "destinations.no.url", "server.port", "server")] == [None] * 4


def test_adding_and_removing(path: Path) -> None:
    changes: list[Change] = [
        Set("streamers.new", {"user_id": "12", "tag_filter": ["a"], "destinations": ["x"]}),
        Set("destinations.x", {"url": "https://example.com/", "headers": {"X-A": "b"}, "timeout": "5s"}),
        Remove("streamers.first"),
        Remove(("streamers", "second one")),
    ]
    config = edit(path, changes, {}).config
    assert list(config.streamers) == ["new"]
    assert config.streamers["new"].user_id == "12"
    assert config.destinations["x"].headers == {"X-A": "b"}
    assert config.destinations["x"].timeout == 5.0
    assert "# mine" in path.read_text()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Rename("streamers.nobody", "x"), "There is no streamers.nobody"),
        (Rename("streamers.first", "second one"), 'There is a streamers."second one" already; choose another name'),
        (AddTables("streamers", {"x": {}, "twitch": {}, "first": {}}), "There is a streamers.first already; choose"),
        (Rename("streamers.first", " "), "the name is empty"),
        (Rename("server", "x"), "Only streamers and destinations"),
        (Set("twitch.client_id.x", 1), "twitch.client_id is not a table"),
    ],
)
def test_changes_that_make_no_sense(path: Path, change: Change, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        edit(path, [change], {})
    assert path.read_text() == TEXT


def test_a_file_that_is_no_toml_is_left_alone(path: Path) -> None:
    path.write_text("[server\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        ConfigFile(path, {})


def test_the_environment_counts_when_the_result_is_checked(path: Path) -> None:
    text = TEXT.replace('"friends"', '"elsewhere"')
    path.write_text(text)
    environ = {"ITSJUSTINTV_DESTINATIONS_ELSEWHERE_URL": "https://example.com/"}
    assert edit(path, [Set("server.port", 1)], environ).config.server.port == 1
    with pytest.raises(ConfigError, match="there is no destination"):
        edit(path, [Set("server.port", 2)], {})


def test_a_new_account_gets_every_folder_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "itsjustintv" / "desktop" / "config.toml"
    edit(path, [Set(("streamers", "shroud", "login"), "shroud")], {})
    assert path.is_file()
    if sys.platform != "win32":
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_destination_written_inline_keeps_its_address(path: Path) -> None:
    path.write_text('[destinations]\na = {url = "https://example.org/a", format = "json"}\n')
    loaded = edit(path, [Set(("destinations", "a"), {"enabled": False})], {})
    assert loaded.config.destinations["a"].url == "https://example.org/a"
    assert not loaded.config.destinations["a"].enabled
