"""Names that a person gives a command, against the config."""

from __future__ import annotations

import os

from itsjustintv_desktop.commands.context import AppContext
from itsjustintv_desktop.engine.config import values
from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.core.errors import ConfigError


def no_such_streamer(app: AppContext, key: str, *, or_login: bool = False) -> str | None:
    """What to say where nothing was found for a streamer that the config does not have; None if it has it.

    `or_login`: a login would have been understood as well. None also for a config that cannot be used: that is not
    what was asked.
    """
    try:
        streamers = load(app.paths.config, os.environ, named=app.paths.config_named).config.streamers
    except ConfigError:
        return None
    if key in streamers:
        return None
    by_login = [each.key for each in streamers.values() if each.login.casefold() == key.casefold()]
    if by_login and or_login:
        return None
    guess = by_login[0] if by_login else values.closest(key, list(streamers))
    return f"There is no streamer {key!r} in the config." + (f" Did you mean {guess}?" if guess else "")
