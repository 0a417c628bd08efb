"""Destinations: what there is, saved with address and secret in the vault, deleted. Nothing here shows an address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET

from itsjustintv_desktop.engine.api import destinations
from itsjustintv_desktop.engine.api.destinations import DestinationView
from itsjustintv_desktop.engine.api.settings.destination_drafts import (
    DestinationDraft,
    brought_back,
    draft_of,
    same,
)
from itsjustintv_desktop.engine.api.settings.documents import Documents, Saved, changed
from itsjustintv_desktop.engine.config.destinations import GLOBAL, destinations_of, effective_destinations, format_of
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.fields import fields
from itsjustintv_desktop.engine.config.load import examine
from itsjustintv_desktop.engine.config.notation import Value, dotted, encode
from itsjustintv_desktop.engine.config.read import unfit_name
from itsjustintv_desktop.engine.config.save import Change, Redirect, Remove, Set
from itsjustintv_desktop.engine.config.schema import KEYRING, Destination, GlobalWebhook, Streamer
from itsjustintv_desktop.engine.config.validators import trimmed
from itsjustintv_desktop.engine.core.errors import AppError, ConfigError, NotFoundError, SecretsError, UsageError
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import DestinationSecrets, SecretStore

Kind = Literal["named", "streamer", "global"]

_IN_MEMORY = "Its address is kept in memory only and gone with the end of the program: [secrets] store is memory."
_PREFIX = "target_webhook_"
_OWN = tuple(name.removeprefix(_PREFIX) for name in fields(Streamer) if name.startswith(_PREFIX))
"""What a streamer's own destination, and that of [global_webhook], can have."""
_PLAIN_FIELDS = ("format", "signature", "header", "hashing", "picture", "timeout", "enabled")


class DestinationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: written out under its name, made by a streamer's own address, or by [global_webhook].

    `address`: where it is kept; "" with `problem` where it cannot be had. `host` is its host alone. `format`: what is
    sent there. `state` and `reason` are those of the breaker ("off": switched off). `streamers` announce there.
    """

    draft: DestinationDraft
    kind: Kind
    address: Literal["vault", "config", "environment", ""]
    host: str
    format: str
    signed: bool
    header_names: tuple[str, ...]
    state: str
    reason: str
    streamers: tuple[str, ...]
    problem: str = ""
    secret_problem: str = ""
    """Why its secret cannot be read at the moment."""


class DestinationUse(msgspec.Struct, frozen=True, kw_only=True):
    """What goes with a destination that is deleted."""

    waiting: int
    streamers: tuple[str, ...]


class Destinations:
    def __init__(
        self,
        documents: Documents,
        secrets: SecretStore,
        ledger: Ledger,
        states: destinations.Destinations,
        changed: Callable[[], None],
    ) -> None:
        """`states` says how the way to each is; `changed` is called when more may be sent."""
        self._documents = documents
        self._secrets = secrets
        self._ledger = ledger
        self._states = states
        self._changed = changed

    async def list(self) -> tuple[DestinationInfo, ...]:
        """Every destination, in the order of the config. Never raises for secrets that cannot be had."""
        states = {one.name: one for one in await self._states.list()}
        return tuple(
            [
                await self._info(name, one, states[name])
                for name, one in self._documents.config.current.destinations.items()
            ]
        )

    async def use(self, name: str) -> DestinationUse:
        """Raises NotFoundError, LedgerError."""
        self._kind(name)
        return DestinationUse(waiting=await self._ledger.count_waiting(name), streamers=self._users(name))

    async def save(
        self, name: str, draft: DestinationDraft, base: DestinationDraft | None = None, *, in_config: bool = False
    ) -> Saved:
        """Save a new destination (`name` "") or change one. Another name than before: see `rename`. With `base`, what
        the draft was made of, only if the file and the vault still say that. A draft of one that was removed makes it
        anew, with what the vault still has of it.

        Address and secret go to the vault and the config says "@keyring"; with `in_config` they stand in the file.
        Raises SecretsError (the vault cannot be had: nothing was changed), ConfigError, UsageError, NotFoundError, and
        as `Documents.edit`; all is then as it was.
        """
        if draft.secret:
            if not trimmed(draft.secret):
                raise UsageError("The secret is nothing but blanks. Enter it, or leave the field empty.")
            draft = msgspec.structs.replace(draft, secret=trimmed(draft.secret))
        is_new = not name
        name = draft.name.strip() if is_new else name
        if is_new:
            self._must_be_free(name)
        elif draft.name != name:
            raise UsageError("Rename it first, then change it.")
        digest: str | None = None
        if base is not None and not is_new:
            config, digest = await self._documents.in_file()
            now = effective_destinations(config).get(name)
            if now is None or not same(await draft_of(name, now, self._secrets), base):
                raise changed(dotted(("destinations", name)))
        kind: Kind = "named" if is_new else self._kind(name)
        written = await asyncio.to_thread(self._written, kind, name)
        kept = await self._kept(name, in_config=in_config)
        if is_new:
            draft = brought_back(draft, kept)
        self._judge(draft, kept, written.get("url"), is_new=is_new)
        changes: list[Change] = [*_plain_changes(kind, name, draft, written)]
        wanted: dict[str, str | None] = {}
        forget = False
        for field, value in (("url", draft.url), ("secret", draft.secret)):
            if value is None:
                continue
            path, before = _path(kind, name, field), written.get(field)
            forget = forget or (isinstance(before, str) and before not in {"", KEYRING} and not in_config)
            if in_config or not value:
                changes.append(Set(path, value.strip()) if value else Remove(path))
                wanted[field] = None
            else:
                wanted[field] = value.strip()
                if before != KEYRING:
                    changes.append(Set(path, KEYRING))
        if wanted and (any(wanted.values()) or kept != DestinationSecrets()):
            await self._keep(name, wanted)
        try:
            saved = await self._documents.edit(changes, digest, forget=forget)
        except AppError:
            await self._keep(name, {"url": kept.url, "secret": kept.secret}, best=True)
            raise
        self._changed()
        if saved.state == "unchanged" and wanted:
            saved = msgspec.structs.replace(saved, state="in_force")
        memory = any(wanted.values()) and not self._secrets.lasting
        return msgspec.structs.replace(saved, note=_IN_MEMORY) if memory else saved

    async def delete(self, name: str) -> Saved:
        """Streamers no longer name it, and what waits for it becomes a dead letter (`use` says how much does). Undo
        brings config and vault back, not what died meanwhile. Raises NotFoundError, and as `Documents.edit`."""
        kind = self._kind(name)
        try:
            kept = await self._secrets.destination(name)
        except SecretsError:
            kept = DestinationSecrets()

        async def restore() -> None:
            if kept != DestinationSecrets():
                await self._secrets.set_destination(name, url=kept.url, secret=kept.secret)

        changes: list[Change]
        if kind == "named":
            changes = [Redirect(name, None), Remove(("destinations", name))]
        elif kind == "global":
            changes = [Remove(("global_webhook",))]
        else:
            changes = [Redirect(name, None), *(Remove(_path(kind, name, field)) for field in _OWN)]
        saved = await self._documents.edit(changes, restore=restore)
        if kept != DestinationSecrets():
            await self._keep(name, {"url": None, "secret": None}, best=True)
        return saved

    async def reachable(self, draft: DestinationDraft | str) -> tuple[Destination, str, str | None]:
        """What a draft, or a saved one by its name, comes to, with address and secret. Raises NotFoundError,
        SecretsError, UsageError where it has no address."""
        if isinstance(draft, str):
            self._kind(draft)
            draft = await self.draft(draft)
        config = self._documents.config.current.destinations.get(draft.name)
        url = draft.url if draft.url is not None else config.url if config is not None else ""
        secret = draft.secret if draft.secret is not None else config.secret if config is not None else ""
        if KEYRING in {url, secret}:
            kept = await self._secrets.destination(draft.name)
            url = (kept.url or "") if url == KEYRING else url
            secret = (kept.secret or "") if secret == KEYRING else secret
        url, secret = url.strip(), trimmed(secret)
        if not url:
            raise UsageError("The destination has no address yet. Enter one.")
        headers = draft.headers if draft.headers is not None else config.headers if config is not None else {}
        made = Destination(
            name=draft.name,
            url=url,
            format=draft.format or formats.DEFAULT.name,
            format_guessed=not draft.format,
            header=draft.header,
            hashing=draft.hashing,
            signature=draft.signature,
            picture=draft.picture,
            headers=dict(headers),
            timeout=draft.timeout,
        )
        return (
            msgspec.structs.replace(made, format=format_of(made, url).name, format_guessed=False),
            url,
            secret or None,
        )

    async def draft(self, name: str) -> DestinationDraft:
        """Raises NotFoundError."""
        self._kind(name)
        return await draft_of(name, self._documents.config.current.destinations[name], self._secrets)

    async def _info(self, name: str, one: Destination, state: DestinationView) -> DestinationInfo:
        url, problem, address = one.url, "", "config"
        if one.url == KEYRING:
            address = "vault"
            try:
                url = (await self._secrets.destination(name)).url or ""
            except SecretsError as error:
                url, problem = "", error.message
            if not url:
                address, problem = "", problem or "No address of this name is in the vault. Enter it again."
        elif not one.url:
            address = ""
        where: Any = address
        kind = format_of(one, url)
        secret_problem = ""
        if one.secret == KEYRING:
            try:
                await self._secrets.destination(name)
            except SecretsError as error:
                secret_problem = error.message
        return DestinationInfo(
            draft=await draft_of(name, one, self._secrets),
            kind=self._kind(name),
            address=where,
            host=_host(url),
            format=kind.name,
            signed=bool(one.secret) and kind.signed,
            header_names=tuple(one.headers),
            state=state.state,
            reason=state.reason,
            streamers=self._users(name),
            problem=problem,
            secret_problem=secret_problem,
        )

    def _kind(self, name: str) -> Kind:
        config = self._documents.config.current.config
        if name in config.destinations:
            return "named"
        if name in self._documents.config.current.destinations:
            return "global" if name == GLOBAL and config.global_webhook.enabled else "streamer"
        raise NotFoundError("There is no such destination in the config.")

    def _users(self, name: str) -> tuple[str, ...]:
        config = self._documents.config.current.config
        return tuple(key for key, one in config.streamers.items() if name in destinations_of(config, one))

    def _must_be_free(self, name: str) -> None:
        unfit = unfit_name(name)
        if unfit:
            raise UsageError(f"The name cannot be used: {unfit}.")
        if name in self._documents.config.current.destinations:
            raise UsageError("There is a destination of that name already; choose another name.")

    def _written(self, kind: Kind, name: str) -> dict[str, Any]:
        """What the file itself says of a destination, by our names of the fields. Blocks."""
        file = self._documents.file()
        names = Destination.__struct_fields__ if kind == "named" else _OWN
        return {field: value for field in names if (value := file.get(_path(kind, name, field))) is not None}

    async def _kept(self, name: str, *, in_config: bool) -> DestinationSecrets:
        try:
            return await self._secrets.destination(name)
        except SecretsError:
            if in_config:
                return DestinationSecrets()
            raise

    async def _keep(self, name: str, wanted: dict[str, str | None], *, best: bool = False) -> None:
        """`best`: on the way out of something else, whose outcome counts."""
        try:
            url, secret = wanted.get("url", UNSET), wanted.get("secret", UNSET)
            await self._secrets.set_destination(name, url=url, secret=secret)
        except SecretsError:
            if not best:
                raise

    def _judge(self, draft: DestinationDraft, kept: DestinationSecrets, written: Any, *, is_new: bool) -> None:
        """Raises ConfigError for what the config's own check cannot see, because it lies in the vault."""
        if is_new and not draft.url:
            raise UsageError("The destination has no address yet. Enter one.")
        table: dict[str, Value] = {"signature": draft.signature}
        url = draft.url if draft.url is not None else kept.url if written == KEYRING else written
        table["url"] = url if isinstance(url, str) and url else KEYRING
        if draft.url is not None and not draft.url.strip():
            raise UsageError("A destination needs an address. Delete it, or switch it off.")
        secret = draft.secret if draft.secret is not None else kept.secret
        if secret:
            table["secret"] = secret
        if draft.headers:
            table["headers"] = draft.headers
        if secret is None and draft.signature == "standard-webhooks":
            del table["signature"]  # a secret in the file: the file's own check sees it
        found = examine(f"[destinations]\n{dotted((draft.name,))} = {encode(table)}\n", {})
        if found.problems:
            raise ConfigError([one.sentence for one in found.problems])


