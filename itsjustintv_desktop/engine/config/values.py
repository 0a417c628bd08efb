"""From a value as TOML has it to a value of the schema's kind; a wrong type says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from itsjustintv_desktop.engine.config import durations
from itsjustintv_desktop.engine.config.fields import Field, Kind
from itsjustintv_desktop.engine.config.notation import quoted
from itsjustintv_desktop.engine.config.problems import SHORTEST_SECRET, Mistake, looks_secret

_HARMLESS = re.compile(r"[A-Za-z0-9_./:-]{0,24}")
"""Longer than any word that belongs into a config, shorter than most secrets that get pasted into the wrong key."""

_LARGEST = 10**15
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def convert(field: Field, value: Any) -> Any:
    """The value, or None when it counts as not set (an empty text). Raises Mistake."""
    return _CONVERTERS[field.kind](field, value)


def from_text(field: Field, text: str) -> Any:
    """What a text without quotes, from a form or an environment variable, would be in the file. Raises Mistake.

    Lists: commas or line breaks between; headers: one "Name: value" a line.
    """
    text = text.strip()
    if field.kind is Kind.BOOL:
        if text.lower() not in _WORDS:
            raise Mistake("it must be true or false")
        return _WORDS[text.lower()]
    if field.kind is Kind.INT:
        if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
            raise Mistake(f"it must be a whole number, such as {field.default}")
        return int(text)
    if field.kind is Kind.NUMBER:
        if not re.fullmatch(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})", text, re.ASCII):
            raise Mistake(f"it must be a number, such as {field.default:g}")
        return float(text)
    if field.kind is Kind.TEXTS:
        return [part for part in (part.strip() for part in re.split(r"[,\n]", text)) if part]
    return _headers(text) if field.kind is Kind.MAP else text


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, content = line.partition(":")
        if not colon:
            raise Mistake(f'line {number} has no colon; write "Name: value", one header a line')
        if name.strip() in found:
            raise Mistake(f"line {number} names a header that is there already; keep one of them")
        found[name.strip()] = content.strip()
    return found


def is_unset(value: Any) -> bool:
    """An empty text is the same as nothing, as in the Go service."""
    return isinstance(value, str) and not value


def shown(field: Field, value: str) -> str:
    """A value for a sentence, or "it" where that must not be shown."""
    return "it" if field.hidden else harmless(value)


def harmless(word: str, instead: str = "it") -> str:
    """A word in quotes for a sentence; `instead` if it may be a secret or an address put into the wrong key."""
    return quoted(word) if is_harmless(word) else instead


def is_harmless(word: str) -> bool:
    """Whether a word that a person wrote may be shown back."""
    return "://" not in word and _HARMLESS.fullmatch(word) is not None and not looks_secret(word)


def header_shown(name: str) -> str:
    """A header's name for a sentence. "Authorization: Bearer ..." written as a name holds the secret itself."""
    return harmless(name, "one header") if ":" not in name else "one header"


def closest(word: str, candidates: list[str] | tuple[str, ...]) -> str | None:
    """The candidate most like the word, if any is much like it."""
    from difflib import get_close_matches  # only needed once something is wrong

    by_lower = {candidate.lower(): candidate for candidate in candidates}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def _plain(word: str) -> str:
    """SHA-256, sha256 and Sha_256 are the same word."""
    return word.strip().lower().replace("-", "").replace("_", "")


def _type_name(value: Any) -> str:
    names: dict[type, str] = {bool: "true/false", int: "a number", float: "a number", str: "text in quotes"}
    names |= {list: "a list", dict: "a table"}
    return names.get(type(value), "a date")


