"""The Go service's config.toml: taken over as it is where we have none, else what is missing in ours is added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config.build import streamer_paths
from itsjustintv_desktop.engine.config.fields import ALIASES, fields
from itsjustintv_desktop.engine.config.load import BOM, Loaded, decode, parse, read_bytes, read_toml
from itsjustintv_desktop.engine.config.notation import dotted, encode
from itsjustintv_desktop.engine.config.read import name_in
from itsjustintv_desktop.engine.config.save import ConfigFile
from itsjustintv_desktop.engine.config.schema import KEYRING, Config, Destination, GlobalWebhook, Streamer
from itsjustintv_desktop.engine.import_go.report import Part, State, number

_TWITCH = ("client_id", "client_secret", "webhook_secret", "incoming_webhook_url")
_NAMED = 20


@dataclass(frozen=True, slots=True)
class GoConfig:
    """`raw` as the file has it. `loaded` is what it comes to without any environment."""

    path: Path
    text: str
    raw: Mapping[str, Any]
    loaded: Loaded

    @property
    def config(self) -> Config:
        return self.loaded.config

    def table(self, name: str) -> Mapping[str, Any]:
        found = self.raw.get(name_in(Config, self.raw, name))
        return found if isinstance(found, Mapping) else {}

    def writes(self, table: str, key: str) -> bool:
        """Whether the owner wrote that key, in whatever letter case."""
        return any(name.lower() == key for name in self.table(table))


def read(path: Path) -> GoConfig | None:
    """None: there is no such file. Raises ConfigError."""
    content = read_bytes(path)
    if content is None:
        return None
    text = decode(content, str(path)).removeprefix(BOM)
    return GoConfig(path, text, read_toml(text, str(path)), parse(text, file=str(path), environ={}))


def take_over(go: GoConfig, ours: Path, environ: Mapping[str, str]) -> Part:
    """Write or complete our config. Raises ConfigError, ConfigSaveError; our file is as it was then. Blocks."""
    part = Part(name="config.toml")
    if _same(go.path, ours):
        part.state = State.LEFT
        part.notes.append("This program uses the Go service's own file already; it was left as it is.")
        return part
    file = ConfigFile(ours, environ)
    before = file.text.removeprefix(BOM)
    if not before.strip():
        file.append(go.text)
        loaded = file.save()
        part.taken = 1
        part.notes += [*_differences(go), *_secrets(loaded)]
        return part
    if before == go.text:
        part.already = 1
        part.notes += _secrets(go.loaded)
        return part
    _complete(go, file, part, environ, str(ours))
    return part


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _complete(go: GoConfig, file: ConfigFile, part: Part, environ: Mapping[str, str], name: str) -> None:
    """Add what ours lacks: streamers, destinations, and the application at Twitch if ours names none."""
    ours = parse(file.text, file=name, environ={}).config
    blocks: list[str] = []
    for keys, table in (*_new_destinations(go, ours, part), *_new_streamers(go, ours, part)):
        lines = [f"{dotted((key,))} = {encode(value)}" for key, value in table.items()]
        blocks.append("\n".join([f"[{dotted(keys)}]", *lines]) + "\n")
    if blocks:
        file.append("\n".join(blocks))
    application = _application(go, ours)
    if application:
        file.set(("twitch",), application)
    if go.config.global_webhook.enabled and not file.get(("global_webhook",)):
        table = _known(GlobalWebhook, go.table("global_webhook"))
        file.append("[global_webhook]\n" + "".join(f"{k} = {encode(v)}\n" for k, v in table.items()))
        blocks.append("")
    if blocks or application:
        loaded = parse(file.text, file=name, environ=environ)  # the whole must hold before anything is written
        file.save()
        part.taken = len(blocks) + bool(application)
        part.notes += _secrets(loaded)
        if application:
            part.notes.append("[twitch]: the application of the Go service is used, as yours named none.")
    _say_what_stays(go, ours, part, application)


def _new_streamers(go: GoConfig, ours: Config, part: Part) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    raw = go.table("streamers")
    by_channel = {mark: key for key, each in ours.streamers.items() for mark in _channel(each)}
    for key, inside in streamer_paths(raw).items():
        streamer = go.config.streamers.get(key)
        content: Any = raw
        for name in inside:
            content = content[name]
        if streamer is None or not isinstance(content, Mapping):
            continue
        if key in ours.streamers:
            same = _is_same(ours.streamers[key], streamer)
            part.already += same
            if not same:
                _leave(part, ("streamers", key), "yours says something else and stays")
            continue
        other = next((by_channel[mark] for mark in _channel(streamer) if mark in by_channel), None)
        if other is not None:
            _leave(part, ("streamers", key), f"yours has this channel as {dotted((other,))}")
        elif key in ours.destinations and streamer.target_webhook_url:
            _leave(part, ("streamers", key), "a destination of yours has its name")
        else:
            yield ("streamers", key), _known(Streamer, content)


def _new_destinations(go: GoConfig, ours: Config, part: Part) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    for name, content in go.table("destinations").items():
        destination: Destination | None = go.config.destinations.get(name)
        if destination is None or not isinstance(content, Mapping):
            continue
        if name not in ours.destinations:
            yield ("destinations", name), _known(Destination, content)
        elif _is_same(ours.destinations[name], destination):
            part.already += 1
        else:
            _leave(part, ("destinations", name), "yours says something else and stays")


def _is_same(ours: msgspec.Struct, theirs: msgspec.Struct) -> bool:
    """Whether both say the same; what was moved to the vault does not differ."""
    return all(
        getattr(ours, name) in (getattr(theirs, name), KEYRING) or name == "format_guessed"
        for name in ours.__struct_fields__
    )


def _known(schema: type[msgspec.Struct], table: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a table that mean something here."""
    names = {*fields(schema), *ALIASES.get(schema, {})}
    return {key: value for key, value in table.items() if key.lower() in names}


