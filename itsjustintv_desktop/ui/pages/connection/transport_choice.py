"""The four ways Twitch can reach the program: their names, what a form wants, and saving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QCoreApplication

from itsjustintv_desktop.engine import Remove, Set, TransportDraft
from itsjustintv_desktop.ui.bridge import Bridge

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Change, Saved

TransportChoice = Literal["conduit", "ngrok", "tls", "own"]
KINDS: tuple[TransportChoice, ...] = ("conduit", "ngrok", "tls", "own")

CLIENT_SECRET, AUTHTOKEN = "twitch.client_secret", "tunnel.authtoken"
"""Names of secrets, as the engine keeps them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands in the form: what is checked, and what is only saved."""

    draft: TransportDraft
    domain: str = ""
    """ngrok's fixed domain."""
    email: str = ""
    """Where the certificate authority may write to."""

    @property
    def kind(self) -> TransportChoice:
        return self.draft.kind


def title(kind: str) -> str:
    return {
        "conduit": _tr("Conduit"),
        "ngrok": _tr("ngrok tunnel"),
        "tls": _tr("Own certificate"),
        "own": _tr("Own proxy or tunnel"),
    }.get(kind, _tr("No way yet"))


def description(kind: TransportChoice) -> str:
    """What it is and what it asks of a person."""
    return {
        "conduit": _tr(
            "This program calls Twitch. No port, router or certificate is involved. Right for nearly everyone."
        ),
        "ngrok": _tr("ngrok gives this computer a public address. Needs a free ngrok account."),
        "tls": _tr("Twitch calls this computer directly. Needs a domain that leads here, and one forwarded port."),
        "own": _tr("Your server or tunnel speaks https on port 443 and hands Twitch's messages on to this program."),
    }[kind]


def changes_of(wanted: Wanted) -> list[Change]:
    """All that decides the way is said, so that nothing of the way before gets in between. No secret is in it."""
    draft = wanted.draft
    kind = draft.kind
    found: list[Change] = [
        Set(("twitch", "transport"), "conduit" if kind == "conduit" else "webhook"),
        _or_gone(("tunnel", "provider"), "ngrok" if kind == "ngrok" else ""),
        Set(("server", "tls", "enabled"), True) if kind == "tls" else Remove(("server", "tls", "enabled")),
    ]
    if draft.client_id is not None:
        found.append(Set(("twitch", "client_id"), draft.client_id))
    if kind in {"ngrok", "tls"}:  # Twitch shall be told the address that the way itself finds
        found += [Remove(("twitch", "incoming_webhook_url")), Remove(("server", "external_domain"))]
    if kind == "ngrok":
        found.append(_or_gone(("tunnel", "domain"), wanted.domain))
    if kind == "own":
        found += [Set(("twitch", "incoming_webhook_url"), draft.address), Remove(("server", "external_domain"))]
    if kind == "tls":
        found += [
            Set(("server", "tls", "domains"), list(draft.domains)),
            _or_gone(("server", "tls", "email"), wanted.email),
            Set(("server", "tls", "challenge"), draft.challenge),
        ]
        if draft.challenge == "http-01":
            found.append(Set(("server", "tls", "http_port"), draft.http_port))
    if draft.port is not None:
        found.append(Set(("server", "port"), draft.port))
    if draft.listen_addr is not None:
        found.append(Set(("server", "listen_addr"), draft.listen_addr))
    elif kind in {"conduit", "ngrok"}:
        found.append(Remove(("server", "listen_addr")))  # this machine alone: nobody else has to reach it
    return found


def names_of(typed: str) -> tuple[str, ...]:
    """Domains out of a typed line."""
    return tuple(part for part in typed.replace(",", " ").split() if part)


def _or_gone(path: Sequence[str], value: str) -> Change:
    return Set(tuple(path), value) if value else Remove(tuple(path))


def _tr(text: str) -> str:
    return QCoreApplication.translate("ways", text)


async def save(bridge: Bridge, wanted: Wanted) -> Saved:
    """Secrets first: a way that comes up without them would only complain. Raises what the engine raises."""
    secret, token = wanted.draft.client_secret, wanted.draft.authtoken
    if secret:
        await bridge.call(lambda engine: engine.api.settings.secrets.keep(CLIENT_SECRET, secret))
    if token:
        await bridge.call(lambda engine: engine.api.settings.secrets.keep(AUTHTOKEN, token))
    return await bridge.call(lambda engine: engine.api.settings.documents.edit(changes_of(wanted)))
