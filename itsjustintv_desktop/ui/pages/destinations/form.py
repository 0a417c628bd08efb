"""One destination's settings. What is stored of its address and secret is never in here."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLineEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import DestinationDraft, DestinationInfo, new_standard_secret
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.destinations.table import format_name
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import button, column, fill, label, row
from itsjustintv_desktop.ui.widgets.field import Field, SecretField, choice, text_box
from itsjustintv_desktop.ui.widgets.scroll import Upright


class Headers(QWidget):
    """`value` is None while what is stored stays."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._replacing = False
        self.kept = label("", "muted", wrap=True)
        self.replace = button(self.tr("Re&place"), self._replace, role="small")
        self.text = text_box(self.tr("More headers"), read_only=False, wraps=True)
        self.text.setPlaceholderText("Authorization: Bearer …")
        self.text.setFixedHeight(76)
        self.text.textChanged.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        line = row((self.kept, 1), self.replace)
        fill(layout, line, self.text)

    def show_kept(self, names: tuple[str, ...], typed: dict[str, str] | None = None) -> None:
        """What is stored, and what was typed in its place and is not saved yet."""
        self._names, self._replacing = names, not names or typed is not None
        blocked = self.text.blockSignals(True)
        self.text.setPlainText("\n".join(f"{name}: {value}" for name, value in (typed or {}).items()))
        self.text.blockSignals(blocked)
        self.kept.setText(self.tr("Kept: {}").format(", ".join(names)))
        self._state()

    @property
    def typed(self) -> str:
        """As `check_value` takes it."""
        return self.text.toPlainText()

    @property
    def value(self) -> dict[str, str] | None:
        if not self._replacing or (not self._names and not self.typed.strip()):
            return None
        pairs = (line.partition(":") for line in self.typed.splitlines() if line.strip())
        return {name.strip(): content.strip() for name, _, content in pairs}

    def _replace(self) -> None:
        self._replacing = True
        self._state()
        self.text.setFocus()
        self.changed.emit()

    def _state(self) -> None:
        self.text.setVisible(self._replacing)
        self.kept.setVisible(not self._replacing)
        self.replace.setVisible(not self._replacing)


SIGNATURES = ("x-hub", "standard-webhooks")
HASHES = ("SHA-256", "SHA-512", "SHA-1")
PICTURES = ("data", "link", "none")


