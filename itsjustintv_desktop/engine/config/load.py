"""Reading the config: file, then environment, then every check. Synchronous: call it in a thread."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config import environment, secrets_in_file, values
from itsjustintv_desktop.engine.config.build import build
from itsjustintv_desktop.engine.config.notation import dotted
from itsjustintv_desktop.engine.config.problems import Placed, Report
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import ConfigError, os_sentence

BOM = "\ufeff"
_LARGEST = 16 * 1024 * 1024
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_ADDRESS = re.compile(r"\S*://\S*")
_QUOTED = re.compile(r"""(['"])(.*?)\1""")
_MARK = re.compile(r"[!-/:-@\[-`{-~]|\\[nrt]")
"""One character of punctuation, or a line break or tab as tomllib shows it: no secret, and what one has to know."""
_CURLY = "“”„‟«»‘’‚"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that can be used, and what is worth saying about it."""

    config: Config
    warnings: tuple[str, ...]
    notices: tuple[str, ...]
    secrets_in_clear: tuple[str, ...]
    """Dotted keys of the file (`notation.split` takes them apart) that hold a secret someone could read there."""
    secrets_fixed: tuple[str, ...]
    """The same for headers that look like credentials: they can stand nowhere else."""
    digest: str
    """SHA-256 of the file's bytes in hex, "" for a missing file: two loads of the same file have the same."""

    @property
    def nothing_set_up(self) -> bool:
        """There is no file, and nothing in the environment makes up for it."""
        return not self.digest and not self.streamers_enabled

    @property
    def streamers_enabled(self) -> bool:
        """Whether there is any streamer to announce: one that is switched off is none."""
        return any(streamer.enabled for streamer in self.config.streamers.values())


def load(path: Path, environ: Mapping[str, str], *, named: bool = False) -> Loaded:
    """The config in a file, environment included. A missing file is an empty one, with a notice.

    `named`: a person named this file. A missing one is a mistake then, unless the environment brings streamers.
    Raises ConfigError with every problem found.
    """
    content = read_bytes(path)
    if content is None:
        loaded = parse("", file=str(path), environ=environ)
        if named and not loaded.streamers_enabled:
            raise ConfigError(
                [
                    f"{path}: there is no such file. Correct --config or ITSJUSTINTV_CONFIG, or make it: "
                    "`itsjustintv-desktop config example` prints one to start from"
                ]
            )
        notice = (
            f"{path}: there is no such file; the defaults and the environment are used. "
            "`itsjustintv-desktop config example` prints one to start from."
        )
        return replace(loaded, notices=(notice, *loaded.notices), digest="")
    loaded = parse(decode(content, str(path)), file=str(path), environ=environ)
    exposed = (*loaded.secrets_in_clear, *loaded.secrets_fixed)
    if exposed and _others_may_read(path):
        warning = (
            f"{path}: other users of this machine may read it, and secrets stand in it ({', '.join(exposed)}); "
            f"run: chmod 600 {shlex.quote(str(path))}"
        )
        loaded = replace(loaded, warnings=(warning, *loaded.warnings))
    return loaded


def _others_may_read(path: Path) -> bool:
    """By the POSIX modes of the file and of all folders above it; elsewhere its folder belongs to the user alone."""
    if os.name != "posix":
        return False
    try:
        file = path.stat().st_mode
        folders = [folder.stat().st_mode for folder in path.resolve().parents]
    except OSError:  # just replaced or removed, or not ours to look at
        return False
    anybody = file & 0o007 and all(folder & 0o001 for folder in folders)
    group = file & 0o070 and all(folder & 0o011 for folder in folders)
    return bool(anybody or group)


def read_bytes(path: Path) -> bytes | None:
    """The file's bytes, None if there is no file. Raises ConfigError if it cannot be read."""
    try:
        content = files.read(path, _LARGEST + 1, follow=True)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise ConfigError([f"{path}: it is a folder; name the file, such as {path / 'config.toml'}"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: it cannot be read: {os_sentence(error)}"]) from error
    if len(content) > _LARGEST:
        raise ConfigError([f"{path}: it is larger than {_LARGEST >> 20} MiB; that is no config of this program"])
    return content


def decode(content: bytes, file: str) -> str:
    """The text of a file; a byte order mark stays in. Raises ConfigError if it is not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            sentence = f"{file}: it is UTF-16; save it as UTF-8"
        else:
            sentence = f"{file}:{line}: there is a character that is not UTF-8; save the file as UTF-8"
        raise ConfigError([sentence]) from None


def legible(content: bytes) -> str:
    """As `decode`, and what is no UTF-8 as an editor would have meant it: for a person to look at. Never raises."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def digest_of(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def parse(text: str, *, file: str, environ: Mapping[str, str]) -> Loaded:
    """The config in a text. `file` is only for the sentences. Raises ConfigError with every problem found."""
    report, config, in_clear = judged(text, file=file, environ=environ)
    if report.errors:
        raise ConfigError(report.errors, report.warnings)
    return Loaded(
        config=config,
        warnings=tuple(report.warnings),
        notices=tuple(report.notices),
        secrets_in_clear=tuple(dotted(path) for path in in_clear.movable),
        secrets_fixed=tuple(dotted(path) for path in in_clear.fixed),
        digest=digest_of(text.encode("utf-8")),
    )


def judged(text: str, *, file: str, environ: Mapping[str, str]) -> tuple[Report, Config, secrets_in_file.InClear]:
    """What is to be said of a text, the config it makes (only to be used without errors), and its secrets.

    Raises ConfigError if it is no TOML.
    """
    plain = text.removeprefix(BOM)
    raw = read_toml(plain, file)
    report = Report(file, plain)
    in_clear = secrets_in_file.find(raw)
    environment.apply(raw, environ, report)
    secrets_in_file.learn(raw)  # before anything is said about them
    return report, build(raw, report), in_clear


def read_toml(text: str, file: str) -> dict[str, Any]:
    """The raw tables. Raises ConfigError with line and column where the text is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_sentence(str(error), text, file)]) from None
    except RecursionError:
        raise ConfigError([f"{file}: brackets are nested too deep; that is no config of this program"]) from None


def _syntax_sentence(message: str, text: str, file: str) -> str:
    found = _PLACE.search(message)
    fault = _ADDRESS.sub("...", _PLACE.sub("", message))
    # What it quotes may be a header or a secret that was pasted there.
    fault = _QUOTED.sub(lambda found: found.group() if _may_be_said(found.group(2)) else "'...'", fault)
    if found is None or found.group(1) is None:
        last = len(text.rstrip().splitlines()) or 1
        if _is_double(fault):
            return f"{file}:{last}: this is not valid TOML ({_lower(fault)}); {_remedy(fault, text, last, 0)}"
        return f"{file}:{last}: the file ends too early ({_lower(fault)}); is a quote or bracket left open?"
    line, column = int(found.group(1)), int(found.group(2))
    remedy = _remedy(fault, text, line, column)
    return f"{file}:{line}: column {column}: this is not valid TOML ({_lower(fault)}); {remedy}"


def _may_be_said(quoted: str) -> bool:
    return _MARK.fullmatch(quoted) is not None or values.is_harmless(quoted)


def _is_double(fault: str) -> bool:
    return fault.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate"))


def _lower(fault: str) -> str:
    return fault[:1].lower() + fault[1:]


def _remedy(fault: str, text: str, line: int, column: int) -> str:
    """The likely cause of what tomllib found."""
    rows = text.split("\n")
    written = rows[line - 1] if line <= len(rows) else ""
    if _is_double(fault):
        return "the same key or table is there twice: keep one of them"
    ends_open = "string" in fault or "Illegal character" in fault
    if any(mark in _CURLY for mark in (written if ends_open else written[max(column - 1, 0) : column])):
        return 'curly quotes such as \u201c \u201d are none to TOML: write the plain " before and after the text'
    if "escape" in fault or "hex" in fault:
        return r"write a backslash as \\, or put the text in single quotes"
    if "Invalid value" in fault or "invalid value" in fault:
        return "texts need quotes around them, and yes or no is written true or false"
    if ends_open:
        return "a quote is missing at the end of the text"
    if written.lstrip().startswith("[") and "]" not in written:
        return "the heading of a table needs a ] at its end"
    if "=" not in written:
        return "write key = value"
    return "look for a missing quote, bracket or comma here or just above"


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
