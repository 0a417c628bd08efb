"""The manual page and the shell completions, made from the command line itself: `python -m installers.manual FOLDER`.

FOLDER gets `itsjustintv-desktop.1` and a file for each of bash, zsh and fish.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from installers import APP, merge
from itsjustintv_desktop.cli import cli

COMPLETIONS: dict[str, type[ShellComplete]] = {
    f"bash-completion/completions/{APP}": BashComplete,
    f"zsh/vendor-completions/_{APP}": ZshComplete,
    f"fish/vendor_completions.d/{APP}.fish": FishComplete,
}
"""Where each shell looks on Debian, below /usr/share."""

_TAIL = """\
.SH EXIT STATUS
.TP
.B 0
success
.TP
.B 1
the answer is no, or an error that the text explains
.TP
.B 2
a wrong command line, or a config that cannot be used
.SH ENVIRONMENT
.TP
.B ITSJUSTINTV_CONFIG\\fR, \\fBITSJUSTINTV_DATA_DIR
as \\-\\-config and \\-\\-data\\-dir
.TP
.BI ITSJUSTINTV_ TABLE _ KEY
a setting of the config, such as ITSJUSTINTV_TWITCH_CLIENT_ID
.SH FILES
.B config path
prints where the config is.
.SH SEE ALSO
"""


DATE = "@DATE@"
"""Stands in the page where the date of the release belongs."""


def page() -> str:
    """The manual page (roff, man(7)), of all commands and options."""
    made = merge.merged()["tool"]["briefcase"]
    lines = [
        rf'.TH {_plain(APP.upper())} 1 "{DATE}" "{merge.version()}"',
        ".SH NAME",
        rf"{_plain(APP)} \- {_plain(made['app'][APP]['description'])}",
        ".SH SYNOPSIS",
        f".B {_plain(APP)}",
        r"[\fIOPTIONS\fR] [\fICOMMAND\fR [\fIARGUMENTS\fR]]",
        ".SH DESCRIPTION",
        *_paragraphs(cli.help or ""),
        ".SH OPTIONS",
        *_options(cli),
        ".SH COMMANDS",
    ]
    for names, command in commands(cli):
        with click.Context(command, info_name=names[-1]) as context:
            usage = " ".join(command.collect_usage_pieces(context))
        lines += [f".SS {_plain(' '.join(names))} {_plain(usage)}", *_paragraphs(command.help or "")]
        lines += _options(command)
    return "\n".join(lines) + "\n" + _TAIL + _plain(made["url"]) + "\n"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by its words."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from commands(command, (*path, name))
            elif command is not None:
                yield (*path, name), command


def completion(shell: type[ShellComplete]) -> str:
    """The script that a shell sources: it asks the program itself what could come next."""
    return shell(cli, {}, APP, f"_{APP.upper().replace('-', '_')}_COMPLETE").source()


def write(folder: Path) -> None:
    """All of them into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{APP}.1").write_text(page(), encoding="utf-8")
    for place, shell in COMPLETIONS.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(completion(shell), encoding="utf-8")


def _options(command: click.Command) -> Iterator[str]:
    with click.Context(command) as context:
        for option in command.params:
            record = option.get_help_record(context)
            if record is not None:
                yield ".TP"
                yield rf"\fB{_plain(record[0])}\fR"
                yield _plain(record[1])


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield _plain(" ".join(paragraph.replace("\b", "").split()))


def _plain(text: str) -> str:
    """Text in which nothing is roff."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("\n", " ")
    return re.sub(r"^([.'])", r"\\&\1", escaped)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
