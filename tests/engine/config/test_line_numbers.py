"""The line of every key of a TOML text."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.line_numbers import LineNumbers
from itsjustintv_desktop.engine.config.notation import Path, dotted, encode

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
    assert LineNumbers(TEXT).of(path) == line


def test_quotes_at_the_end_of_a_long_text_belong_to_it() -> None:
    text = 'a = """x"""""\nb = \'\'\'y\'\'\'\'\nc = 1\n'
    assert tomllib.loads(text) == {"a": 'x""', "b": "y'", "c": 1}
    lines = LineNumbers(text)
    assert [lines.of((name,)) for name in "abc"] == [1, 2, 3]


def test_windows_line_ends_count_once() -> None:
    assert LineNumbers(TEXT.replace("\n", "\r\n")).of(("list", "n")) == 20


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
    lines_of = LineNumbers(text)
    for number, name in enumerate(top, 1):
        assert lines_of.has((name,))
        assert lines_of.of((name,)) == number
    for number, name in enumerate(below, len(top) + 2):
        assert lines_of.has(("the table", name))
        assert lines_of.of(("the table", name)) == number
    assert not lines_of.has(("the table", "absent"))