def _bool(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        raise Mistake(f"it is text; write it without quotes: {field.name} = {value.lower()}")
    raise Mistake(f"it is {_type_name(value)}; write {field.name} = true or {field.name} = false")


def _int(field: Field, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        _check_size(value)
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value.strip(), re.ASCII):
        raise Mistake(f"it is text; write it without quotes: {field.name} = {int(value)}")
    if isinstance(value, float):
        raise Mistake(f"it must be a whole number, such as {field.name} = {field.default}")
    raise Mistake(f"it is {_type_name(value)}; write a whole number, such as {field.name} = {field.default}")


def _check_size(value: int | float) -> None:
    """TOML's whole numbers are endless here; a float, which the rules compare with, is not."""
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise Mistake("it is far too large; write a smaller number")


def _number(field: Field, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_size(value)
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value.strip(), re.ASCII):
        raise Mistake(f"it is text; write it without quotes: {field.name} = {value.strip()}")
    raise Mistake(f"it is {_type_name(value)}; write a number, such as {field.name} = {field.default}")


def _duration(field: Field, value: Any) -> float | None:
    if is_unset(value):
        return None
    if isinstance(value, str):
        try:
            return durations.parse(value.strip())
        except ValueError as error:
            raise Mistake(f"{shown(field, value)} is no duration: {error}") from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return 0.0
        shown_value = value if is_harmless(str(value)) else 30
        raise Mistake(f'a number alone has no unit; write it in quotes with one: {field.name} = "{shown_value}s"')
    example = durations.render(field.default)
    raise Mistake(f'it is {_type_name(value)}; write a duration in quotes: {field.name} = "{example}"')


def _text(field: Field, value: Any) -> str | None:
    if isinstance(value, str):
        if "\0" in value:
            raise Mistake("it holds a NUL character; take that out")
        return value or None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    simple = number and not field.hidden and is_harmless(str(value))
    example = f': {field.name} = "{value}"' if simple else ""
    raise Mistake(f"it is {_type_name(value)}; write it in quotes{example}")


def _choice(field: Field, value: Any) -> str | None:
    if is_unset(value):
        return None
    allowed = ", ".join(quoted(choice) for choice in field.choices)
    if not isinstance(value, str):
        raise Mistake(f"it is {_type_name(value)}; write one of {allowed}")
    for choice in field.choices:
        if _plain(value) == _plain(choice):
            return choice
    guess = closest(value, field.choices)
    hint = f"; did you mean {quoted(guess)}?" if guess else ""
    # What is like no choice, and long enough for a secret, may be one of letters alone.
    word = shown(field, value) if guess or len(value) < SHORTEST_SECRET else "it"
    raise Mistake(f"{word} is not known; use one of {allowed}{hint}")


def _texts(field: Field, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise Mistake(f"it is text; write a list: {field.name} = [{harmless(value, quoted('...'))}]")
    if not isinstance(value, list):
        raise Mistake(f'it is {_type_name(value)}; write a list of texts: {field.name} = ["one", "two"]')
    for number, item in enumerate(value, 1):
        if not isinstance(item, str):
            raise Mistake(f"entry {number} is {_type_name(item)}; write every entry in quotes")
        if not item.strip():
            raise Mistake(f"entry {number} is empty; take it out or fill it in")
    return tuple(item.strip() for item in value)


def _map(field: Field, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Mistake(f'it is {_type_name(value)}; write a table: {field.name} = {{ "Name" = "value" }}')
    for name, item in value.items():
        if not isinstance(item, str):
            raise Mistake(f"the value of {header_shown(name)} is {_type_name(item)}; write it in quotes")
    return dict(value)


def _table(field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Mistake(f"it is {_type_name(value)}; it must be a table of its own, headed [{field.name}]")
    return value


_CONVERTERS: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.BOOL: _bool,
    Kind.INT: _int,
    Kind.NUMBER: _number,
    Kind.DURATION: _duration,
    Kind.TEXT: _text,
    Kind.CHOICE: _choice,
    Kind.TEXTS: _texts,
    Kind.MAP: _map,
    Kind.TABLE: _table,
    Kind.NAMED: _table,
}
