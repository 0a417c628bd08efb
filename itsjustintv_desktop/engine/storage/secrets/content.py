"""What secrets.vault holds once it is open. No repr of these shows a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from msgspec import UNSET, UnsetType

from itsjustintv_desktop.engine.core.errors import UsageError


@dataclass(frozen=True, slots=True, repr=False)
class DestinationSecrets:
    """What is kept of one destination. None = not kept here."""

    url: str | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class VaultContent:
    """`destinations` by name; `items` is used where there is no keyring to hold them."""

    items: Mapping[str, str] = field(default_factory=dict)
    destinations: Mapping[str, DestinationSecrets] = field(default_factory=dict)

    def with_item(self, name: str, value: str | None) -> VaultContent:
        """A copy with that item set; None takes it away."""
        items = dict(self.items)
        items.pop(name, None)
        if value is not None:
            items[name] = value
        return replace(self, items=items)

    def with_destination(
        self, name: str, *, url: str | UnsetType | None = UNSET, secret: str | UnsetType | None = UNSET
    ) -> VaultContent:
        """A copy with that destination changed. UNSET leaves a value, None takes it away; empty is None."""
        kept = self.destinations.get(name, DestinationSecrets())
        changed = DestinationSecrets(
            url=kept.url if url is UNSET else (url or None),
            secret=kept.secret if secret is UNSET else (secret or None),
        )
        destinations = dict(self.destinations)
        destinations.pop(name, None)
        if changed != DestinationSecrets():
            destinations[name] = changed
        return replace(self, destinations=destinations)

    def renamed(self, old: str, new: str) -> VaultContent:
        """A copy in which `old` is called `new`. Raises UsageError if `new` is taken; a missing `old` is fine."""
        if old == new or old not in self.destinations:
            return self
        if new in self.destinations:
            raise UsageError(f'Secrets of a destination called "{new}" are kept already. Choose another name.')
        destinations = {new if name == old else name: kept for name, kept in self.destinations.items()}
        return replace(self, destinations=destinations)
