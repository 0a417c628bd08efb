"""The link check: true pages pass, and each kind of broken link is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import links


def test_every_link_of_the_docs_leads_somewhere_and_every_page_is_found() -> None:
    assert links.faults() == []
    assert len(links.pages(links.ROOT)) > 25


def written(root: Path, **pages: str) -> list[str]:
    (root / "docs").mkdir(exist_ok=True)
    (root / "picture.png").touch()
    for name, text in pages.items():
        (root / ("README.md" if name == "readme" else f"docs/{name}.md")).write_text(text, encoding="utf-8")
    return links.faults(root)


def test_pages_headings_and_pictures_that_exist_are_no_fault(tmp_path: Path) -> None:
    readme = "[a](docs/a.md) [b](docs/a.md#two-words) ![p](picture.png) [here](#it-is) <https://x.y>\n# It is!\n"
    assert written(tmp_path, readme=readme, a="## `Two` words\n[up](../README.md)") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a](docs/gone.md)", "docs/gone.md does not exist"),
        ("![a](gone.png)", "gone.png does not exist"),
        ("[![a](gone.png)](picture.png)", "gone.png does not exist"),
        ('<img src="gone.png">', "gone.png does not exist"),
        ("[a](#nothing)", "#nothing names no heading of README.md"),
        ("[a](docs/a.md#nothing)", "docs/a.md#nothing names no heading of a.md"),
        ("[a](../elsewhere.md)", "../elsewhere.md does not exist"),
        ("[a](..)", ".. lies outside of the repository"),
    ],
)
def test_what_leads_nowhere_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert f"README.md: {told}" in written(tmp_path, readme=f"{text} [a](docs/a.md)", a="# A")


def test_a_page_that_nobody_finds_is_told(tmp_path: Path) -> None:
    assert written(tmp_path, readme="# x", a="[b](b.md)", b="[a](a.md)") == [
        "docs/a.md: no way leads there from README.md",
        "docs/b.md: no way leads there from README.md",
    ]


def test_code_holds_no_links() -> None:
    assert list(links.links("`[a](b)`\n```\n[c](d)\n```\n[e](f)\n")) == ["f"]


def test_headings_are_named_as_on_the_forge() -> None:
    text = "# What `a` is: *yes*, b & c\n## Same\n## Same\n```\n# no heading\n```\n### [x](y) 3.1\n"
    assert links.anchors(text) == {"what-a-is-yes-b--c", "same", "same-1", "x-31"}
