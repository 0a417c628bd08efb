"""Checks that look at more than one key: limits that contradict each other, names, doubles."""

from __future__ import annotations

from dataclasses import dataclass

from itsjustintv_desktop.engine.config import values
from itsjustintv_desktop.engine.config.destinations import GLOBAL, destinations_of
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.notation import dotted, quoted
from itsjustintv_desktop.engine.config.problems import Report
from itsjustintv_desktop.engine.config.read import Table
from itsjustintv_desktop.engine.config.schema import Config


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables as read, so that a problem knows its place: those with fixed names, and the named ones."""

    fixed: dict[str, Table]
    streamers: dict[str, Table]
    destinations: dict[str, Table]


def check_all(config: Config, tables: Tables, report: Report) -> None:
    """Adds what it finds to the report."""
    _check_retry(config, tables, report)
    _check_tls(config, tables, report)
    _check_ways(config, tables, report)
    _check_global(config, tables, report)
    _check_doubles(tables, report)
    _check_names(config, tables, report)
    _check_targets(config, tables, report)


def _check_retry(config: Config, tables: Tables, report: Report) -> None:
    retry, table = config.retry, tables.fixed.get("retry")
    if table is None or any(report.has_error(table.at(name)) for name in ("initial_delay", "max_delay", "max_age")):
        return
    if retry.max_delay < retry.initial_delay:
        key = "max_delay" if "max_delay" in table.values else "initial_delay"
        report.error(
            table.at(key),
            f'max_delay ("{render(retry.max_delay)}") is shorter than initial_delay '
            f'("{render(retry.initial_delay)}"); make it at least as long',
        )
    if retry.max_age < retry.initial_delay:
        key = "max_age" if "max_age" in table.values else "initial_delay"
        report.warn(
            table.at(key),
            f'max_age ("{render(retry.max_age)}") is shorter than initial_delay: nothing will be sent a second time',
        )


def _check_tls(config: Config, tables: Tables, report: Report) -> None:
    tls, table = config.server.tls, tables.fixed.get("server")
    if table is None or not tls.enabled or _instead_of_tls(config):
        return
    path = table.at("tls")
    if not tls.domains and not report.has_error((*path, "domains")):
        report.error((*path, "domains"), 'TLS needs a name to get a certificate for; add domains = ["example.com"]')
    if tls.challenge == "http-01" and tls.http_port == config.server.port and tls.http_port:
        report.error((*path, "http_port"), "it is the same port as server.port; the two must differ")


def _check_ways(config: Config, tables: Tables, report: Report) -> None:
    """Twitch reaches us one way: another that is set up as well would be left alone without a word."""
    conduit, tunnel = config.twitch.transport == "conduit", config.tunnel.provider != "none"
    used = _instead_of_tls(config)
    if conduit and tunnel and (table := tables.fixed.get("tunnel")) is not None:
        report.warn(table.at("provider"), f"it is not used: with {used} no tunnel is needed")
    if used and config.server.tls.enabled and (table := tables.fixed.get("server")) is not None:
        report.warn((*table.at("tls"), "enabled"), f"it is not used: with {used} no certificate is needed")


def _instead_of_tls(config: Config) -> str:
    """What needs no certificate of ours; "" if nothing does without."""
    if config.twitch.transport == "conduit":
        return '[twitch] transport = "conduit"'
    return "" if config.tunnel.provider == "none" else f'[tunnel] provider = "{config.tunnel.provider}"'


def _check_global(config: Config, tables: Tables, report: Report) -> None:
    table = tables.fixed.get("global_webhook")
    if table is None or not config.global_webhook.enabled or config.global_webhook.url:
        return
    if not report.has_error(table.at("url")):
        report.error(table.path, 'it is enabled and has no url; add url = "https://..." or set enabled = false')


def _check_doubles(tables: Tables, report: Report) -> None:
    """One channel, one streamer: otherwise it would be chance which of them an event belongs to."""
    seen: dict[tuple[str, str], tuple[str, Table]] = {}
    for key, table in tables.streamers.items():
        for field in ("user_id", "login"):
            value = table.values.get(field)
            if value is None:
                continue
            first = seen.setdefault((field, value), (key, table))
            if first[1] is table:
                continue
            where = report.place(first[1].at(field))
            report.error(
                table.at(field),
                f'{field} "{value}" is watched by {first[0]} already ({where}); keep one of the two and '
                "list all its receivers in destinations = [...]",
            )
            break  # the same pair by its other key would say nothing new


def _check_names(config: Config, tables: Tables, report: Report) -> None:
    """No name may stand for two destinations."""
    for name, table in tables.destinations.items():
        streamer = config.streamers.get(name)
        if streamer is not None and streamer.target_webhook_url:
            where = report.place(tables.streamers[name].at("target_webhook_url"))
            report.error(
                table.path,
                f"the streamer {name} has an address of its own ({where}), which makes a destination of this name; "
                "give this one another name",
            )
    if not config.global_webhook.enabled:
        return
    where = report.place(("global_webhook",))
    if GLOBAL in tables.destinations:
        report.error(
            tables.destinations[GLOBAL].path,
            f'[global_webhook] ({where}) makes a destination named "global"; give this one another name',
        )
    if GLOBAL in config.streamers and config.streamers[GLOBAL].target_webhook_url:
        report.error(
            tables.streamers[GLOBAL].path,
            f'its address makes a destination named "global", as does [global_webhook] ({where}); rename the streamer',
        )


def _check_targets(config: Config, tables: Tables, report: Report) -> None:
    """Every destination a streamer names must be there; a streamer nobody hears of is worth a word."""
    known = set(tables.destinations) | {key for key, one in config.streamers.items() if one.target_webhook_url}
    if config.global_webhook.enabled:
        known.add(GLOBAL)
    for key, streamer in config.streamers.items():
        table = tables.streamers[key]
        for name in streamer.destinations:
            if name not in known and not report.has_error(("destinations", name)):
                report.error(table.at("destinations"), _no_destination(name, sorted(known)))
        silent = not destinations_of(config, streamer) and not config.output.enabled
        if silent and streamer.enabled and not report.has_error(table.at("target_webhook_url")):
            report.warn(table.path, "nobody is told: it has no destination and [output] is off")


def _no_destination(name: str, known: list[str]) -> str:
    if "://" in name:
        return 'an address cannot stand here; put url = "..." under [destinations.<name>] and that name here'
    guess = values.closest(name, known)
    if not values.is_harmless(name):
        return f"there is no such destination; {f'did you mean {guess}?' if guess else 'add it with its url'}"
    hint = f"did you mean {guess}?" if guess else f"add [destinations.{dotted((name,))}] with its url"
    return f"there is no destination {quoted(name)}; {hint}"
