"""docs/troubleshooting.md quotes the program: every sentence in bold quotes is one that the code can say."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core import errors

ROOT = Path(__file__).parents[2]
PAGE = " ".join((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8").split())
QUOTED = re.findall(r"\*\*\"(.+?)\"\*\*", PAGE)
ANYTHING = "\0"


@cache
def said() -> list[str]:
    """Every text in the program, with ANYTHING where a value is filled in."""
    found: list[str] = []
    for file in sorted((ROOT / "itsjustintv_desktop").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.append("".join(p.value if isinstance(p, ast.Constant) else ANYTHING for p in node.values))  # type: ignore[misc]
    return found


def can_say(quote: str) -> bool:
    """Whether one text of the program holds the pieces of a quote in order; `...` stands for anything."""
    pieces = [piece.strip() for piece in re.split(r"\.\.\.(?!\.)", quote.replace("....", "...\1"))]
    pattern = ".*".join(re.escape(piece.replace("\1", ".")) for piece in pieces)
    return any(re.search(pattern, text, re.DOTALL) for text in said())


def test_there_are_quotes() -> None:
    assert len(QUOTED) > 50


@pytest.mark.parametrize("quote", sorted(set(QUOTED)))
def test_each_quoted_sentence_is_said_by_the_program(quote: str) -> None:
    assert can_say(quote)


def test_a_sentence_that_nobody_says_is_told() -> None:
    assert not can_say("The moon is in the way.")
    assert not can_say("The name ... is in the way of ...")
    assert can_say("Another ngrok agent already serves ...")


TITLED = [
    errors.AddressInUseError,
    errors.ConduitLimitError,
    errors.ConfigChangedError,
    errors.ControlError,
    errors.LedgerUnavailableError,
    errors.SecretsAbsentError,
    errors.SecretsLockedError,
    errors.SubscriptionLimitError,
    errors.TwitchAuthError,
    errors.TwitchNoClientError,
    errors.VaultDamagedError,
    errors.WrongPassphraseError,
]


@pytest.mark.parametrize("error", TITLED)
def test_titles_that_people_search_for_are_there(error: type[errors.AppError]) -> None:
    assert f'**"{error.title}"**' in PAGE