class DestinationForm(QWidget):
    """`edited` when a person changed something."""

    edited = Signal()
    reveal_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._info: DestinationInfo | None = None
        self._base = DestinationDraft(name="")
        self._fingerprints = self._base.fingerprints
        self.title = QLineEdit()
        self.title.setPlaceholderText(self.tr("such as team-discord"))
        self.url = SecretField(self.tr("Address"), "https://…")
        named = ((name, format_name(name)) for name in formats.names())
        self.format = choice(("", self.tr("as the address tells")), *named)
        self.secret = SecretField(self.tr("Secret"), self.tr("none"))
        self.no_secret = button(self.tr("Sign no &more"), self._take_secret_away, role="small")
        self.no_secret.setCheckable(True)
        self.new_secret = button(self.tr("Make one"), self._make_secret, role="small")
        self.signature = choice(*zip(SIGNATURES, ("X-Hub-Signature", "Standard Webhooks"), strict=True))
        self.hashing = choice(*((name, name) for name in HASHES))
        self.header = QLineEdit()
        words = (self.tr("the picture itself"), self.tr("a link to it only"), self.tr("no pictures"))
        self.picture = choice(*zip(PICTURES, words, strict=True))
        self.headers = Headers()
        self.timeout = QDoubleSpinBox()
        self.timeout.setRange(0.1, 120.0)
        self.timeout.setDecimals(1)
        self.timeout.setSuffix(self.tr(" s"))
        self.enabled = QCheckBox(self.tr("Send &announcements there"))
        self.more = button(self.tr("M&ore settings"), self._fold, role="link")
        self.more.setCheckable(True)
        self._lay_out()
        for field in (self.url, self.secret):
            field.reveal_asked.connect(lambda asked=field: self.reveal_requested.emit(asked))
        for line in (self.title, self.url, self.secret, self.header):
            line.textEdited.connect(self._changed)
        for combo in (self.format, self.signature, self.hashing, self.picture):
            combo.activated.connect(lambda _: self._changed())
        self.timeout.valueChanged.connect(lambda _: self._changed())
        self.enabled.clicked.connect(lambda _: self._changed())
        self.headers.changed.connect(self._changed)

    def show_destination(self, info: DestinationInfo | None, draft: DestinationDraft | None = None) -> None:
        """One that is saved, or None for a new one; `draft` is what a person made of it and has not saved yet."""
        self._info = info
        self._base = info.draft if info is not None else DestinationDraft(name="")
        base = draft or self._base
        self._fingerprints = base.fingerprints
        self.title.setText(base.name)
        self.title.setEnabled(info is None or info.kind == "named")
        hint = self.tr("It belongs to a streamer, or to all of them (Settings, For everybody).")
        self.name_field.say("" if self.title.isEnabled() else hint)
        for field in (self.url, self.secret):
            field.clear()
            field.conceal()
        self.no_secret.setChecked(base.secret == "")
        self.secret.setEnabled(base.secret != "")
        self.secret_field.say(self.tr("With one, announcements are signed."))
        self._place(info)
        self.url.setText(base.url or "")
        self.secret.setText(base.secret or "")
        self.format.setCurrentIndex(self.format.findData(base.format))
        self.signature.setCurrentIndex(SIGNATURES.index(base.signature))
        self.hashing.setCurrentText(base.hashing)
        self.header.setText(base.header)
        self.picture.setCurrentIndex(PICTURES.index(base.picture))
        self.headers.show_kept(info.header_names if info is not None else (), base.headers)
        blocked = self.timeout.blockSignals(True)
        self.timeout.setValue(base.timeout)
        self.timeout.blockSignals(blocked)
        self.enabled.setChecked(base.enabled)
        named = info is None or info.kind == "named"
        for control in (
            self.format,
            self.signature,
            self.new_secret,
            self.picture,
            self.headers,
            self.timeout,
            self.enabled,
        ):
            control.setEnabled(named)
        self._show_more()

    @property
    def base(self) -> DestinationDraft:
        """What is saved; one without a name for a new one."""
        return self._base

    @property
    def draft(self) -> DestinationDraft:
        """The current content of the form. Address, secret and headers are None if nothing was typed."""
        return DestinationDraft(
            name=self.title.text().strip(),
            url=self.url.typed.strip() or None,
            secret="" if self.no_secret.isChecked() else self.secret.typed.strip() or None,
            format=self.format.currentData(),
            signature=self.signature.currentData(),
            header=self.header.text().strip() or "X-Hub-Signature-256",
            hashing=self.hashing.currentText(),  # type: ignore[arg-type]
            picture=self.picture.currentData(),
            headers=self.headers.value,
            timeout=round(self.timeout.value(), 1),
            enabled=self.enabled.isChecked(),
            fingerprints=self._fingerprints,
        )

    @property
    def is_changed(self) -> bool:
        return self.draft != self._base

    def show_guess(self, name: str, host: str) -> None:
        """What the address that was typed looks like."""
        if self.url.text().strip():
            self.url_field.say(self.tr("{} at {}").format(format_name(name), host) if host else "")

    def _place(self, info: DestinationInfo | None) -> None:
        """Show where address and secret are stored, never their values."""
        if info is None:
            self.url.setPlaceholderText("https://…")
            self.url_field.say(self.tr("It will be kept encrypted."))
            self.secret.setPlaceholderText(self.tr("none"))
            self.no_secret.hide()
            return
        where = {
            "vault": self.tr("At {}, kept encrypted. Type another one to replace it."),
            "config": self.tr("At {}, written in config.toml. Type it again to keep it encrypted."),
            "environment": self.tr("At {}, from an environment variable."),
        }
        self.url.setPlaceholderText("••••••••" if info.address else "https://…")
        if info.problem:
            self.url_field.complain(translate(info.problem))
        else:
            self.url_field.complain(None)
            self.url_field.say(where.get(info.address, "").format(info.host) if info.host else "")
        kept = self.tr("cannot be read at the moment") if info.secret_problem else "••••••••"
        self.secret.setPlaceholderText(readable(kept if info.signed else self.tr("none")))
        self.no_secret.setVisible(info.signed)

    def _take_secret_away(self) -> None:
        self.secret.clear()
        self.secret.setEnabled(not self.no_secret.isChecked())
        self._changed()

    def _make_secret(self) -> None:
        """One for Standard Webhooks, shown so that it can be copied."""
        self.no_secret.setChecked(False)
        self.secret.setEnabled(True)
        self.secret.setText(new_standard_secret())
        self.secret.show_button.setChecked(True)
        self.signature.setCurrentIndex(SIGNATURES.index("standard-webhooks"))
        self.secret_field.say(self.tr("For Standard Webhooks. Copy it into the receiver, then save."))
        self._changed()

    def _changed(self) -> None:
        self._show_more()
        if not self.url.text():
            self._place(self._info)
        self.edited.emit()

    def _fold(self) -> None:
        self._folded.setVisible(self.more.isChecked())

    def _show_more(self) -> None:
        """Only what the format uses."""
        name = self.format.currentData() or (self._info.format if self._info is not None else "")
        ignores = formats.named(name).ignores if name else frozenset()
        hub = self.signature.currentData() == "x-hub"
        for key, field in self._fields.items():
            field.setVisible(key not in ignores and (hub or key not in {"hashing", "header"}))

    def _lay_out(self) -> None:
        self.name_field = Field(self.tr("Name"), self.title)
        self.url_field = Field(self.tr("Address"), self.url)
        secret = QWidget()
        lines = column(self.secret, row(self.new_secret, self.no_secret, None), spacing=8)
        lines.setContentsMargins(0, 0, 0, 0)
        secret.setLayout(lines)
        secret.setFocusProxy(self.secret)
        self.headers_field = Field(self.tr("More headers"), self.headers)
        self.secret_field = Field(self.tr("Secret"), secret, self.tr("With one, announcements are signed."))
        more = {
            "signature": Field(self.tr("Kind of signature"), self.signature),
            "hashing": Field(self.tr("Hash"), self.hashing),
            "header": Field(self.tr("Header of the signature"), self.header),
            "picture": Field(
                self.tr("Profile picture"),
                self.picture,
                self.tr("Only JSON carries it; other formats give its address."),
            ),
            "headers": self.headers_field,
            "timeout": Field(self.tr("One attempt may take"), self.timeout),
        }
        self._fields: dict[str, Field] = {"secret": self.secret_field, **more}
        self._folded = QWidget()
        folded = QVBoxLayout(self._folded)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(14)
        for field in more.values():
            folded.addWidget(field)
        self._folded.hide()
        inner = QWidget()
        fields = QVBoxLayout(inner)
        fields.setContentsMargins(0, 0, 6, 0)
        fields.setSpacing(14)
        for field in (self.name_field, self.url_field, Field(self.tr("Format"), self.format), self.secret_field):
            fields.addWidget(field)
        fill(fields, self.enabled, row(self.more, None), self._folded, None)
        scroll = Upright(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column(scroll, inside=self)
