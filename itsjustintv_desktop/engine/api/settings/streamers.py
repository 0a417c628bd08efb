"""Streamers: added (many in one save), changed, switched, removed, with what the form needs to know of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import structlog

from itsjustintv_desktop.engine.announce.payload import merge
from itsjustintv_desktop.engine.api.settings.documents import Documents, Saved, changed
from itsjustintv_desktop.engine.api.settings.lookup import FoundChannel
from itsjustintv_desktop.engine.config.destinations import GLOBAL, destinations_of
from itsjustintv_desktop.engine.config.notation import Value, dotted
from itsjustintv_desktop.engine.config.read import unfit_name
from itsjustintv_desktop.engine.config.save import AddTables, Change, Remove, RemoveMany, Rename, Set, SetMany
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.errors import NotFoundError, SecretsError, TwitchError, UsageError
from itsjustintv_desktop.engine.core.tags import fold
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.twitch.helix import Helix

_EVENTS = 400
"""Recent events that tags are looked for in."""
_PAGE = 200

_log = structlog.get_logger(__name__)


class StreamerDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A streamer as the form has it. `key` is its name in the config; another one than before renames it."""

    key: str
    login: str = ""
    user_id: str = ""
    enabled: bool = True
    destinations: tuple[str, ...] = ()
    tag_filter: tuple[str, ...] = ()
    additional_tags: tuple[str, ...] = ()
    description: str = ""


class StreamerLists(msgspec.Struct, frozen=True, kw_only=True):
    """The lists of a streamer that can be changed for many at once."""

    destinations: tuple[str, ...] = ()
    tag_filter: tuple[str, ...] = ()
    additional_tags: tuple[str, ...] = ()


class _Payload(msgspec.Struct):
    tags: list[str] = []


