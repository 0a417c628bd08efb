"""The manual page and completions are made from the command line: nothing of it is missing, nothing breaks the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from installers import APP, manual
from itsjustintv_desktop.cli import cli


def test_every_command_and_option_is_in_the_manual() -> None:
    text = manual.page().replace("\\-", "-")
    found = list(manual.commands(cli))
    assert len(found) > 20
    for names, command in found:
        assert f"\n.SS {' '.join(names)} " in text
        section = text.partition(f"\n.SS {' '.join(names)} ")[2].partition("\n.SS ")[0]
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert f"\\fB{option.opts[0]}" in section, f"{names} {option.opts}"
    for param in cli.params:
        assert param.opts[0] in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_the_page_has_no_mistake(tmp_path: Path) -> None:
    manual.write(tmp_path)
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", tmp_path / f"{APP}.1"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    shown = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
    assert "EXIT STATUS" in shown
    assert "deliveries retry" in shown


def test_text_cannot_become_roff() -> None:
    assert manual._plain(".SH it's -x \\fB") == "\\&.SH it's \\-x \\efB"
    assert manual._plain("'quoted'") == "\\&'quoted'"


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    manual.write(tmp_path)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / APP
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c '
        f'\'import sys; sys.argv[0] = "{APP}"; from itsjustintv_desktop.cli import main; main()\' "$@"\n'
    )
    program.chmod(0o755)
    script = tmp_path / f"bash-completion/completions/{APP}"

    def offered(*words: str) -> set[str]:
        line = f'''source {script}
COMP_WORDS=({APP} {" ".join(words)}); COMP_CWORD={len(words)}
_itsjustintv_desktop_completion {APP} "{words[-1]}" ""; printf '%s\\n' "${{COMPREPLY[@]}}"'''
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, check=True, timeout=60,
            env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        return set(done.stdout.split())

    assert offered("del") == {"deliveries"}
    assert offered("deliveries", "re") == {"retry", "resend"}
    assert "--seconds" in offered("demo", "--")
