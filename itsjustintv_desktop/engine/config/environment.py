"""Settings from environment variables, laid over what the file says.

`ITSJUSTINTV_<TABLE>_<KEY>` for every key that one value can hold (lists: with commas), and for streamers and
destinations `ITSJUSTINTV_STREAMERS_<KEY>_<FIELD>` and `ITSJUSTINTV_DESTINATIONS_<NAME>_<FIELD>`. An empty variable is
the same as none. The Go service's names without the prefix only fill in what neither the file nor a prefixed
variable sets: other programs use names as short as SERVER_PORT too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config import values
from itsjustintv_desktop.engine.config.build import streamer_paths
from itsjustintv_desktop.engine.config.fields import Field, Kind, fields, tables
from itsjustintv_desktop.engine.config.notation import Path, dotted
from itsjustintv_desktop.engine.config.problems import Mistake, Report
from itsjustintv_desktop.engine.config.read import name_in
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer

PREFIX = "ITSJUSTINTV_"
OTHERS = frozenset(
    {
        f"{PREFIX}{name}"
        for name in (
            "CONFIG",
            "DATA_DIR",
            "PASSPHRASE",
            "TWITCH_API_URL",
            "TWITCH_AUTH_URL",
            "TWITCH_EVENTSUB_URL",
            "UPDATES_URL",
            "ACME_ROOT",
        )
    }
)
"""Variables of this program that are no settings of the config."""
ALIASES = {f"{PREFIX}TLS_ENABLED": f"{PREFIX}SERVER_TLS_ENABLED"}
_BARE = {
    "SERVER_LISTEN_ADDR": ("server", "listen_addr"),
    "SERVER_PORT": ("server", "port"),
    "TWITCH_CLIENT_ID": ("twitch", "client_id"),
    "TWITCH_CLIENT_SECRET": ("twitch", "client_secret"),
    "TWITCH_WEBHOOK_SECRET": ("twitch", "webhook_secret"),
    "TLS_ENABLED": ("server", "tls", "enabled"),
}
_NAMED: dict[str, type[msgspec.Struct]] = {"streamers": Streamer, "destinations": Destination}


@cache
def names() -> dict[str, tuple[Path, Field]]:
    """Every variable for a key with a fixed place."""
    return {
        PREFIX + "_".join((*path, field.name)).upper(): ((*path, field.name), field)
        for path, table in tables().items()
        for field in fields(table).values()
        if field.kind is not Kind.TABLE
    }


def apply(raw: dict[str, Any], environ: Mapping[str, str], report: Report) -> None:
    """Put the variables' values into the tables as read, noting in the report where each came from."""
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        text = environ[variable].strip()
        if variable in OTHERS or not text:
            continue
        target = ALIASES.get(variable, variable)
        if target != variable and environ.get(target, "").strip():
            continue
        try:
            place = names().get(target) or _named_place(variable, raw)
        except ValueError as error:
            report.error_in(variable, str(error))
            continue
        if place is None:
            report.warn_in(variable, _unknown(variable, raw))
        else:
            _set(raw, place, variable, text, report)
    for variable, path in _BARE.items():
        text = environ.get(variable, "").strip()
        if text and not _has(raw, path):
            place = names()[PREFIX + "_".join(path).upper()]
            _set(raw, place, variable, text, report)
            report.notice_in(variable, f"used for {dotted(path)}, which nothing else sets")


def _set(raw: dict[str, Any], place: tuple[Path, Field], variable: str, text: str, report: Report) -> None:
    path, field = place
    try:
        if field.kind is Kind.MAP:
            raise Mistake("this is a table of names and values; set it in the file")
        value = values.from_text(field, text)
    except Mistake as mistake:
        report.error_in(variable, str(mistake))
        return
    table: Any = raw
    written: list[str] = []
    for depth, part in enumerate(path):
        name = name_in(_schema_at(path[:depth]), table, part)
        written.append(name)
        if depth == len(path) - 1:
            table[name] = value
            report.origins[tuple(written)] = variable
            return
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            return  # not a table in the file: that is said elsewhere


def _schema_at(path: Path) -> type[msgspec.Struct]:
    if not path or path[0] in _NAMED:
        return _NAMED[path[0]] if len(path) > 1 else Config
    return tables()[path]


def _named_place(variable: str, raw: Mapping[str, Any]) -> tuple[Path, Field] | None:
    """Which streamer's or destination's key a variable means: one of the file, else a new one.

    Raises ValueError if it could be two of them.
    """
    for table, schema in _NAMED.items():
        rest = variable.removeprefix(f"{PREFIX}{table.upper()}_")
        if rest == variable:
            continue
        for field in fields(schema).values():
            key = rest.removesuffix(f"_{field.name.upper()}")
            if not key or key == rest:
                continue
            meant = [(name, path) for name, path in _existing(table, raw) if _upper(name) == key]
            if len(meant) > 1:
                listed = " or ".join(values.harmless(name) for name, _ in meant)
                raise ValueError(f"it could be meant for {listed}; rename one of them or set this in the file")
            path = meant[0][1] if meant else (key.lower(),)
            return (table, *path, field.name), field
    return None


def _existing(table: str, raw: Mapping[str, Any]) -> list[tuple[str, Path]]:
    content = raw.get(name_in(Config, raw, table), {})
    if not isinstance(content, Mapping):
        return []
    if table == "streamers":
        return list(streamer_paths(content).items())
    return [(name, (name,)) for name in content]


def _upper(key: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", key.upper())


def _has(raw: Mapping[str, Any], path: Path) -> bool:
    content: Any = raw
    for part in path:
        if not isinstance(content, Mapping) or part not in content:
            return False
        content = content[part]
    return not values.is_unset(content)


def _unknown(variable: str, raw: Mapping[str, Any]) -> str:
    candidates = [*names(), *sorted(OTHERS)]
    for table, schema in _NAMED.items():
        for key, _ in _existing(table, raw):
            candidates += [f"{PREFIX}{table.upper()}_{_upper(key)}_{name.upper()}" for name in fields(schema)]
    guess = values.closest(variable, candidates)
    hint = f"did you mean {guess}?" if guess else "see `itsjustintv-desktop config example` for the settings there are"
    return f"no setting has this name, it is ignored; {hint}"