def _path(kind: Kind, name: str, field: str) -> tuple[str, ...]:
    """Where a field of a destination stands in the config."""
    if kind == "named":
        return ("destinations", name, field)
    if kind == "global":
        return ("global_webhook", field if field in fields(GlobalWebhook) else f"{_PREFIX}{field}")
    return ("streamers", name, f"{_PREFIX}{field}")


def _plain_changes(kind: Kind, name: str, draft: DestinationDraft, written: dict[str, Any]) -> list[Change]:
    default = DestinationDraft(name="")
    found: list[Change] = []
    for field in _PLAIN_FIELDS:
        value = getattr(draft, field)
        if kind != "named" and field not in _OWN:
            if value != getattr(default, field):
                raise UsageError(f"{field} can only be set for a destination of its own, under [destinations].")
            continue
        path = _path(kind, name, field)
        if value == getattr(default, field):
            if field in written:
                found.append(Remove(path))
        else:
            found.append(Set(path, render(value) if field == "timeout" else value))
    if draft.headers is not None:
        if kind != "named":
            raise UsageError("headers can only be set for a destination of its own, under [destinations].")
        path = ("destinations", name, "headers")
        if "headers" in written:
            found.append(Remove(path))
        if draft.headers:
            found.append(Set(path, dict(draft.headers)))
    return found


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
