"""From the tables of the file (the environment laid over them) to a Config, with everything checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config import values
from itsjustintv_desktop.engine.config.addresses import has_credentials
from itsjustintv_desktop.engine.config.crosscheck import Tables, check_all
from itsjustintv_desktop.engine.config.destinations import guessed_format
from itsjustintv_desktop.engine.config.fields import PLATFORM, Kind, fields
from itsjustintv_desktop.engine.config.notation import Path, dotted
from itsjustintv_desktop.engine.config.problems import Mistake, Report, safe_name
from itsjustintv_desktop.engine.config.read import Table, name_in, read_table, unfit_name, unknown
from itsjustintv_desktop.engine.config.schema import KEYRING, Config, Destination, Server, Streamer
from itsjustintv_desktop.engine.config.validators import check_standard, is_login
from itsjustintv_desktop.engine.delivery import formats

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - the Go service's default, kept where TLS is on


def build(raw: Mapping[str, Any], report: Report) -> Config:
    """The whole config. What is wrong is in the report; the result then has defaults in those places."""
    found: dict[str, Any] = {}
    read: dict[str, Table] = {}
    used: set[str] = set()
    for field in fields(Config).values():
        name = name_in(Config, raw, field.name)
        used.add(name)
        try:
            content = values.convert(field, raw.get(name, {}))
        except Mistake as mistake:
            report.error((name,), str(mistake))
            continue
        if field.kind is Kind.TABLE and field.table is not None:
            read[field.name] = table = read_table(field.table, content, (name,), report)
            found[field.name] = _made(field.table, table)
        else:
            found[field.name] = content
    for name in raw:
        if name not in used:
            report.warn((name,), unknown(Config, name))
    streamers = read_streamers(found.get("streamers", {}), report)
    destinations = _read_destinations(found.get("destinations", {}), report)
    found["streamers"] = {key: Streamer(key=key, **table.values) for key, table in streamers.items()}
    found["destinations"] = {name: Destination(name=name, **table.values) for name, table in destinations.items()}
    config = Config(**found)
    check_all(config, Tables(read, streamers, destinations), report)
    return config


def _made(schema: type[msgspec.Struct], table: Table) -> msgspec.Struct:
    if schema is Server and "listen_addr" not in table.values:
        tls = table.values.get("tls")
        if tls is not None and tls.enabled:
            table.values["listen_addr"] = _EVERYWHERE
    return schema(**table.values)


def streamer_paths(raw: Mapping[str, Any]) -> dict[str, Path]:
    """Where each streamer stands in the `streamers` table, in the file's order: (key,) or ("twitch", key)."""
    paths: dict[str, Path] = {}
    for key, content in raw.items():
        if key != PLATFORM or not isinstance(content, Mapping):
            paths[key] = (key,)
            continue
        nested = [inner for inner, value in content.items() if isinstance(value, Mapping)]
        if len(nested) < len(content) or not content:
            paths[PLATFORM] = (PLATFORM,)  # a channel whose name happens to be that of the platform
        for inner in nested:
            if inner not in raw or inner == PLATFORM:
                paths[inner] = (PLATFORM, inner)
    return paths


def read_streamers(raw: Mapping[str, Any], report: Report) -> dict[str, Table]:
    """Every streamer's table by key."""
    found: dict[str, Table] = {}
    for key, inside in streamer_paths(raw).items():
        path = ("streamers", *inside)
        content: Any = raw
        for part in inside:
            content = content[part]
        if not isinstance(content, Mapping):
            report.error(path, f"it must be a table of its own; write [streamers.{dotted((safe_name(key),))}]")
            continue
        if inside == (PLATFORM,):
            content = {name: value for name, value in content.items() if not isinstance(value, Mapping)}
        unfit = unfit_name(key)
        if unfit:
            report.error(path, unfit)
            continue
        found[key] = table = read_table(Streamer, content, path, report)
        _name_login(key, table, report)
    _check_nested_twins(raw, report)
    return found


def _check_nested_twins(raw: Mapping[str, Any], report: Report) -> None:
    nested = raw.get(PLATFORM)
    if not isinstance(nested, Mapping):
        return
    for key, content in nested.items():
        if isinstance(content, Mapping) and key in raw and key != PLATFORM:
            where = report.place(("streamers", key))
            sentence = f"there is a streamer of that name already ({where}); keep one of them"
            report.error(("streamers", PLATFORM, key), sentence)


def _name_login(key: str, table: Table, report: Report) -> None:
    """A streamer that says neither id nor login is meant by its key."""
    if "user_id" in table.values or "login" in table.values:
        return
    if report.has_error(table.at("user_id")) or report.has_error(table.at("login")):
        return
    if is_login(key.lower()):
        table.values["login"] = key.lower()
        report.notice(table.path, f'it says neither login nor user_id; its name is taken: login = "{key.lower()}"')
    else:
        report.error(table.path, 'it says neither login nor user_id; add login = "the last part of twitch.tv/..."')


def _read_destinations(raw: Mapping[str, Any], report: Report) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for name, content in raw.items():
        path = ("destinations", name)
        if not isinstance(content, Mapping):
            report.error(path, f"it must be a table of its own; write [destinations.{dotted((safe_name(name),))}]")
            continue
        unfit = unfit_name(name)
        if unfit:
            report.error(path, unfit)
            continue
        found[name] = table = read_table(Destination, content, path, report)
        url = table.values.get("url", "")
        if "format" not in table.values:
            table.values["format_guessed"] = True
            table.values["format"] = guessed_format(url).name
        if not url and not report.has_error(table.at("url")) and table.values.get("enabled", True):
            report.error(path, 'it has no url; add url = "https://..."')
        _check_ignored(table, report)
        _check_signature(table, report)
        _check_authorization(table, report)
    return found


def _check_ignored(table: Table, report: Report) -> None:
    format_ = formats.named(table.values["format"])
    for key in format_.ignores & table.values.keys():
        report.warn(table.at(key), f"it is not used: {format_.title} has no use for it")


def _check_authorization(table: Table, report: Report) -> None:
    """HTTP has one Authorization header; a name and password in the address make it, too (RFC 7617)."""
    if has_credentials(table.values.get("url", "")):
        for name in table.values.get("headers", {}):
            if name.lower() == "authorization":
                sentence = "the url holds a user name or password already, which is sent as Authorization; keep one"
                report.error(table.at("headers"), sentence)


def _check_signature(table: Table, report: Report) -> None:
    if table.values.get("signature") != "standard-webhooks" or report.has_error(table.at("secret")):
        return
    secret = table.values.get("secret", "")
    if not secret:
        report.error(table.at("signature"), 'standard-webhooks cannot sign without a secret; add secret = "whsec_..."')
    elif secret != KEYRING:
        try:
            check_standard(secret, lambda sentence: report.warn(table.at("secret"), sentence))
        except Mistake as mistake:
            report.error(table.at("secret"), str(mistake))
