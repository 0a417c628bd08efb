"""From a call of a logger to a line: the processors both outputs share, and what each does of its own."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from itsjustintv_desktop.engine.redaction import redact

_PACKAGE = "itsjustintv_desktop."
_DEEPEST = 6
_LOOKED_AT = 262_144
_LONGEST = 32_768
"""Characters of one value; a traceback without end shall not fill the disk."""


def logger(*names: Any) -> logging.Logger:
    """The logger of `logging` behind one of structlog."""
    return logging.getLogger(str(names[0]) if names else _PACKAGE.rstrip("."))


def hide(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Redacts every value; what is no plain value becomes text here, so that nothing is told by its repr later.

    Control characters are shown as escapes: a stranger's text must not forge a line. A traceback keeps its lines.
    """
    for key, value in event.items():
        kind = type(value)
        if kind is int or kind is bool or kind is float or value is None or key == "_record":
            continue
        event[key] = _traceback(value) if key == "exception" else _plain(value, 0)
    return event


def _traceback(value: Any) -> str:
    # Cut off only afterwards, and at the other end first: a part of a secret would not be known as one.
    lines = redact(str(value)[-_LOOKED_AT:])[-_LONGEST:].split("\n")
    return "\n".join(line if line.isprintable() else _escaped(line) for line in lines)


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        text = redact(str(value)[:_LOOKED_AT])[:_LONGEST]
        return text if text.isprintable() else _escaped(text)
    if value is None or isinstance(value, int | float):
        return value
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {_plain(str(name), depth): _plain(item, depth + 1) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(item, depth + 1) for item in value]
    return _plain(str(value) if isinstance(value, PurePath | BaseException) else repr(value), depth)


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    hide,
]
OURS: list[Processor] = [*_SHARED, ProcessorFormatter.wrap_for_formatter]


def _name_of_library(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record = event["_record"]
    if not record.name.startswith(_PACKAGE):
        event["logger"] = record.name
    event["timestamp"] = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return event


def shown_name(logger: str) -> str:
    """As it is shown: our own without the package."""
    return logger.removeprefix(_PACKAGE)


def _for_programs(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The fields that every line has come first."""
    record = event["_record"]
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    first = {"timestamp": moment, "level": event.pop("level", ""), "logger": shown_name(record.name)}
    return {**first, "event": event.pop("event", ""), **event}


def _to_json(event: EventDict, **_: Any) -> str:
    return json.dumps(event, ensure_ascii=False, default=repr)


class Console(logging.StreamHandler[TextIO]):
    """Lines for people. A reader that went away is no reason to stop."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        # The plain one: rich would be imported for it, and local variables would be printed.
        plain = structlog.dev.plain_traceback
        rendered = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)
        self.setFormatter(formatter(_name_of_library, rendered))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A stream that is closed or broken has no reader; anything else is a fault of ours, and says its name."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError | ValueError):
            with contextlib.suppress(OSError, ValueError):
                self.stream.write(f"a log line could not be shown ({type(error).__name__})\n")


def formatter(first: Processor, last: Processor) -> ProcessorFormatter:
    """For a handler: also lets what libraries log pass the shared processors."""
    processors = [first, ProcessorFormatter.remove_processors_meta, last]
    return ProcessorFormatter(processors=processors, foreign_pre_chain=_SHARED)


def json_formatter() -> ProcessorFormatter:
    """One JSON object a line."""
    return formatter(_for_programs, structlog.processors.JSONRenderer(serializer=_to_json))


def settled(record: logging.LogRecord) -> logging.LogRecord:
    """The record as it can wait for another thread: a library's has passed the shared processors here and now."""
    if isinstance(record.msg, dict) and hasattr(record, "_logger"):
        return record
    event: EventDict = {"event": record.getMessage(), "exc_info": record.exc_info}
    for processor in _SHARED:
        event = processor(None, record.levelname.lower(), event)  # type: ignore[assignment]
    waiting = logging.makeLogRecord(record.__dict__)
    waiting.msg, waiting.args, waiting.exc_info, waiting.exc_text = event, (), None, None
    waiting.stack_info = None
    waiting.__dict__.update(_logger=None, _name=record.levelname.lower())
    return waiting
