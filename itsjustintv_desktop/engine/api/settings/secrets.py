"""Secrets of Twitch and the tunnel: where each is, kept, shown on purpose, forgotten. Values only in `reveal_...`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from itsjustintv_desktop.engine.api.settings.documents import Documents, Saved, changed
from itsjustintv_desktop.engine.config.environment import names
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.save import Change, Remove
from itsjustintv_desktop.engine.config.schema import KEYRING
from itsjustintv_desktop.engine.config.validators import kept_secret, trimmed, webhook_secret
from itsjustintv_desktop.engine.core.errors import NotFoundError, SecretsError, UsageError
from itsjustintv_desktop.engine.core.fingerprints import UNKNOWN, Fingerprints, fingerprint, fits
from itsjustintv_desktop.engine.storage.secrets import (
    TUNNEL_AUTHTOKEN,
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
    SecretsState,
    SecretStore,
    SecretValues,
    move_into_keyring,
)

Where = Literal["environment", "config", "keyring", "vault", "memory", "absent", "unknown"]

TITLES = {
    TWITCH_CLIENT_SECRET: "Twitch client secret",
    TWITCH_WEBHOOK_SECRET: "Webhook secret",
    TUNNEL_AUTHTOKEN: "ngrok authtoken",
}
_RULES: dict[str, Callable[[str, Callable[[str], None]], str | None]] = {
    TWITCH_CLIENT_SECRET: kept_secret,
    TWITCH_WEBHOOK_SECRET: webhook_secret,
    TUNNEL_AUTHTOKEN: kept_secret,
}
_SENTENCES: dict[Where, str] = {
    "environment": "It comes from the environment variable {variable}, which wins over everything else.",
    "config": "It stands in config.toml, where whoever may read that file can read it.",
    "keyring": "It is kept in your system's keyring.",
    "vault": "It is kept encrypted in secrets.vault, under your passphrase.",
    "memory": "It is kept until the program ends: [secrets] store is memory.",
    "absent": "It is not set.",
}


class SecretView(msgspec.Struct, frozen=True, kw_only=True):
    """`sentence` says where it is and what that means; for `unknown` why it cannot be looked up, and what to do.
    `fingerprints` tell whether it is still what it was, in the file and where secrets are kept."""

    name: str
    title: str
    where: Where
    sentence: str
    fingerprints: Fingerprints = {}


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """A destination's address and secret, in the clear. Neither is in any repr."""

    url: str
    secret: str

    def __repr__(self) -> str:
        return "Revealed()"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class Secrets:
    def __init__(
        self,
        documents: Documents,
        store: SecretStore,
        values: SecretValues,
        try_again: Callable[[], None],
    ) -> None:
        """`try_again` is called when a secret may be another: whatever waits for one tries now."""
        self._documents = documents
        self._store = store
        self._values = values
        self._try_again = try_again

    async def list(self) -> tuple[SecretView, ...]:
        """All of them; never raises for one that cannot be had."""
        return tuple([await self._view(name) for name in TITLES])

    async def keep(self, name: str, value: str, base: SecretView | None = None) -> SecretView:
        """Keep a secret where secrets are kept; one that stands in the config is taken out of it and its backup. With
        `base`, what a person saw before, only if it is still that one.

        Raises NotFoundError for an unknown name, UsageError for a value that cannot be one, SecretsError, and as
        `Documents.edit`. The config is changed last: until then the one in it counts.
        """
        good = _judged(name, value)
        if base is not None and not fits(await self._fingerprints(name), base.fingerprints):
            raise changed(name)
        store = self._store
        in_file = await self._must_be_moved(name)
        before = await store.get(name)
        await store.set(name, good)
        if in_file:
            try:
                await self._documents.edit([Remove(tuple(name.split(".")))], forget=True)
            except Exception:
                await store.set(name, before or "")
                raise
        self._try_again()
        return await self._view(name)

    async def keep_with(self, values: Mapping[str, str], changes: Iterable[Change], digest: str | None = None) -> Saved:
        """Keep secrets, and change the config that needs them, in one save: both or neither. With `digest`, only if the
        file was not changed since. Raises as `keep` and `Documents.edit`."""
        good = {name: _judged(name, value) for name, value in values.items()}
        moved = [Remove(tuple(name.split("."))) for name in good if await self._must_be_moved(name)]
        before = {name: await self._store.get(name) for name in good}
        try:
            for name, value in good.items():
                await self._store.set(name, value)
            saved = await self._documents.edit([*moved, *changes], digest, forget=bool(moved))
        except BaseException:
            for name in good:
                await self._store.set(name, before[name] or "")
            raise
        self._try_again()
        return saved

    async def forget(self, name: str) -> SecretView:
        """Out of the store and out of the config. Raises NotFoundError, SecretsError, and as `Documents.edit`."""
        _known(name)
        await self._store.delete(name)
        if await self._in_file(name):
            await self._documents.edit([Remove(tuple(name.split(".")))], forget=True)
        self._try_again()
        return await self._view(name)

    async def reveal(self, name: str) -> str:
        """Its value, in the clear. Raises NotFoundError where it is not set, SecretsError."""
        _known(name)
        values = self._values
        found: str | None
        if name == TWITCH_CLIENT_SECRET:
            found = await values.client_secret()
        elif name == TUNNEL_AUTHTOKEN:
            found = await values.tunnel_authtoken()
        else:
            written = self._documents.config.current.config.twitch.webhook_secret
            found = written if written not in {"", KEYRING} else await self._store.get(name)
        if not found:
            raise NotFoundError(f"{TITLES[name]}: it is not set.")
        return found

    async def reveal_destination(self, name: str) -> Revealed:
        """Its address and secret, in the clear. Raises NotFoundError, SecretsError."""
        destination = self._documents.config.current.destinations.get(name)
        if destination is None:
            raise NotFoundError("There is no such destination in the config.")
        url, secret = destination.url, destination.secret
        if KEYRING in {url, secret}:
            kept = await self._store.destination(name)
            url = (kept.url or "") if url == KEYRING else url
            secret = (kept.secret or "") if secret == KEYRING else secret
        return Revealed(url=url, secret=secret)

    async def move(self) -> tuple[str, ...]:
        """Every secret that stands in the config in the clear goes to where secrets are kept; the keys of the file
        that were moved. Raises UsageError, SecretsError, and as `Documents.edit`."""
        moved: list[str] = []
        in_clear = self._documents.config.loaded.secrets_in_clear

        async def work() -> None:
            path, environ = self._documents.path, self._documents.environ
            moved.extend(await move_into_keyring(path, in_clear, self._store, environ=environ))

        if in_clear:
            await self._documents.moved(work)
            self._try_again()
        return tuple(moved)

    async def unlock(self, passphrase: str | None = None) -> SecretsState:
        """Open the keyring or the vault; the keyring may ask the person by itself. Never raises: see the state."""
        state = await self._store.unlock(passphrase)
        self._try_again()
        return state

    async def _view(self, name: str) -> SecretView:
        where, sentence = await self._where(name)
        prints = await self._fingerprints(name)
        return SecretView(name=name, title=TITLES[name], where=where, sentence=sentence, fingerprints=prints)

    async def _fingerprints(self, name: str) -> dict[str, str]:
        found = {"file": fingerprint(written)} if (written := await self._in_file(name)) else {}
        try:
            kept = await self._store.get(name)
        except SecretsError:
            return {**found, "store": UNKNOWN}
        return {**found, "store": fingerprint(kept)} if kept else found

    async def _where(self, name: str) -> tuple[Where, str]:
        path = tuple(name.split("."))
        variable = next((one for one, (target, _) in names().items() if target == path), "")
        bare = variable.removeprefix("ITSJUSTINTV_")
        in_file = await self._in_file(name)
        used = variable if self._documents.environ.get(variable, "").strip() else "" if in_file else bare
        if used and self._documents.environ.get(used, "").strip() not in {"", KEYRING}:
            return "environment", _SENTENCES["environment"].format(variable=used)
        if in_file:
            return "config", _SENTENCES["config"]
        try:
            there = await self._store.get(name)
        except SecretsError as error:
            return "unknown", error.message
        where: Where = self._store.place if there else "absent"
        sentence = _SENTENCES[where]
        if where == "absent" and name == TWITCH_WEBHOOK_SECRET:
            sentence = "It is made when it is first needed."
        return where, sentence

    async def _must_be_moved(self, name: str) -> bool:
        """Whether it stands in the file. Raises UsageError if there is no better place for it."""
        in_file = bool(await self._in_file(name))
        if in_file and not self._store.lasting:
            raise UsageError(
                "It stands in config.toml, and secrets are kept in memory only, where it would be gone with the end "
                'of the program. Choose [secrets] store = "keyring" or "passphrase" first.'
            )
        return in_file

    async def _in_file(self, name: str) -> str:
        """The value that the file itself holds, "" for none."""

        def look() -> str:
            written = self._documents.file().get(tuple(name.split(".")))
            return written.strip() if isinstance(written, str) and written.strip() != KEYRING else ""

        return await asyncio.to_thread(look)


def _known(name: str) -> None:
    if name not in TITLES:
        raise NotFoundError("There is no secret of that name.")


def _judged(name: str, value: str) -> str:
    """The secret without what does not belong to it. Raises NotFoundError, UsageError."""
    _known(name)
    try:
        good = _RULES[name](value, lambda _: None) if trimmed(value) else None
    except Mistake as mistake:
        raise UsageError(f"It cannot be used: {mistake}.") from None
    if not good:
        raise UsageError("Enter the secret.")
    return good
