"""The outline of a TOML text: every key where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.edit import encode
from itsjustintv_desktop.engine.config.lines import Outline, Path, dotted, quoted, split

TEXT = '''# head
title = """
[not.a.table]
x = 1 ""\\"""" # five quotes at the end

[server] # the server
  port = 8080
"listen_addr" = '127.0.0.1' # [nor.this]
domains = [
  "a", # one
  "b]", { deep = 1 },
]
server-tls.enabled = true

[streamers."a b".'c.d']
login = "x"
when = 1979-05-27 07:32:00
inline = { one = 1, "two" = { three = [1, 2] } }
[[list]]
n = 1
[[list]]
n = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("server",), 6),
        (("server", "port"), 7),
        (("server", "listen_addr"), 8),
        (("server", "domains"), 9),
        (("server", "domains", "deep"), 11),
        (("server", "server-tls", "enabled"), 13),
        (("streamers", "a b", "c.d"), 15),
        (("streamers", "a b", "c.d", "when"), 17),
        (("streamers", "a b", "c.d", "inline", "two", "three"), 18),
        (("list",), 19),
        (("list", "n"), 20),
        (("streamers",), 15),
        (("server", "absent"), 6),
        (("absent", "absent"), None),
    ],
)
def test_lines(path: Path, line: int | None) -> None:
    assert Outline(TEXT).line_of(path) == line


def test_values_are_spanned_exactly() -> None:
    outline = Outline(TEXT)
    spans = {node.path: TEXT[slice(*node.value)] for node in outline.nodes if node.value}
    assert spans["server", "port"] == "8080"
    assert spans["server", "listen_addr"] == "'127.0.0.1'"
    assert spans["server", "domains"].startswith("[\n")
    assert spans["server", "domains"].endswith("]")
    assert spans["streamers", "a b", "c.d", "when"] == "1979-05-27 07:32:00"
    assert spans["title",].endswith('""\\""""')


def test_quotes_at_the_end_of_a_long_text_belong_to_it() -> None:
    text = 'a = """x"""""\nb = \'\'\'y\'\'\'\'\nc = 1\n'
    assert tomllib.loads(text) == {"a": 'x""', "b": "y'", "c": 1}
    assert [node.path for node in Outline(text).nodes] == [("a",), ("b",), ("c",)]


def test_windows_line_ends_count_once() -> None:
    assert Outline(TEXT.replace("\n", "\r\n")).line_of(("list", "n")) == 20


names = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=6)
scalars = st.one_of(st.text(st.characters(codec="utf-8"), max_size=8), st.integers(-99, 99), st.booleans())
contents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(names, contents, max_size=4), st.dictionaries(names, contents, max_size=4))
def test_every_value_is_found_whatever_it_holds(top: dict[str, Any], below: dict[str, Any]) -> None:
    lines = [f"{dotted((name,))} = {encode(value)} # ] }} \" '" for name, value in top.items()]
    lines += ['["the table"]', *(f"{dotted((name,))} = {encode(value)}" for name, value in below.items())]
    text = "\n".join(lines) + "\n"
    assume("the table" not in top)
    outline = Outline(text)
    for number, (name, value) in enumerate(top.items(), 1):
        node = outline.find((name,))
        assert node is not None
        assert node.value is not None
        assert tomllib.loads("x = " + text[slice(*node.value)])["x"] == value
        assert outline.line_of((name,)) == number
    for name, value in below.items():
        node = outline.find(("the table", name))
        assert node is not None
        assert node.value is not None
        assert tomllib.loads("x = " + text[slice(*node.value)])["x"] == value


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=4))
def test_dotted_keys_come_apart_again(parts: list[str]) -> None:
    assert split(dotted(tuple(parts))) == tuple(parts)


@given(st.text(st.characters(codec="utf-8")))
def test_quoting(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == text
