"""Editing a text whatever its layout: line ends, order of tables, dotted keys, inline tables, arrays of tables."""

from __future__ import annotations

import tomllib
from typing import Any
from unittest.mock import Mock

import pytest
import tomlkit
from hypothesis import assume, given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config import sections
from itsjustintv_desktop.engine.config.document import TomlDocument
from itsjustintv_desktop.engine.config.line_numbers import LineNumbers
from itsjustintv_desktop.engine.config.notation import Path, dotted

comments = st.sampled_from(["", "# a comment", "  # [not.a.table]", '# x = "1'])


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("end", ["", "\n"], ids=["open", "closed"])
def test_every_line_ends_as_the_others_of_the_text_do(newline: str, end: str) -> None:
    text = "[server]\nport = 1\n[streamers.a]\nlogin = 'a'\n# The output.\n[output]\nenabled = true".replace(
        "\n", newline
    )
    document = TomlDocument(text + end.replace("\n", newline))
    document.set(("server", "tls", "enabled"), True)
    document.set(("output", "max_lines"), 3)
    document.add_tables(("streamers",), {"b": {"login": "b"}, "c": {}})
    document.set(("retry",), {"jitter": 0.5})
    document.set(("top",), "x")
    document.remove(("server", "port"))
    document.rename(("streamers", "a"), "z")
    assert document.text.count("\r") == (document.text.count("\n") if newline == "\r\n" else 0)
    assert "# The output.\n[output]\n" in document.text.replace("\r\n", "\n")
    assert document.text.replace("\r\n", "\n").endswith("[retry]\njitter = 0.5\n")


def test_a_new_table_does_not_take_the_comment_of_the_next() -> None:
    text = "[streamers.a]\nlogin = 'a'\n\n# About the output.\n[output]\n"
    document = TomlDocument(text)
    document.set(("streamers", "b", "login"), "b")
    new = '\n[streamers.b]\nlogin = "b"\n'
    assert document.text == text.replace("'a'\n", f"'a'\n{new}")


def test_tables_out_of_order_stay_where_they_are() -> None:
    text = "[s.a]\nx = 1\n\n[o]\n# of o\n\n[s.b]\nx = 2\n\n[s]\ny = 3\n# the end\n"
    document = TomlDocument(text)
    document.set(("s", "a", "z"), 4)
    document.set(("s", "w"), 5)
    document.set(("s", "c"), {"x": 6})
    document.rename(("s",), "t")
    assert document.text == (
        "[t.a]\nx = 1\nz = 4\n\n[o]\n# of o\n\n[t.b]\nx = 2\n\n[t]\ny = 3\nw = 5\n\n[t.c]\nx = 6\n# the end\n"
    )
    document.remove(("t", "b"))
    assert document.text.startswith("[t.a]\nx = 1\nz = 4\n\n[o]\n# of o\n\n[t]\n")


@pytest.mark.parametrize(
    "text",
    [
        "[[a]]\nx = 1\n[c]\ny = 1\n[a.b]\nz = 1\n",
        "  [s.t.a]\n  x = 1\n  [s.t.b]\n  x = 1\n[c]\ny = 1\n",
        "  [s.t.a]\n[s.t.b]\n[c]\n\ty = 1\n",
    ],
    ids=["array", "indented", "indented differently"],
)
def test_what_tomlkit_itself_would_give_back_otherwise_stays_as_it_is(text: str) -> None:
    assert tomlkit.dumps(tomlkit.parse(text)) != text
    document = TomlDocument(text)
    document.set(("c", "y"), 2)
    assert document.text == text.replace("y = 1", "y = 2")


def test_a_thousand_edits_take_the_text_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"# About {n}.\n[streamers.s{n}]\nlogin = 's{n}'\n\n" for n in range(1000)) + "[output]\n"
    numbered = Mock(wraps=LineNumbers)
    monkeypatch.setattr(sections, "LineNumbers", numbered)
    document = TomlDocument(text)
    document.set_many({("streamers", f"s{n}", "enabled"): False for n in range(1000)})
    document.add_tables(("streamers",), {f"new{n}": {"login": f"new{n}"} for n in range(1000)})
    document.remove_many([("streamers", f"s{n}") for n in range(1000)])
    assert numbered.call_count == 1
    assert list(document.data["streamers"]) == [f"new{n}" for n in range(1000)]
    assert [line for line in document.text.splitlines() if line.startswith("#")] == [
        f"# About {n}." for n in range(1000)
    ]


segments = st.sampled_from(["a", "b", "c d", "url"])
written_values = st.sampled_from(
    [
        "1",
        "'x'",
        "[]",
        "['a', 'b'] ",
        "[\n  'a', # one\n  'b',\n]",
        "{ q = 1 }",
        "{q = {r = 1}}",
        '"""\n[no.table]\n"""',
    ]
)


@st.composite
def odd_texts(draw: st.DrawFn) -> str:
    """Dotted keys, inline tables, tables out of order, arrays of tables, indents: whatever TOML allows."""
    lines: list[str] = []
    for header in [None, *draw(st.lists(st.lists(segments, min_size=1, max_size=3), max_size=5))]:
        lines += draw(st.lists(comments, max_size=2))
        if header is not None:
            opening, closing = draw(st.sampled_from([("[", "]"), ("[ ", " ]"), ("[[", "]]")]))
            indent, path = draw(st.sampled_from(["", "  "])), dotted(tuple(header))
            lines.append(f"{indent}{opening}{path}{closing}{draw(comments)}")
        for _ in range(draw(st.integers(0, 3))):
            lines += draw(st.lists(comments, max_size=1))
            key = dotted(tuple(draw(st.lists(segments, min_size=1, max_size=2))))
            lines.append(f"{draw(st.sampled_from(['', '  ']))}{key} = {draw(written_values)}{draw(comments)}")
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
    assume(is_toml(text))
    return draw(st.sampled_from([text, text.replace("\n", "\r\n")]))


def is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


some_paths = st.lists(segments, min_size=1, max_size=4).map(tuple)
some_values: st.SearchStrategy[Any] = st.sampled_from([7, "new", ["x", "y"], {"k": 1}, {"k": {"l": True}}, {}])


@given(odd_texts(), some_paths, some_values, st.sampled_from(["set", "remove", "rename"]))
def test_whatever_the_layout_a_change_is_what_was_meant_or_is_refused(
    text: str, path: Path, value: Any, change: str
) -> None:
    document = TomlDocument(text)
    before = document.get(path)
    try:
        match change:
            case "set":
                document.set(path, value)
            case "remove":
                assert document.remove(path) == (before is not None)
            case _:
                document.rename(path, "new one")
    except ValueError:
        assert document.text == text
        return
    assert tomllib.loads(document.text) == document.data
    after = document.get((*path[:-1], "new one") if change == "rename" else path)
    if change == "set" and isinstance(value, dict) and isinstance(before, dict):
        assert after == {**before, **after}
    else:
        assert after == (value if change == "set" else None if change == "remove" else before)
    if "\r\n" in text:
        assert document.text.count("\r\n") == document.text.count("\n")
    lines, now = text.splitlines(), document.text.splitlines()
    if change == "rename":
        assert len(lines) == len(now)
    elif change == "remove":
        assert len(now) <= len(lines)
    else:
        assert sum(line.lstrip().startswith("#") for line in now) == sum(
            line.lstrip().startswith("#") for line in lines
        )
