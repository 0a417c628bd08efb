"""Decoding what Twitch sends: null means absent, and one field that is not as documented spoils nothing else.

Twitch's documentation calls fields strings and lists that come as null. A field that is null, missing or of another
type takes its default; only one without a default is required, and an item of a list that lacks one is left out.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import msgspec
import structlog

T = TypeVar("T")

_UNIONS = frozenset({Union, types.UnionType})

OR_NUMBER = msgspec.Meta(extra={"or_number": True})
"""Marks a string that may arrive as an integer: an id."""

_log = structlog.get_logger(__name__)


class Cursor(msgspec.Struct):
    """The `pagination` of a list; the last page has no cursor."""

    cursor: str = ""


class Page(msgspec.Struct):
    """One page of any of Twitch's lists; one without an item may come as null. See `items_of`."""

    data: tuple[msgspec.Raw, ...] = ()
    pagination: Cursor = msgspec.field(default_factory=Cursor)


class Lenient(Generic[T]):
    """A decoder of `kind`, a msgspec.Struct. What is as documented costs no more than with msgspec's own."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._strict = msgspec.json.Decoder(kind)

    def decode(self, body: bytes | str | msgspec.Raw) -> T:
        """Raises msgspec.ValidationError for JSON that lacks what is required, msgspec.DecodeError for no JSON."""
        try:
            try:
                return self._strict.decode(body)
            except msgspec.ValidationError:
                found: T = _fit(body.encode() if isinstance(body, str) else body, self._kind)
                return found
        except UnicodeError as error:
            raise msgspec.DecodeError("it is not UTF-8") from error
        except RecursionError as error:
            raise msgspec.ValidationError("it is nested too deeply") from error


def items_of(page: Page, kind: Lenient[T], path: str) -> list[T]:
    """What the page holds; an item that lacks what is required is left out and logged: the others are still good.

    `path` is where it came from, for the log.
    """
    items: list[T] = []
    for raw in page.data:
        try:
            items.append(kind.decode(raw))
        except msgspec.DecodeError as error:
            _log.warning("one item of Twitch's answer is not as documented", path=path, reason=str(error))
    return items


def _fit(raw: bytes | msgspec.Raw, kind: Any) -> Any:
    """The value if it is of `kind`, or as much of it as is."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        if OR_NUMBER in getattr(kind, "__metadata__", ()) and bytes(raw).isdigit():
            return msgspec.json.decode(b'"%b"' % bytes(raw), type=kind)
        origin = get_origin(kind)
        if origin in _UNIONS:
            return _fit(raw, next(one for one in get_args(kind) if one is not types.NoneType))
        if origin is tuple:
            return _fit_items(raw, get_args(kind)[0])
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return _fit_fields(raw, kind)
        raise


def _fit_items(raw: bytes | msgspec.Raw, kind: Any) -> tuple[Any, ...]:
    items = []
    for item in msgspec.json.decode(raw, type=list[msgspec.Raw]):
        try:
            items.append(_fit(item, kind))
        except msgspec.DecodeError as error:
            _log.debug("an item of a list of Twitch's is left out", reason=str(error))
    return tuple(items)


def _fit_fields(raw: bytes | msgspec.Raw, kind: Any) -> Any:
    given = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    found: dict[str, Any] = {}
    for field in _fields(kind):
        value = given.get(field.encode_name)
        if value is not None and bytes(value) != b"null":
            try:
                found[field.name] = _fit(value, field.type)
            except msgspec.DecodeError:
                if field.required:
                    raise
        if field.required and field.name not in found:
            raise msgspec.ValidationError(f"Object missing required field `{field.encode_name}`")
    return kind(**found)


@cache
def _fields(kind: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)
