"""What every command gets: where the files are and how loud to be."""

from __future__ import annotations

from dataclasses import dataclass

import click

from itsjustintv_desktop.engine.core.paths import Paths


@dataclass(frozen=True, slots=True)
class AppContext:
    """The global options, resolved."""

    paths: Paths
    log_level: str = "info"


pass_app = click.make_pass_decorator(AppContext)
