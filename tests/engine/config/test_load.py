"""Files as they come: marks, line ends, encodings, missing, broken, large."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.load import Loaded, load, parse
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import ConfigError


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return caught.value.problems


def test_a_missing_file_is_an_empty_config_with_a_notice(tmp_path: Path) -> None:
    loaded = load(tmp_path / "config.toml", {"ITSJUSTINTV_SERVER_PORT": "99"})
    assert loaded.config.server.port == 99
    assert len(loaded.notices) == 1
    assert "there is no such file" in loaded.notices[0]
    assert loaded.digest == ""


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    assert load(path, {}).config == Config()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_marks_and_line_ends_do_not_matter(tmp_path: Path, mark: bytes, newline: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(mark + newline.join([b"[server]", b"port = 81", b"prot = 1", b""]))
    loaded = load(path, {})
    assert loaded.config.server.port == 81
    assert loaded.warnings[0].startswith(f"{path}:3: ")


def test_the_digest_changes_with_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    digests = set()
    for content in (b"", b"# a", b"# b", b"\xef\xbb\xbf# b"):
        path.write_bytes(content)
        digests.add(load(path, {}).digest)
        assert load(path, {}).digest == load(path, {}).digest
    assert len(digests) == 4


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes("[server]\n# café".encode("latin-1"))
    assert problems_of(path) == [f"{path}:2: there is a character that is not UTF-8; save the file as UTF-8"]
    path.write_bytes("[server]".encode("utf-16"))
    assert problems_of(path) == [f"{path}: it is UTF-16; save it as UTF-8"]


def test_a_folder_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    assert str(tmp_path / "config.toml") in problems_of(tmp_path)[0]
    path = tmp_path / "config.toml"
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    assert "larger than 16 MiB" in problems_of(path)[0]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are those of POSIX")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.symlink_to(path)
    assert "it cannot be read: it is a symbolic link" in problems_of(path)[0]


@pytest.mark.parametrize(
    ("text", "start", "sentence"),
    [
        ('[server]\nlisten_addr = "127.0.0.1\nport = 1', "c:2: column ", "a quote is missing"),
        ("[server]\n\nlisten_addr = localhost", "c:3: column 15: ", "texts need quotes"),
        ("[server]\nport = 1\n[server]", "c:3: column ", "the same key or table is there twice"),
        ("[server]\nport = 1\nport = 2", "c:3: ", "the same key or table is there twice"),
        ("[server\nport = 1", "c:1: column ", "needs a ] at its end"),
        ("[server]\nport 1", "c:2: column ", "write key = value"),
        ('[output]\nfile_path = "C:\\Users\\me"', "c:2: column ", r"write a backslash as \\"),
        ("[server.tls]\ndomains = [\n  'a',\n", "c:3: ", "the file ends too early"),
        ("x = " + "[" * 10_000, "c: ", "nested too deep"),
        ('x = 1 "https://a/SECRET"', "c:1: column ", "not valid TOML"),
        ("[server\nport = 1", "c:1: column ", "expected ']' at the end of a table declaration"),
        ("[server]\nport 1", "c:2: column ", "expected '=' after a key"),
        (
            "[streamers.a]\nlogin = “SECRET”",
            "c:2: column 9: ",
            'curly quotes such as “ ” are none to TOML: write the plain "',
        ),
        ('[streamers.a]\nlogin = "SECRET”\n', "c:2: column ", "curly quotes"),
        ("“SECRET” = 1", "c:1: column 1: ", "curly quotes"),
        ('x = "say “hi”" SECRET', "c:1: column ", "look for a missing quote"),
    ],
)
def test_what_is_not_toml_is_told_by_line_and_column(text: str, start: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, file="c", environ={})
    (problem,) = caught.value.problems
    assert problem.startswith(start)
    assert sentence in problem
    assert "SECRET" not in problem


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_a_config_or_a_config_error(text: str) -> None:
    try:
        assert isinstance(parse(text, file="c", environ={}), Loaded)
    except ConfigError as error:
        assert error.problems  # noqa: PT017 - either outcome is right


keys = st.sampled_from(
    ["server", "port", "tls", "streamers", "twitch", "a", "url", "destinations", "headers", "login", "secret"]
)
junk = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("@keyring")),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(keys, junk, max_size=4))
def test_any_data_is_a_config_or_a_config_error(data: dict[str, object]) -> None:
    import tomlkit

    try:
        parse(tomlkit.dumps(data), file="c", environ={})
    except ConfigError as error:
        assert all(problem.startswith("c:") for problem in error.problems)  # noqa: PT017


def test_a_thousand_streamers_need_neither_tomlkit_nor_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    rows = [f'[streamers.s{n}]\nlogin = "login_{n}"\ntag_filter = ["English"]\n' for n in range(1000)]
    path.write_text('[destinations.d]\nurl = "https://example.com/"\n' + "\n".join(rows), encoding="utf-8")
    script = (
        "import sys, pathlib\n"
        "from itsjustintv_desktop.engine.config.line_numbers import LineNumbers\n"
        "def broken(self, text): raise SystemExit('lines were counted')\n"
        "LineNumbers.__init__ = broken\n"
        "from itsjustintv_desktop.engine.config.load import load\n"
        "loaded = load(pathlib.Path(sys.argv[1]), {})\n"
        "heavy = {'tomlkit', 'difflib', 'aiohttp', 'asyncio', 'structlog'} & set(sys.modules)\n"
        "print(len(loaded.config.streamers), sorted(heavy))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (run.stdout.strip(), run.stderr) == ("1000 []", "")
