"""config.toml as a document that a person edits: read, check, save, undo. Never over someone else's change."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.diff import compare
from itsjustintv_desktop.engine.config.load import BOM, Examined, Remark, decode, digest_of, examine, read_bytes
from itsjustintv_desktop.engine.config.save import Change, ConfigFile, apply
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import ConfigChangedError, UsageError
from itsjustintv_desktop.engine.runtime.config_reloader import ConfigReloader

IN_FORCE_SECONDS = 5.0
_UNDOS = 10

Restore = Callable[[], Awaitable[None]]
T = TypeVar("T")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The file as it is now. `text` has "\\n" at its line ends, whatever the file has; "" for a missing file."""

    text: str
    digest: str
    path: str
    problems: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


class ValidationResult(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` says in a sentence what would be different from the config in force, "" for nothing."""

    problems: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    changes: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """It is on disk. `state`: in_force, refused or waiting (`sentence` says why), late (not dealt with within five
    seconds), stored (nothing runs that would use it), unchanged (there was nothing to save).

    `undo` is for `undo`, "" where that cannot be had. `note` is a sentence worth showing beside, or "".
    """

    digest: str
    state: Literal["in_force", "refused", "waiting", "late", "stored", "unchanged"]
    sentence: str = ""
    changes: str = ""
    warnings: tuple[Remark, ...] = ()
    undo: str = ""
    note: str = ""


class _Undo(msgspec.Struct, frozen=True):
    digest: str
    content: bytes | None
    restore: Restore | None


def changed(where: str) -> ConfigChangedError:
    """`where`: the tables, "" if that is not known."""
    return ConfigChangedError(
        f"The config was changed by someone else in the meantime{f' ({where})' if where else ''}. Nothing was "
        "saved; take a look at the new version and make your change again."
    )


class Documents:
    """All writing of the config goes through here, one at a time."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        config: ConfigHolder,
        reloader: ConfigReloader | None,
    ) -> None:
        """`config` is the one in force, `reloader` takes up what is saved (None: nothing runs that would use it)."""
        self.path = path
        self.environ = environ
        self.config = config
        self._reloader = reloader
        self._undos: OrderedDict[str, _Undo] = OrderedDict()
        self._turn = asyncio.Lock()

    async def document(self) -> Document:
        """Raises ConfigError if the file cannot be read, or is no text."""
        text, digest, found = await asyncio.to_thread(self._read)
        return Document(text=text, digest=digest, path=str(self.path), problems=found.problems, warnings=found.warnings)

    async def check(self, text: str) -> ValidationResult:
        """What would be wrong with this text, and what it would change."""
        found = await asyncio.to_thread(examine, text, self.environ)
        changes = compare(self.config.current.config, found.config).sentence if found.config is not None else ""
        return ValidationResult(problems=found.problems, warnings=found.warnings, changes=changes)

    async def save_text(self, text: str, digest: str, *, restore: Restore | None = None) -> Saved:
        """Save a text that was made of the document with that digest.

        Raises ConfigChangedError (the file was changed since: nothing is saved), ConfigError (the text cannot be used),
        ConfigSaveError.
        """
        async with self._turn:
            file = await asyncio.to_thread(self._open_whole)
            if file.digest != digest:
                raise changed("")
            await asyncio.to_thread(file.replace, text)
            return await self._save(file, restore=restore)

    async def edit(
        self,
        changes: Iterable[Change],
        digest: str | None = None,
        *,
        restore: Restore | None = None,
        forget: bool = False,
    ) -> Saved:
        """Make these changes, comments kept. With `digest`, only if the file was not changed since.

        `forget`: what is replaced holds a secret that was moved away; no backup and no undo keeps it.
        Raises ConfigError, ConfigChangedError, ConfigSaveError, UsageError.
        """
        wanted = list(changes)
        async with self._turn:
            file = await asyncio.to_thread(self.file)
            if digest is not None and file.digest != digest:
                raise changed("")
            await asyncio.to_thread(apply, file, wanted)
            return await self._save(file, restore=restore, forget=forget)

    async def undo(self, token: str) -> Saved:
        """Put back what a save replaced. Raises UsageError (too long ago), ConfigChangedError (the file is another)."""
        async with self._turn:
            kept = self._undos.get(token)
            if kept is None:
                raise UsageError("That can no longer be undone.")
            file = await asyncio.to_thread(self._open_whole)
            if file.digest != kept.digest:
                raise ConfigChangedError("The config was changed again since then, so that cannot be undone any more.")
            if kept.restore is not None:
                await kept.restore()
            await asyncio.to_thread(file.replace, decode(kept.content or b"", str(self.path)))
            saved = await self._save(file)
            del self._undos[token]
            return saved

    async def exclusively(self, work: Callable[[], T]) -> T:
        """Run what writes the file in another way, in a thread, while nothing else is saved."""
        async with self._turn:
            return await asyncio.to_thread(work)

    async def in_file(self) -> tuple[Config, str]:
        """What the file says now, and its digest for `edit`. It may be newer than what is in force; that is what is
        returned where the file cannot be used."""
        _, digest, found = await asyncio.to_thread(self._read)
        return found.config or self.config.current.config, digest

    def _open_whole(self) -> ConfigFile:
        return ConfigFile(self.path, self.environ, whole=True)

    def file(self) -> ConfigFile:
        """The file as it is now. Blocks."""
        return ConfigFile(self.path, self.environ)

    def no_undo(self) -> None:
        """What was saved before can no longer be put back: more than the file has changed with it."""
        self._undos.clear()

    async def moved(self, move: Callable[[], Awaitable[object]]) -> Saved:
        """Let something else write the file meanwhile (secrets are moved out of it), and follow it."""
        async with self._turn:
            await move()
            self._undos.clear()
            file = await asyncio.to_thread(self.file)
            found = await asyncio.to_thread(examine, file.text, self.environ)
            return await self._followed(file.digest, found, undo="")

    async def _save(self, file: ConfigFile, *, restore: Restore | None = None, forget: bool = False) -> Saved:
        before, text = await asyncio.to_thread(read_bytes, self.path), file.text
        found = await asyncio.to_thread(examine, text, self.environ)
        digest = file.digest
        await asyncio.to_thread(lambda: file.save(forget_backup=forget))
        if forget:
            self._undos.clear()
        if file.digest == digest:
            return Saved(digest=digest, state="unchanged", warnings=found.warnings)
        token = ""
        if not forget:
            token = uuid.uuid4().hex
            self._undos[token] = _Undo(file.digest, before, restore)
            while len(self._undos) > _UNDOS:
                self._undos.popitem(last=False)
        return await self._followed(file.digest, found, undo=token)

    async def _followed(self, digest: str, found: Examined, *, undo: str) -> Saved:
        """Wait until the running engine works by it, or says why not."""
        config = found.config
        changes = compare(self.config.current.config, config).sentence if config is not None else ""
        saved = Saved(digest=digest, state="stored", changes=changes, warnings=found.warnings, undo=undo)
        if self._reloader is None:
            return msgspec.structs.replace(saved, sentence="It takes effect at the next start.")
        self._reloader.trigger(whole=digest)
        state = await self._reloader.taken_up(digest, IN_FORCE_SECONDS)
        if state is None:
            sentence = "It is saved, and will be in force in a moment."
            return msgspec.structs.replace(saved, state="late", sentence=sentence)
        if state.state == "ok":
            return msgspec.structs.replace(saved, state="in_force")
        outcome: Literal["waiting", "refused"] = "waiting" if state.state == "waiting" else "refused"
        return msgspec.structs.replace(saved, state=outcome, sentence=state.reason)

    def _read(self) -> tuple[str, str, Examined]:
        content = read_bytes(self.path)
        text = _plain(decode(content or b"", str(self.path)))
        return text, digest_of(content), examine(text, self.environ)


def _plain(text: str) -> str:
    return text.removeprefix(BOM).replace("\r\n", "\n")
