"""Gathers everything that is to be said about a config: all of it at once, each with its place.

No value of a secret or an address ever enters a sentence: whoever adds one sees to it (`fields.Field.hidden`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from itsjustintv_desktop.engine.config.line_numbers import LineNumbers
from itsjustintv_desktop.engine.config.notation import Path, dotted

_NAMED = frozenset({"streamers", "destinations"})
_KEY = re.compile(r"[^\s:]{0,40}")
SHORTEST_SECRET = 10
"""Characters: what Twitch asks of the secret of a subscription, at the least."""
_MIXED = re.compile(rf"(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{{{SHORTEST_SECRET},}}", re.IGNORECASE)
"""Letters and digits in one long run, as tokens are and words that belong into a config are not."""


class Mistake(Exception):  # noqa: N818 - not an error of the program: something a person wrote
    """What is wrong with a value and what would be right, without its place."""


@dataclass(frozen=True, slots=True)
class _Remark:
    path: Path
    sentence: str


@dataclass(frozen=True, slots=True)
class Placed:
    """One thing to say with its place: a line of the file (from 1), or the environment variable the value came from.

    `key` is dotted, "" where none is meant.
    """

    line: int | None
    variable: str
    key: str
    sentence: str


@dataclass
class Report:
    """`origins` says which environment variable a value came from, for those that didn't come from the file."""

    file: str
    text: str
    origins: dict[Path, str] = field(default_factory=dict)
    _errors: list[_Remark] = field(default_factory=list)
    _wrong: set[Path] = field(default_factory=set)
    _warnings: list[_Remark] = field(default_factory=list)
    _notices: list[_Remark] = field(default_factory=list)
    _loose: dict[str, list[Placed]] = field(default_factory=lambda: {"errors": [], "warnings": [], "notices": []})

    def error(self, path: Path, sentence: str) -> None:
        """The config cannot be used."""
        self._errors.append(_Remark(path, sentence))
        self._wrong.add(path)

    def warn(self, path: Path, sentence: str) -> None:
        """It can be used, though likely not as it was meant."""
        self._warnings.append(_Remark(path, sentence))

    def notice(self, path: Path, sentence: str) -> None:
        """Nothing is wrong; worth knowing."""
        self._notices.append(_Remark(path, sentence))

    def error_in(self, variable: str, sentence: str) -> None:
        """An environment variable that cannot be used."""
        self._loose["errors"].append(Placed(None, variable, "", sentence))

    def warn_in(self, variable: str, sentence: str) -> None:
        self._loose["warnings"].append(Placed(None, variable, "", sentence))

    def notice_in(self, variable: str, sentence: str) -> None:
        self._loose["notices"].append(Placed(None, variable, "", sentence))

    def has_error(self, path: Path) -> bool:
        """Whether this very key was found wrong already, so that nothing need be built on it."""
        return path in self._wrong

    def place(self, path: Path) -> str:
        """Where a key stands, for a sentence about another one: "line 12" or a variable."""
        variable = self._variable(path)
        if variable:
            return variable
        line = self._lines.of(path)
        return f"line {line}" if line else self.file

    @property
    def errors(self) -> list[str]:
        return self._render(self.placed("errors"))

    @property
    def warnings(self) -> list[str]:
        return self._render(self.placed("warnings"))

    @property
    def notices(self) -> list[str]:
        return self._render(self.placed("notices"))

    @cached_property
    def _lines(self) -> LineNumbers:
        return LineNumbers(self.text)

    def _variable(self, path: Path) -> str | None:
        """The variable that set this key, or for a table one that is made of variables alone, the first of them."""
        if path in self.origins:
            return self.origins[path]
        if not self._lines.has(path):
            for known, variable in self.origins.items():
                if known[: len(path)] == path and self._lines.of(known[: len(path)]) is None:
                    return variable
        return None

    def placed(self, what: Literal["errors", "warnings", "notices"]) -> list[Placed]:
        """All of one kind, by line; those of variables that belong to no key last."""
        remarks = {"errors": self._errors, "warnings": self._warnings, "notices": self._notices}[what]
        found = [self._placed(remark) for remark in remarks]
        return sorted(found, key=lambda one: one.line or 0) + self._loose[what]

    def _placed(self, remark: _Remark) -> Placed:
        variable = self._variable(remark.path) or ""
        line = None if variable else self._lines.of(remark.path)
        return Placed(line, variable, _named(remark.path), remark.sentence)

    def _render(self, placed: Iterable[Placed]) -> list[str]:
        return [self._sentence(one) for one in placed]

    def _sentence(self, one: Placed) -> str:
        where = one.variable or (f"{self.file}:{one.line}" if one.line else self.file)
        return f"{where}: {one.key}: {one.sentence}" if one.key else f"{where}: {one.sentence}"


def looks_secret(word: str) -> bool:
    """Whether a word has a part that may be a token, pasted into the wrong place."""
    return _MIXED.search(word) is not None


def safe_name(name: str) -> str:
    """The name of a streamer or a destination for a sentence, "..." if it is an address or a line of a header."""
    return "..." if ":" in name else name


def _named(path: Path) -> str:
    """The key for a sentence. Only names may hold spaces: any other key that does was pasted into the wrong place."""
    return dotted(
        tuple(
            safe_name(part) if (number == 1 and path[0].lower() in _NAMED) or _may_be_key(part) else "..."
            for number, part in enumerate(path)
        )
    )


def _may_be_key(part: str) -> bool:
    return _KEY.fullmatch(part) is not None and not looks_secret(part)