def _channel(streamer: Streamer) -> list[str]:
    login = streamer.login or ("" if streamer.user_id else streamer.key)
    return [mark for mark in (streamer.user_id, login.lower()) if mark]


def _leave(part: Part, keys: tuple[str, ...], why: str) -> None:
    part.left_out += 1
    if part.left_out <= _NAMED:
        part.notes.append(f"[{dotted(keys)}] is left out: {why}.")
    elif part.left_out == _NAMED + 1:
        part.notes.append("More tables are left out for such reasons.")


def _application(go: GoConfig, ours: Config) -> dict[str, Any]:
    if ours.twitch.client_id or not go.config.twitch.client_id:
        return {}
    return {
        key: value for key in _TWITCH if (value := getattr(go.config.twitch, key)) and not getattr(ours.twitch, key)
    }


def _say_what_stays(go: GoConfig, ours: Config, part: Part, application: Mapping[str, Any]) -> None:
    """Keys that the Go service's owner wrote and that differ in ours, by name: values may be secrets."""
    defaults = Config()
    same_application = go.config.twitch.client_id == ours.twitch.client_id
    for table in ("server", "twitch", "global_webhook", "retry", "output", "telemetry"):
        go_table, our_table = getattr(go.config, table), getattr(ours, table)
        differing = [
            key
            for key in type(go_table).__struct_fields__
            if getattr(go_table, key) not in (getattr(our_table, key), getattr(getattr(defaults, table), key))
            and getattr(our_table, key) != KEYRING
            and not (key in {"client_secret", "webhook_secret"} and same_application and not getattr(our_table, key))
            and key not in application
            and not (table == "global_webhook" and our_table == defaults.global_webhook)
            and key not in {"token_file", "state_file"}
        ]
        if differing:
            part.notes.append(f"[{table}] {', '.join(differing)}: yours stays as it is.")


def _secrets(loaded: Loaded) -> list[str]:
    keys = loaded.secrets_in_clear
    if not keys:
        return []
    return [
        f"{number(len(keys), 'secret stands', 'secrets stand')} in the file in the clear and "
        f"{'is' if len(keys) == 1 else 'are'} used. `config move-secrets` moves them to the keyring."
    ]


def _differences(go: GoConfig) -> list[str]:
    """What the same file means here and did not mean there, one sentence each."""
    config = go.config
    found = []
    if not go.writes("server", "listen_addr") and not config.server.tls.enabled:
        found.append(
            "[server] listen_addr is not written: it is 127.0.0.1 here and was 0.0.0.0. Where a proxy on another "
            'machine, or a container, must reach this port, write listen_addr = "0.0.0.0".'
        )
    if not go.writes("retry", "max_attempts"):
        found.append(
            "[retry] max_attempts is not written: deliveries are tried for a day here (max_age) and were given up "
            "after 3 attempts."
        )
    elif config.retry.max_attempts > 0:
        found.append(
            f"[retry] max_attempts = {config.retry.max_attempts} stays as you wrote it: after that many attempts a "
            "delivery is given up. Without the line it is tried for a day."
        )
    if not go.writes("retry", "initial_delay"):
        found.append("[retry] initial_delay is not written: the first wait is 30s here and was 1s.")
    if not go.writes("retry", "max_delay"):
        found.append("[retry] max_delay is not written: the longest wait is 30m here and was 5m.")
    if not go.writes("output", "max_lines"):
        found.append("[output] max_lines is not written: output.json keeps 25 announcements here and kept 1000.")
    places = (("[output] file_path", config.output.file_path), ("[server.tls] cert_dir", config.server.tls.cert_dir))
    found += [
        f"{key} is an absolute path: this program writes there, too, as soon as it runs."
        for key, path in places
        if PurePath(path).is_absolute()
    ]
    return found
