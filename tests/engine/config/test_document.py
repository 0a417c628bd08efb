"""Editing a text in place: the change is there, and nothing else is different."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.document import TomlDocument
from itsjustintv_desktop.engine.config.notation import Path, Value, dotted, encode
from itsjustintv_desktop.engine.config.sections import Section, Sections

TEXT = """\
# The config of a friend.

[server]   # where we listen
port = 8080     # not 80
listen_addr = '127.0.0.1'
# end of the server

# About tags: this one is picky.
[streamers.first]
login = "first" # the first
tag_filter = [ # only these
  "English", # one
  "Deutsch",
]

[output]
enabled = true

# The second.
[streamers."second one"]
login = "second"
# the end
"""


def edited(text: str, path: Path, value: Value) -> str:
    toml = TomlDocument(text)
    toml.set(path, value)
    return toml.text


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n")], ids=["lf", "crlf"])
class TestOnlyWhatIsMeantChanges:
    @pytest.mark.parametrize(
        ("path", "value", "old", "new"),
        [
            (("server", "port"), 9000, "port = 8080  ", "port = 9000  "),
            (("server", "listen_addr"), 'a"b', "'127.0.0.1'", '"a\\"b"'),
            (("output", "enabled"), False, "enabled = true", "enabled = false"),
            (("streamers", "second one", "login"), "x", '"second"', '"x"'),
            (("server", "external_domain"), "x.com", "'127.0.0.1'\n", "'127.0.0.1'\nexternal_domain = \"x.com\"\n"),
            (("output", "max_lines"), 3, "enabled = true\n", "enabled = true\nmax_lines = 3\n"),
            (("server", "tls", "enabled"), True, "'127.0.0.1'\n", "'127.0.0.1'\n\n[server.tls]\nenabled = true\n"),
            (
                ("streamers", "third", "login"),
                "third",
                'login = "second"\n',
                'login = "second"\n\n[streamers.third]\nlogin = "third"\n',
            ),
            (("retry", "jitter"), 0.5, "# the end\n", "# the end\n\n[retry]\njitter = 0.5\n"),
            (("top",), 1, "# The config", "top = 1\n\n# The config"),
            (
                ("streamers", "first", "tag_filter"),
                ["x", "y"],
                TEXT[TEXT.index("[ #") : TEXT.index("]\n\n[out") + 1],
                '["x", "y"]',
            ),
        ],
    )
    def test_set(self, text: str, path: Path, value: Value, old: str, new: str) -> None:
        assert TEXT.count(old) == 1
        wanted = TEXT.replace(old, new)
        assert edited(text, path, value) == (wanted.replace("\n", "\r\n") if "\r" in text else wanted)

    @pytest.mark.parametrize(
        ("path", "gone"),
        [
            (("server", "port"), "port = 8080     # not 80\n"),
            (("streamers", "first", "tag_filter"), TEXT[TEXT.index("tag_filter") : TEXT.index("\n[out")]),
            (("streamers", "second one"), '[streamers."second one"]\nlogin = "second"\n'),
            (("output",), "[output]\nenabled = true\n\n"),
        ],
    )
    def test_remove(self, text: str, path: Path, gone: str) -> None:
        toml = TomlDocument(text)
        assert toml.remove(path)
        wanted = TEXT.replace(gone, "")
        assert toml.text == (wanted.replace("\n", "\r\n") if "\r" in text else wanted)

    def test_rename(self, text: str) -> None:
        toml = TomlDocument(text)
        toml.rename(("streamers", "first"), "the first")
        wanted = TEXT.replace("[streamers.first]", '[streamers."the first"]')
        assert toml.text == (wanted.replace("\n", "\r\n") if "\r" in text else wanted)


@pytest.mark.parametrize(
    ("text", "path", "wanted"),
    [
        ("\n  x = 1\n", ("y",), "\n  x = 1\n  y = 2\n"),
        ("\n\tx = 1\n", ("y",), "\n\tx = 1\n\ty = 2\n"),
        ("  x = 1\n", ("y",), "  x = 1\n  y = 2\n"),
        ("x = 1\n  z = 1", ("y",), "x = 1\n  z = 1\n  y = 2"),
        ("[a]\n\n    x = 1\n[b]\n", ("a", "y"), "[a]\n\n    x = 1\n    y = 2\n[b]\n"),
        ("x = 1\t\n", ("y",), "x = 1\t\ny = 2\n"),
        ("x = 1 \n", ("y",), "x = 1 \ny = 2\n"),
        ("x = 1 # a\t\n[b]\n", ("y",), "x = 1 # a\t\ny = 2\n[b]\n"),
        ("x = 1\t\r\n", ("y",), "x = 1\t\r\ny = 2\r\n"),
        ("[a]\t\n[b]", ("a", "y"), "[a]\t\ny = 2\n[b]"),
        ("[a]\t", ("a", "y"), "[a]\t\ny = 2"),
    ],
)
def test_a_new_key_takes_the_indent_of_the_one_above(text: str, path: Path, wanted: str) -> None:
    assert edited(text, path, 2) == wanted


def test_what_is_not_there_is_not_removed() -> None:
    toml = TomlDocument(TEXT)
    assert not toml.remove(("server", "nothing"))
    assert toml.text == TEXT


def test_a_text_in_a_list_is_replaced_with_its_comments_kept() -> None:
    toml = TomlDocument(TEXT)
    toml.replace_in_lists([("streamers", "first", "tag_filter")], "English", "Español")
    assert toml.text == TEXT.replace('"English"', '"Español"')


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("", ("a", "b"), 1),
        ("x = 1", ("y",), 2),
        ("x = 1", ("a", "b", "c"), 2),
        ("[a]\n[b]", ("a", "x"), 1),
        ("[a.b]\nx = 1\n[c]\n", ("a", "y"), 2),
        ("[a.b]\nx = 1\n[c]\n", ("a", "c", "d"), 2),
        ("a = { b = 1 }\n[c]", ("a", "d"), 2),
        ("a = { b = { c = 1 } }\n[c]", ("a", "b", "d"), {"x": 1}),
        ("a = {}", ("a", "b", "c"), "x"),
        ("a.b = 1\nc = 2", ("a", "d"), 3),
        ("a.b.c = 1\n", ("a", "d"), 3),
        ("[s]\na.l = 'x'\n", ("s", "a", "m"), 3),
        ("[s]\na.l = 'x'\n", ("s", "b", "m"), 3),
        ("[a]\nx = 1 # no line break at the end", ("a", "y"), 2),
        ("[a]\nx = 1", ("b",), {"c": {"d": 1}, "e": []}),
        ('["a.b"."c d"]\nx = 1\n', ("a.b", "c d", "é\n"), "é\x7f\n"),
    ],
)
def test_unusual_layouts(text: str, path: Path, value: Value) -> None:
    data = tomllib.loads(edited(text, path, value))
    for part in path:
        data = data[part]
    assert data == value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a = { b = 1, c = 2 }", ("a", "b")),
        ("a.b = 1\na.c = 2", ("a", "b")),
        ("[a]\n[a.b]\nx = 1\n[c]\n[a.b.d]\n", ("a", "b")),
        ("[s]\na.l = 1\na.m = 2\nb.l = 1\n", ("s", "a")),
    ],
)
def test_removing_from_unusual_layouts(text: str, path: Path) -> None:
    toml = TomlDocument(text)
    assert toml.remove(path)
    assert toml.get(path) is None
    assert toml.get(path[:-1]) is not None


@pytest.mark.parametrize(
    "text",
    [
        "[s.a]\nx = 1\n[o]\n[s.a.b]\ny = 2",
        "s.a.x = 1\ns.a.b.y = 2",
        "[s]\na = { x = 1, b = { y = 2 } }",
        "[s]\na.x = 1\na.b.y = 2",
    ],
)
def test_renaming_in_unusual_layouts(text: str) -> None:
    toml = TomlDocument(text)
    toml.rename(("s", "a"), "new name")
    assert toml.get(("s",)) == {"new name": {"x": 1, "b": {"y": 2}}}


def test_impossible_changes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"server\.port is not a table"):
        TomlDocument(TEXT).set(("server", "port", "x"), 1)
    with pytest.raises(ValueError, match="is there already"):
        TomlDocument("[a.b]\n[a.c]\nx = 1").rename(("a", "b"), "c")
    with pytest.raises(ValueError, match="is not a table"):
        TomlDocument("[[a]]\nx = 1\n").set(("a", "x"), 2)


names = st.sampled_from(["login", "port", "a b", "url", "tag_filter", "x.y", "é"])
scalars: st.SearchStrategy[Any] = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.integers(-5, 99999),
    st.booleans(),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=3), max_size=2),
)
comments = st.sampled_from(["", "# a comment", "  # [not.a.table]", '# x = "1', ""])
headers = st.lists(
    st.tuples(st.sampled_from(["server", "streamers", "destinations"]), names), unique=True, min_size=1, max_size=4
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for header in draw(headers):
        lines += draw(st.lists(comments, max_size=2))
        lines.append(f"[{dotted(header)}] {draw(comments)}")
        for name, value in draw(st.dictionaries(names, scalars, max_size=3)).items():
            lines += draw(st.lists(comments, max_size=1))
            lines.append(f"{draw(st.sampled_from(['', '  ']))}{dotted((name,))} = {encode(value)} {draw(comments)}")
    lines += draw(st.lists(comments, max_size=2))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))


def is_subsequence(short: list[str], long: list[str]) -> bool:
    rest = iter(long)
    return all(line in rest for line in short)


def expected(text: str, path: Path, value: Value | None) -> dict[str, Any]:
    data = tomllib.loads(text)
    table = data
    for part in path[:-1]:
        table = table.setdefault(part, {})
    if value is None:
        table.pop(path[-1], None)
    else:
        table[path[-1]] = value
    return data


@given(texts(), st.sampled_from(["server", "streamers", "new"]), names, names, scalars)
def test_setting_keeps_every_other_line(text: str, top: str, table: str, key: str, value: Any) -> None:
    toml = TomlDocument(text)
    present = toml.get((top, table, key)) is not None
    toml.set((top, table, key), value)
    assert toml.data == expected(text, (top, table, key), value)
    before, after = text.split("\n"), toml.text.split("\n")
    if present:
        assert len(before) == len(after)
        assert sum(old != new for old, new in zip(before, after, strict=True)) <= 1
    else:
        assert is_subsequence([line for line in before if line.strip()], after)
        assert sum(bool(line.strip()) for line in after) - sum(bool(line.strip()) for line in before) <= 2


@given(texts(), st.sampled_from(["server", "streamers"]), names, st.one_of(st.none(), names))
def test_removing_takes_only_its_own_lines(text: str, top: str, table: str, key: str | None) -> None:
    path = (top, table) if key is None else (top, table, key)
    toml = TomlDocument(text)
    there = toml.get(path) is not None
    assert toml.remove(path) == there
    if not there:
        assert toml.text == text
        return
    assert toml.get(path) is None
    assert is_subsequence(toml.text.splitlines(), text.splitlines())
    if key is not None:
        assert len(text.split("\n")) - len(toml.text.split("\n")) <= 1


@given(texts(), st.sampled_from(["server", "streamers"]), names, st.text(st.characters(codec="utf-8"), max_size=5))
def test_renaming_changes_headings_alone(text: str, top: str, table: str, name: str) -> None:
    toml = TomlDocument(text)
    content = toml.get((top, table))
    if content is None or toml.get((top, name)) is not None:
        return
    toml.rename((top, table), name)
    assert toml.get((top, name)) == content
    changed = [(old, new) for old, new in zip(text.split("\n"), toml.text.split("\n"), strict=True) if old != new]
    assert all(old.startswith("[") and new.startswith("[") for old, new in changed)


@pytest.mark.parametrize(
    ("text", "path", "value", "wanted"),
    [
        (
            'a = {url = "u", format = "json"}\n',
            ("a",),
            {"enabled": False},
            {"url": "u", "format": "json", "enabled": False},
        ),
        ('[x]\na = {url = "u"}\n', ("x", "a"), {"url": "v"}, {"url": "v"}),
        ('x = {a = {url = "u", b = {c = 1}}}\n', ("x", "a"), {"b": {"d": 2}}, {"url": "u", "b": {"c": 1, "d": 2}}),
        ('a = {url = "u"}\n', ("a",), {}, {"url": "u"}),
        ("x = {}\n", ("x", "a"), {"url": "u"}, {"url": "u"}),
        ("x = {}\n", ("x", "a"), {}, {}),
        ('[a]\nurl = "u"\n', ("a",), {"enabled": False}, {"url": "u", "enabled": False}),
        ('a.url = "u"\n', ("a",), {"enabled": False}, {"url": "u", "enabled": False}),
        ("a = 1\n", ("a",), {"url": "u"}, {"url": "u"}),
    ],
)
def test_a_table_keeps_the_keys_it_is_not_given(text: str, path: Path, value: dict[str, Any], wanted: object) -> None:
    made = TomlDocument(text)
    made.set(path, value)
    assert made.get(path) == wanted


def test_a_key_deep_below_its_heading_is_renamed() -> None:
    for text, wanted in (
        ("[a]\nb.c.d = 1 # one\n", "[a]\nb.c.new = 1 # one\n"),
        ("[a.b]\nc.d = 1\n", "[a.b]\nc.new = 1\n"),
        ("[a.b.c]\nd.e = 1\n[a.b.c.d.f]\n", "[a.b.c]\nnew.e = 1\n[a.b.c.new.f]\n"),
    ):
        toml = TomlDocument(text)
        toml.rename(("a", "b", "c", "d"), "new")
        assert toml.text == wanted


@pytest.mark.parametrize(
    "change",
    [
        lambda toml: toml.set(("a", "x"), 2),
        lambda toml: toml.set(("a", "z"), 2),
        lambda toml: toml.remove(("a", "x")),
        lambda toml: toml.rename(("a",), "new"),
    ],
    ids=["set", "added", "removed", "renamed"],
)
def test_a_text_that_comes_out_otherwise_than_meant_is_refused(
    change: Callable[[TomlDocument], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever layout was not thought of: what is not exactly the change that was asked for is never saved."""
    as_string = Section.as_string
    monkeypatch.setattr(Section, "as_string", lambda section: as_string(section).replace("y = 1", "y = 9"))
    monkeypatch.setattr(Sections, "check", lambda *_: None)
    document = TomlDocument("[a]\nx = 1\n[b]\ny = 1\n")
    with pytest.raises(ValueError, match=r"could not be (changed|renamed); edit the file by hand"):
        change(document)
    assert document.text == "[a]\nx = 1\n[b]\ny = 1\n"
