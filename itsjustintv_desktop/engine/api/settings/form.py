"""The config as a form: every key, checked as it is typed, saved, or put into a text that is being edited."""

from __future__ import annotations

import asyncio

from itsjustintv_desktop.engine.api.settings import drafts
from itsjustintv_desktop.engine.api.settings.documents import Documents, Saved
from itsjustintv_desktop.engine.api.settings.fields import FieldInfo, all_fields, changes_of, problem_of


class Form:
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def fields(self) -> tuple[FieldInfo, ...]:
        """Every key of every table, in the order of the schema."""
        return all_fields(self._documents.config.current.config, self._documents.environ)

    async def check_value(self, path: tuple[str, ...], text: str) -> str | None:
        """Why a typed text cannot be that key's value, as a sentence; None if it can. Raises UsageError."""
        return problem_of(path, text)

    async def set_values(self, typed: dict[tuple[str, ...], str], digest: str | None = None) -> Saved:
        """Save texts typed into a form, an empty one as "take the key out". Raises as `Documents.edit`, ConfigError for
        one that cannot be."""
        return await self._documents.edit(await asyncio.to_thread(changes_of, typed), digest)

    async def written(self, text: str) -> dict[tuple[str, ...], str]:
        """What a text that is being edited says for the keys of the form. Raises ConfigError if it is no TOML."""
        return await asyncio.to_thread(drafts.written, text)

    async def with_values(self, text: str, typed: dict[tuple[str, ...], str]) -> str:
        """A text that is being edited with values typed into the form; nothing is saved. Raises ConfigError for what
        cannot be, UsageError."""
        path, environ = self._documents.path, self._documents.environ
        return await asyncio.to_thread(drafts.with_values, text, typed, path, environ)