class Streamers:
    def __init__(self, documents: Documents, ledger: Ledger, helix: Helix) -> None:
        self._documents = documents
        self._ledger = ledger
        self._helix = helix

    async def draft(self, key: str) -> StreamerDraft:
        """Raises NotFoundError."""
        return _draft_of(self._streamer(key))

    async def duplicate(self, key: str) -> StreamerDraft:
        """A draft with the same settings for another channel, not saved yet: one channel is watched once."""
        before = await self.draft(key)
        return msgspec.structs.replace(before, key="", login="", user_id="")

    async def add(
        self,
        channels: Sequence[FoundChannel | str],
        destinations: Collection[str] = (),
        tag_filter: Collection[str] = (),
        like: StreamerDraft | None = None,
    ) -> Saved:
        """Watch these channels (as looked up, or logins), all in one save. Those watched already are left out, which
        the note says. `like`: another streamer, whose further settings they get (extra tags, description, whether it
        is announced). Raises UsageError if none is left, and as `Documents.edit`."""
        config = self._documents.config.current.config
        taken = set(config.streamers)
        watched = {name for one in config.streamers.values() for name in (one.user_id, one.login) if name}
        for known in self._documents.config.current.resolved.values():
            watched |= {known.user_id, known.login.lower()}
        tables: dict[str, dict[str, Value]] = {}
        skipped: list[str] = []
        for channel in channels:
            login, user_id = (channel, "") if isinstance(channel, str) else (channel.login, channel.user_id)
            login = login.strip().lower()
            if not login or (not isinstance(channel, str) and channel.unknown):
                raise UsageError("Only channels that Twitch knows can be added.")
            if login in watched or (user_id and user_id in watched):
                skipped.append(login)
                continue
            watched |= {login, user_id} - {""}
            content: dict[str, Value] = {"login": login}
            if user_id:
                content["user_id"] = user_id
            if destinations:
                content["destinations"] = list(destinations)
            if tag_filter:
                content["tag_filter"] = list(tag_filter)
            if like is not None:
                content |= _content(like, ("enabled", "additional_tags", "description"))
            key = _free(login, taken)
            taken.add(key)
            tables[key] = content
        if not tables:
            raise UsageError("All of them are watched already." if skipped else "No channel was named.")
        saved = await self._documents.edit([AddTables("streamers", tables)])
        shown = ", ".join(skipped[:5]) + (f" and {len(skipped) - 5} more" if len(skipped) > 5 else "")
        return msgspec.structs.replace(saved, note=f"Watched already: {shown}.") if skipped else saved

    async def update(self, key: str, draft: StreamerDraft, base: StreamerDraft | None = None) -> Saved:
        """Save what differs; all of it where there is no such streamer (`key` ""). With `base`, what the draft was made
        of, only if the file still says that. Raises NotFoundError, UsageError, and as `Documents.edit`."""
        if not key:
            return await self._make(draft)
        before, digest = await self.draft(key), None
        if base is not None:
            config, digest = await self._documents.in_file()
            now = config.streamers.get(key)
            if now is None or _draft_of(now) != base:
                raise changed(dotted(("streamers", key)))
            before = base
        defaults = StreamerDraft(key="")
        changes: list[Change] = []
        for name in StreamerDraft.__struct_fields__:
            value = getattr(draft, name)
            if name == "key" or value == getattr(before, name):
                continue
            path = ("streamers", key, name)
            changes.append(Remove(path) if value == getattr(defaults, name) else Set(path, _plain(value)))
        if draft.key and draft.key != key:
            unfit = unfit_name(draft.key)
            if unfit:
                raise UsageError(f"The name cannot be used: {unfit}.")
            if self._streamer(key).target_webhook_url:
                raise UsageError(
                    "It has an address of its own, which is kept under its name. Make that a destination first, then "
                    "rename the streamer."
                )
            changes.append(Rename(("streamers", key), draft.key))
        return await self._documents.edit(changes, digest)

    async def _make(self, draft: StreamerDraft) -> Saved:
        unfit = unfit_name(draft.key)
        if unfit:
            raise UsageError(f"The name cannot be used: {unfit}.")
        config, digest = await self._documents.in_file()
        if draft.key in config.streamers:
            raise changed(dotted(("streamers", draft.key)))
        return await self._documents.edit([AddTables("streamers", {draft.key: _content(draft)})], digest)

    async def change_many(
        self,
        keys: Collection[str],
        added: StreamerLists | None = None,
        removed: StreamerLists | None = None,
    ) -> Saved:
        """Put these into the lists of each, and take those out; what else a list holds stays. All in one save. Raises
        NotFoundError, and as `Documents.edit`."""
        added, removed = added or StreamerLists(), removed or StreamerLists()
        config, digest = await self._documents.in_file()
        values: dict[tuple[str, ...], Value] = {}
        emptied: list[tuple[str, ...]] = []
        for key in keys:
            streamer = config.streamers.get(key) or self._streamer(key)
            for name in StreamerLists.__struct_fields__:
                before: tuple[str, ...] = getattr(streamer, name)
                if name == "destinations" and not before and destinations_of(config, streamer) == (GLOBAL,):
                    before = (GLOBAL,)  # implied while none is written out
                same: Callable[[str], str] = str if name == "destinations" else fold
                out = set(map(same, getattr(removed, name)))
                after: dict[str, str] = {}
                for word in (*before, *getattr(added, name)):
                    if same(word) not in out:
                        after.setdefault(same(word), word)
                path = ("streamers", key, name)
                if not after and before:
                    emptied.append(path)
                elif tuple(after.values()) != before:
                    values[path] = list(after.values())
        return await self._documents.edit([SetMany(values), RemoveMany(tuple(emptied))], digest)

    async def set_enabled(self, keys: Collection[str], enabled: bool) -> Saved:
        """All in one save. Raises NotFoundError, and as `Documents.edit`."""
        paths = [("streamers", self._streamer(key).key, "enabled") for key in keys]
        change: Change = RemoveMany(tuple(paths)) if enabled else SetMany(dict.fromkeys(paths, False))
        return await self._documents.edit([change])

    async def remove(self, keys: Collection[str]) -> Saved:
        """All in one save, which can be undone. Raises NotFoundError, and as `Documents.edit`."""
        paths = tuple(("streamers", self._streamer(key).key) for key in keys)
        return await self._documents.edit([RemoveMany(paths)])

    async def suggest_tags(self, key: str) -> tuple[str, ...]:
        """Tags its channel has now, then those seen with its streams lately, the most frequent first. Raises
        NotFoundError, LedgerError."""
        streamer = self._streamer(key)
        channel = self._documents.config.current.resolved.get(key)
        user_id = streamer.user_id or (channel.user_id if channel is not None else "")
        seen: Counter[str] = Counter()
        before: int | None = None
        for _ in range(0, _EVENTS, _PAGE):
            page = await self._ledger.events(limit=_PAGE, before=before)
            for record in page:
                if record.payload is not None and (record.streamer == key or record.event.broadcaster_id == user_id):
                    seen.update(_tags(record.payload))
            if len(page) < _PAGE:
                break
            before = page[-1].id
        now = await self._tags_now(user_id) if user_id else ()
        own = {fold(tag) for tag in streamer.additional_tags}
        every = merge(now, (tag for tag, _ in seen.most_common()))
        return tuple(tag for tag in every if fold(tag) not in own)

    async def _tags_now(self, user_id: str) -> tuple[str, ...]:
        try:
            channels = await self._helix.channels([user_id])
        except (TwitchError, SecretsError) as error:
            _log.info("tags could not be asked for", reason=error.message)
            return ()
        return channels[0].tags or () if channels else ()

    def _streamer(self, key: str) -> Streamer:
        found = self._documents.config.current.config.streamers.get(key)
        if found is None:
            raise NotFoundError("There is no such streamer in the config.")
        return found


def _draft_of(streamer: Streamer) -> StreamerDraft:
    return StreamerDraft(**{name: getattr(streamer, name) for name in StreamerDraft.__struct_fields__})


def _tags(payload: bytes) -> list[str]:
    try:
        return msgspec.json.decode(payload, type=_Payload).tags
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def _content(draft: StreamerDraft, names: Collection[str] = StreamerDraft.__struct_fields__[1:]) -> dict[str, Value]:
    """What is not its default."""
    defaults = StreamerDraft(key="")
    return {name: _plain(value) for name in names if (value := getattr(draft, name)) != getattr(defaults, name)}


def _plain(value: Any) -> Value:
    result: Value = list(value) if isinstance(value, tuple) else value
    return result


def _free(login: str, taken: Collection[str]) -> str:
    """A key for a new streamer: its login, or that with a number."""
    key, number = login, 2
    while key in taken:
        key, number = f"{login}_{number}", number + 1
    return key
