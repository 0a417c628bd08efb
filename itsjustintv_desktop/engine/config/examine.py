"""What there is to say of a config text, with the line of each: for an editor that marks them. Never raises for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from itsjustintv_desktop.engine.config.load import judged
from itsjustintv_desktop.engine.config.report import Placed
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.errors import ConfigError

_FILE = "config.toml"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """`line` counts from 1, None where no line is meant. `key` is dotted, "" for the text as a whole.

    `variable`: the environment variable that the value came from, "" for the file.
    """

    line: int | None
    key: str
    sentence: str
    variable: str = ""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """`config` is None while there are problems."""

    config: Config | None
    problems: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    notices: tuple[Remark, ...] = ()


def examine(text: str, environ: Mapping[str, str]) -> Examined:
    """Everything wrong with a text, and everything worth a word, the environment included. Blocks."""
    try:
        report, config, _ = judged(text, file=_FILE, environ=environ)
    except ConfigError as error:
        return Examined(config=None, problems=tuple(_syntax(problem) for problem in error.problems))
    problems = tuple(map(_remark, report.placed("errors")))
    return Examined(
        config=None if problems else config,
        problems=problems,
        warnings=tuple(map(_remark, report.placed("warnings"))),
        notices=tuple(map(_remark, report.placed("notices"))),
    )


def _remark(one: Placed) -> Remark:
    return Remark(line=one.line, key=one.key, sentence=one.sentence, variable=one.variable)


def _syntax(sentence: str) -> Remark:
    """Of a text that is no TOML: `read_toml` puts file and line before its sentence."""
    rest = sentence.removeprefix(f"{_FILE}:").strip()
    line = re.match(r"(\d+): ", rest)
    return Remark(line=int(line[1]) if line else None, key="", sentence=rest[line.end() :] if line else rest)
