"""Choosing a transport: four choices, the fields of the chosen one, and saving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QLineEdit, QRadioButton, QSpinBox, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import Remove, Set, TransportDraft
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.formatting import tr
from itsjustintv_desktop.ui.plain import open_address, readable
from itsjustintv_desktop.ui.widgets.basic import Part, button, column, label, row
from itsjustintv_desktop.ui.widgets.field import Field, SecretField, choice

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Change, FieldInfo, Saved, SecretView

TransportChoice = Literal["conduit", "ngrok", "tls", "own"]
KINDS: tuple[TransportChoice, ...] = ("conduit", "ngrok", "tls", "own")

CLIENT_SECRET, AUTHTOKEN = "twitch.client_secret", "tunnel.authtoken"
"""Names of secrets, as the engine keeps them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The content of the form: what is checked, and what is only saved."""

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
        "conduit": tr("Conduit"),
        "ngrok": tr("ngrok tunnel"),
        "tls": tr("Own certificate"),
        "own": tr("Own proxy or tunnel"),
    }.get(kind, tr("No way yet"))


def description(kind: TransportChoice) -> str:
    """What it is and what it asks of a person."""
    return {
        "conduit": tr(
            "This program calls Twitch. No port, router or certificate is involved. Right for nearly everyone."
        ),
        "ngrok": tr("ngrok gives this computer a public address. Needs a free ngrok account."),
        "tls": tr("Twitch calls this computer directly. Needs a domain that leads here, and one forwarded port."),
        "own": tr("Your server or tunnel speaks https on port 443 and hands Twitch's messages on to this program."),
    }[kind]


def changes_of(wanted: Wanted) -> list[Change]:
    """Every key that decides the transport, so that none of the previous transport remains. Contains no secret."""
    draft = wanted.draft
    kind = draft.kind
    found: list[Change] = [
        Set(("twitch", "transport"), "conduit" if kind == "conduit" else "webhook"),
        _or_gone(("tunnel", "provider"), "ngrok" if kind == "ngrok" else ""),
        Set(("server", "tls", "enabled"), True) if kind == "tls" else Remove(("server", "tls", "enabled")),
    ]
    if draft.client_id is not None:
        found.append(Set(("twitch", "client_id"), draft.client_id))
    if kind in {"ngrok", "tls"}:  # the transport finds the address that Twitch is given
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


async def save(bridge: Bridge, wanted: Wanted, digest: str | None = None) -> Saved:
    """Save the settings and the secrets they need together. With `digest`, only if the file is still the one that was
    compared. Raises what the engine raises."""
    typed = {CLIENT_SECRET: wanted.draft.client_secret, AUTHTOKEN: wanted.draft.authtoken}
    kept = {name: value for name, value in typed.items() if value}
    changes = changes_of(wanted)
    if kept:
        return await bridge.call(lambda engine: engine.api.settings.secrets.keep_with(kept, changes, digest))
    return await bridge.call(lambda engine: engine.api.settings.documents.edit(changes, digest))


TOKEN_PAGE = "https://dashboard.ngrok.com/get-started/your-authtoken"  # noqa: S105 - where it is found
DOMAIN_PAGE = "https://dashboard.ngrok.com/domains"
_DECIDING = (("twitch", "transport"), ("tunnel", "provider"), ("server", "tls", "enabled"))


class TransportForm(QWidget):
    """`changed` whenever something was typed or chosen: what was checked before no longer counts."""

    changed = Signal()

    def __init__(self, *, with_credentials: bool) -> None:
        super().__init__()
        self._with_credentials = with_credentials
        self._kind: TransportChoice = "conduit"
        self.choices: dict[TransportChoice, QRadioButton] = {}
        self._fields: dict[TransportChoice, QWidget] = {}
        self._group = QButtonGroup(self)
        self._overrides = label("", "attention", wrap=True)
        self._overrides.hide()
        layout = column(self._overrides, spacing=12, inside=self)
        self._make_controls()
        groups = {"conduit": QWidget(), "ngrok": self._ngrok(), "tls": self._tls(), "own": self._own()}
        for kind in KINDS:
            layout.addLayout(self._choice(kind))
            self._fields[kind] = groups[kind]
            groups[kind].setContentsMargins(26, 0, 0, 4)
            layout.addWidget(groups[kind])
        self.credentials = self._credentials()
        layout.addWidget(self.credentials)
        self.credentials.setVisible(with_credentials)
        self.choose("conduit")

    @property
    def kind(self) -> TransportChoice:
        return self._kind

    def choose(self, kind: TransportChoice) -> None:
        """Choose it as a person does."""
        self.choices[kind].setChecked(True)
        self._chosen(kind)

    def load(self, fields: Sequence[FieldInfo], secrets: Sequence[SecretView], kind: str, address: str) -> None:
        """Show the settings in force; `kind` and `address` are those of the current transport."""
        known = {field.path: field.value or "" for field in fields}
        self.client_id.setText(known.get(("twitch", "client_id"), ""))
        self.domain.setText(known.get(("tunnel", "domain"), ""))
        self.domains.setText(" ".join(names_of(known.get(("server", "tls", "domains"), ""))))
        self.email.setText(known.get(("server", "tls", "email"), ""))
        self.challenge.setCurrentIndex(max(0, self.challenge.findData(known.get(("server", "tls", "challenge"), ""))))
        port = known.get(("server", "port"), "")
        if kind == "tls" and port.isdigit():
            self.port.setValue(int(port))
        if kind == "own":
            self.address.setText(address)
        listen = known.get(("server", "listen_addr"), "")
        if listen and self.listen.findData(listen) < 0:
            self.listen.addItem(listen, listen)
        self.listen.setCurrentIndex(max(0, self.listen.findData(listen)))
        where = {secret.name: secret.where for secret in secrets}
        for field, name in ((self.secret, CLIENT_SECRET), (self.authtoken, AUTHTOKEN)):
            kept = self.tr("It is kept; leave this empty to go on with it")
            words = {"absent": "", "unknown": self.tr("It cannot be read at the moment")}
            field.setPlaceholderText(readable(words.get(where.get(name, "absent"), kept)))
        names = [field.environment for field in fields if field.path in _DECIDING and field.environment]
        text = self.tr("The environment variable {} decides the way, whatever is saved here.")
        self._overrides.setText(text.format(", ".join(names)))
        self._overrides.setVisible(bool(names))
        if kind in KINDS:
            self.choose(kind)

    def wanted(self) -> Wanted:
        """The content of the form."""
        kind = self._kind
        own, tls = kind == "own", kind == "tls"
        draft = TransportDraft(
            kind=kind,
            client_id=self.client_id.text().strip() if self._with_credentials else None,
            client_secret=(self.secret.text().strip() or None) if self._with_credentials else None,
            authtoken=(self.authtoken.text().strip() or None) if kind == "ngrok" else None,
            domains=names_of(self.domains.text()) if tls else (),
            listen_addr="0.0.0.0" if tls else self.listen.currentData() if own else None,  # noqa: S104 - Twitch calls
            port=self.port.value() if tls else None,
            challenge=self.challenge.currentData() if tls else "tls-alpn-01",
            http_port=self.http_port.value() if tls else 80,
            address=self.address.text().strip() if own else "",
        )
        return Wanted(draft=draft, domain=self.domain.text().strip(), email=self.email.text().strip())

    def forget_secrets(self) -> None:
        """They are kept now: nothing of them stays on the screen."""
        for field in (self.secret, self.authtoken):
            field.conceal()
            field.clear()

    def _chosen(self, kind: TransportChoice) -> None:
        self._kind = kind
        for each, fields in self._fields.items():
            fields.setVisible(each == kind and kind != "conduit")
        self.changed.emit()

    def _make_controls(self) -> None:
        self.client_id, self.secret = QLineEdit(), SecretField(self.tr("Client secret"))
        self.authtoken, self.domain = SecretField(self.tr("Authtoken")), QLineEdit()
        self.domains, self.email, self.address = QLineEdit(), QLineEdit(), QLineEdit()
        self.port, self.http_port = QSpinBox(), QSpinBox()
        for spin, value in ((self.port, 8443), (self.http_port, 80)):
            spin.setRange(1, 65535)
            spin.setValue(value)
            spin.valueChanged.connect(lambda _: self.changed.emit())
        self.challenge = choice(
            ("tls-alpn-01", self.tr("over port 443 (tls-alpn-01)")), ("http-01", self.tr("over port 80 (http-01)"))
        )
        self.listen = choice(
            ("127.0.0.1", self.tr("this computer alone (127.0.0.1)")),
            ("0.0.0.0", self.tr("every network it is in (0.0.0.0)")),  # noqa: S104 - a person's choice
        )
        for combo in (self.challenge, self.listen):
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.domain.setPlaceholderText("your-name.ngrok-free.dev")
        self.domains.setPlaceholderText("live.example.com")
        self.email.setPlaceholderText("you@example.com")
        self.address.setPlaceholderText("https://example.com/twitch")
        texts = (self.client_id, self.secret, self.authtoken, self.domain, self.domains, self.email, self.address)
        for edit in texts:
            edit.textEdited.connect(lambda _: self.changed.emit())

    def _choice(self, kind: TransportChoice) -> QVBoxLayout:
        made = QRadioButton(title(kind))
        self.choices[kind] = made
        made.setAccessibleDescription(readable(description(kind)))
        made.clicked.connect(lambda _: self._chosen(kind))
        self._group.addButton(made)
        parts = row(made, *([label(self.tr("recommended"), "chip")] if kind == "conduit" else []), None)
        said = label(description(kind), "muted", wrap=True)
        said.setContentsMargins(26, 0, 0, 0)
        return column(parts, said, spacing=0)

    def _ngrok(self) -> QWidget:
        links = row(
            button(self.tr("Open your a&uthtoken"), partial(open_address, TOKEN_PAGE), role="small", icon_name="open"),
            button(self.tr("Open your &domains"), partial(open_address, DOMAIN_PAGE), role="small", icon_name="open"),
            None,
        )
        token = Field(self.tr("Authtoken"), self.authtoken, self.tr("It goes to the keyring."))
        domain = Field(
            self.tr("Fixed domain (free accounts have one)"), self.domain, self.tr("Without it the address may change.")
        )
        return _box(links, token, domain)

    def _tls(self) -> QWidget:
        port = Field(self.tr("Port here"), self.port, self.tr("Your router forwards port 443 to it."))
        http = Field(self.tr("Port for http-01"), self.http_port, self.tr("Port 80 is forwarded to it."))
        shown = partial(self._show_http, http)
        self.challenge.currentIndexChanged.connect(lambda _: shown())
        shown()
        return _box(
            Field(self.tr("Your names"), self.domains, self.tr("Each must lead to this machine or its router.")),
            row(port, http, spacing=16),
            Field(self.tr("How Let's Encrypt looks"), self.challenge),
            Field(self.tr("Email for Let's Encrypt (may be left out)"), self.email),
        )

    def _show_http(self, field: Field) -> None:
        field.setVisible(cast("str", self.challenge.currentData()) == "http-01")

    def _own(self) -> QWidget:
        return _box(
            Field(
                self.tr("Public address"), self.address, self.tr("The whole address that Twitch calls, on port 443.")
            ),
            Field(self.tr("Who may reach this program"), self.listen, self.tr("Where your proxy runs decides that.")),
        )

    def _credentials(self) -> QWidget:
        made = _box(
            label(self.tr("Your Twitch application"), "heading"),
            row(Field(self.tr("Client id"), self.client_id), Field(self.tr("Client secret"), self.secret), spacing=16),
        )
        made.setContentsMargins(0, 8, 0, 0)
        return made


def _box(*parts: Part) -> QWidget:
    made = QWidget()
    column(*parts, spacing=10, inside=made)
    return made
