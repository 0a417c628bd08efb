"""The one door for all editing. Every topic is loaded when it is first used."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.api.settings.channels import Parsed
    from itsjustintv_desktop.engine.api.settings.connection_check import TransportDraft
    from itsjustintv_desktop.engine.api.settings.destinations import (
        DestinationDraft,
        DestinationInfo,
        Destinations,
        DestinationUse,
    )
    from itsjustintv_desktop.engine.api.settings.documents import Document, Documents, Saved, ValidationResult
    from itsjustintv_desktop.engine.api.settings.fields import FieldInfo
    from itsjustintv_desktop.engine.api.settings.lookup import FoundChannel
    from itsjustintv_desktop.engine.api.settings.preview import Preview, PreviewActions, TestResult
    from itsjustintv_desktop.engine.api.settings.rename import DestinationRename
    from itsjustintv_desktop.engine.api.settings.secrets import Revealed, Secrets, SecretView
    from itsjustintv_desktop.engine.api.settings.streamers import StreamerDraft, StreamerLists, Streamers
    from itsjustintv_desktop.engine.api.settings.support import Support
    from itsjustintv_desktop.engine.api.settings.transfer import ImportPlan, Transfer
    from itsjustintv_desktop.engine.config.save import Change
    from itsjustintv_desktop.engine.engine import Engine
    from itsjustintv_desktop.engine.monitoring.doctor.report import Check
    from itsjustintv_desktop.engine.storage.secrets import SecretsState


class Settings:
    """All methods belong on the engine's loop, block nothing and raise AppError only. What each gives and raises is
    said where it is made; nothing secret is in any of it but in what `reveal_...` gives."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # The config as a document

    @cached_property
    def documents(self) -> Documents:
        from itsjustintv_desktop.engine.api.settings.documents import Documents

        return Documents(self._engine)

    async def document(self) -> Document:
        return await self.documents.document()

    async def check(self, text: str) -> ValidationResult:
        return await self.documents.check(text)

    async def save_text(self, text: str, digest: str) -> Saved:
        return await self.documents.save_text(text, digest)

    async def edit(self, changes: Iterable[Change], digest: str | None = None) -> Saved:
        return await self.documents.edit(changes, digest)

    async def undo(self, token: str) -> Saved:
        return await self.documents.undo(token)

    # The config as a form

    async def fields(self) -> tuple[FieldInfo, ...]:
        from itsjustintv_desktop.engine.api.settings.fields import all_fields

        return all_fields(self._engine.live.config, self._engine.environ)

    async def check_value(self, path: tuple[str, ...], text: str) -> str | None:
        """Why a typed text cannot be that key's value, as a sentence; None if it can. Raises UsageError."""
        from itsjustintv_desktop.engine.api.settings.fields import problem_of

        return problem_of(path, text)

    async def set_values(self, typed: dict[tuple[str, ...], str], digest: str | None = None) -> Saved:
        """Save texts typed into a form, an empty one as "take the key out". Raises as `edit`, ConfigError for one
        that cannot be."""
        from itsjustintv_desktop.engine.api.settings.fields import changes_of

        return await self.documents.edit(await asyncio.to_thread(changes_of, typed), digest)

    async def written(self, text: str) -> dict[tuple[str, ...], str]:
        """What a text that is being edited says for the keys of the form. Raises ConfigError if it is no TOML."""
        from itsjustintv_desktop.engine.api.settings.drafts import written

        return await asyncio.to_thread(written, text)

    async def with_values(self, text: str, typed: dict[tuple[str, ...], str]) -> str:
        """A text that is being edited with values typed into the form; nothing is saved. Raises ConfigError for what
        cannot be, UsageError."""
        from itsjustintv_desktop.engine.api.settings.drafts import with_values

        engine = self._engine
        return await asyncio.to_thread(with_values, text, typed, engine.paths.config, engine.environ)

    # Streamers

    @cached_property
    def _streamers(self) -> Streamers:
        from itsjustintv_desktop.engine.api.settings.streamers import Streamers

        return Streamers(self._engine, self.documents)

    async def parse_channels(self, text: str) -> Parsed:
        """Channels out of a pasted text: names, user ids and links."""
        from itsjustintv_desktop.engine.api.settings.channels import parse_channels

        return await asyncio.to_thread(parse_channels, text)

    async def look_up(self, names: Sequence[str]) -> list[FoundChannel]:
        from itsjustintv_desktop.engine.api.settings.lookup import look_up

        return await look_up(self._engine, names)

    async def streamer(self, key: str) -> StreamerDraft:
        return self._streamers.draft(key)

    async def duplicate(self, key: str) -> StreamerDraft:
        return self._streamers.duplicate(key)

    async def add_streamers(
        self,
        channels: Sequence[FoundChannel | str],
        destinations: Collection[str] = (),
        tag_filter: Collection[str] = (),
        like: StreamerDraft | None = None,
    ) -> Saved:
        return await self._streamers.add(channels, destinations, tag_filter, like)

    async def update_streamer(self, key: str, draft: StreamerDraft, base: StreamerDraft | None = None) -> Saved:
        return await self._streamers.update(key, draft, base)

    async def change_streamers(
        self, keys: Collection[str], added: StreamerLists | None = None, removed: StreamerLists | None = None
    ) -> Saved:
        from itsjustintv_desktop.engine.api.settings.streamers import StreamerLists

        return await self._streamers.change_many(keys, added or StreamerLists(), removed or StreamerLists())

    async def set_enabled(self, keys: Collection[str], enabled: bool) -> Saved:
        return await self._streamers.set_enabled(keys, enabled)

    async def remove_streamers(self, keys: Collection[str]) -> Saved:
        return await self._streamers.remove(keys)

    async def suggest_tags(self, key: str) -> tuple[str, ...]:
        return await self._streamers.suggest_tags(key)

    # Destinations

    @cached_property
    def _destinations(self) -> Destinations:
        from itsjustintv_desktop.engine.api.settings.destinations import Destinations

        return Destinations(self._engine, self.documents)

    @cached_property
    def _renaming(self) -> DestinationRename:
        from itsjustintv_desktop.engine.api.settings.rename import DestinationRename

        return DestinationRename(self._engine, self.documents)

    @cached_property
    def _trial(self) -> PreviewActions:
        from itsjustintv_desktop.engine.api.settings.preview import PreviewActions

        return PreviewActions(self._engine, self._destinations)

    async def destinations(self) -> tuple[DestinationInfo, ...]:
        return await self._destinations.list()

    async def destination(self, name: str) -> DestinationDraft:
        return self._destinations.draft(name)

    async def destination_use(self, name: str) -> DestinationUse:
        return await self._destinations.use(name)

    async def save_destination(
        self, name: str, draft: DestinationDraft, base: DestinationDraft | None = None, *, in_config: bool = False
    ) -> Saved:
        return await self._destinations.save(name, draft, base, in_config=in_config)

    async def rename_destination(self, old: str, new: str) -> Saved:
        return await self._renaming.rename(old, new)

    async def delete_destination(self, name: str) -> Saved:
        return await self._destinations.delete(name)

    async def test_destination(
        self, destination: DestinationDraft | str, streamer: StreamerDraft | None = None
    ) -> TestResult:
        return await self._trial.test(destination, streamer)

    async def preview(self, streamer: StreamerDraft | None, destination: DestinationDraft | str) -> Preview:
        return await self._trial.preview(streamer, destination)

    # Secrets

    @cached_property
    def _secrets(self) -> Secrets:
        from itsjustintv_desktop.engine.api.settings.secrets import Secrets

        return Secrets(self._engine, self.documents)

    async def secrets(self) -> tuple[SecretView, ...]:
        return await self._secrets.list()

    async def keep_secret(self, name: str, value: str) -> SecretView:
        return await self._secrets.keep(name, value)

    async def forget_secret(self, name: str) -> SecretView:
        return await self._secrets.forget(name)

    async def reveal_secret(self, name: str) -> str:
        return await self._secrets.reveal(name)

    async def reveal_destination(self, name: str) -> Revealed:
        return await self._secrets.reveal_destination(name)

    async def move_secrets(self) -> tuple[str, ...]:
        return await self._secrets.move()

    async def unlock(self, passphrase: str | None = None) -> SecretsState:
        return await self._secrets.unlock(passphrase)

    # Taking a config elsewhere

    @cached_property
    def _transfer(self) -> Transfer:
        from itsjustintv_desktop.engine.api.settings.transfer import Transfer

        return Transfer(self._engine, self.documents)

    async def export(self) -> str:
        return await self._transfer.export()

    async def export_to(self, path: Path) -> None:
        await self._transfer.export_to(path)

    async def import_text(self, text: str) -> ImportPlan:
        return await self._transfer.plan(text)

    async def apply_import(self, plan: ImportPlan, secrets: Mapping[str, str]) -> Saved:
        return await self._transfer.apply(plan, secrets)

    # Before a switch, and when help is needed

    async def check_way(self, draft: TransportDraft) -> tuple[Check, ...]:
        from itsjustintv_desktop.engine.api.settings.connection_check import ConnectionCheck

        return await ConnectionCheck(self._engine).check(draft)

    @cached_property
    def support(self) -> Support:
        """Give it the log's lines and its way of masking: see `Support`."""
        from itsjustintv_desktop.engine.api.settings.support import Support

        return Support(self._engine)

    async def support_report(self) -> str:
        return await self.support.report()
