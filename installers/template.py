"""Single files of the templates, filled in as Briefcase does when it makes a bundle."""

from __future__ import annotations

import re
from pathlib import Path

from installers import APP, ROOT, merge

DEB = ROOT / "installers" / "linux" / "template"
_FIELD = re.compile(r"\{\{ cookiecutter\.(\w+) \}\}")


def rendered(end: str, template: Path = DEB, **extra: str) -> str:
    """The one file whose name ends so. `extra` are the values of a build. Raises KeyError for an unknown field."""
    (path,) = [each for each in template.rglob("*") if each.is_file() and each.name.endswith(end)]
    made = merge.merged()
    values = made["tool"]["briefcase"] | made["tool"]["briefcase"]["app"][APP]
    values |= {"app_name": APP, "version": made["project"]["version"], "license": made["project"]["license"]} | extra
    return _FIELD.sub(lambda found: str(values[found[1]]), path.read_text(encoding="utf-8"))


def app_id() -> str:
    """The reverse domain name of the program."""
    return str(merge.merged()["tool"]["briefcase"]["app"][APP]["app_id"])
