"""The controls of the form: one for each kind of setting, and the names of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.formatting import noop, tr, translate
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import button, fill, label, later, row
from itsjustintv_desktop.ui.widgets.field import Field, SecretField

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import FieldInfo


_NAMES = {
    "server.listen_addr": noop("Address to listen at"),
    "server.port": noop("Port"),
    "server.external_domain": noop("Public name"),
    "server.tls.enabled": noop("Get certificates automatically"),
    "server.tls.domains": noop("Names in the certificate"),
    "server.tls.cert_dir": noop("Folder for certificates"),
    "server.tls.email": noop("E-mail for the authority"),
    "server.tls.directory_url": noop("Address of the authority"),
    "server.tls.challenge": noop("How the name is proven"),
    "server.tls.http_port": noop("Port for http-01"),
    "twitch.client_id": noop("Client id"),
    "twitch.client_secret": noop("Client secret"),
    "twitch.webhook_secret": noop("Signing secret"),
    "twitch.incoming_webhook_url": noop("Address that Twitch calls"),
    "twitch.transport": noop("How messages come"),
    "twitch.poll_interval": noop("Ask Twitch every"),
    "twitch.catch_up_max_age": noop("Announce late up to"),
    "twitch.restart_window": noop("Restart counts as the same stream for"),
    "global_webhook.enabled": noop("One address for everybody"),
    "global_webhook.url": noop("Address"),
    "global_webhook.target_webhook_secret": noop("Signing secret"),
    "global_webhook.target_webhook_header": noop("Header of the signature"),
    "global_webhook.target_webhook_hashing": noop("Hash of the signature"),
    "retry.initial_delay": noop("First wait"),
    "retry.max_delay": noop("Longest wait"),
    "retry.backoff_factor": noop("Each wait is longer by a factor of"),
    "retry.jitter": noop("Share of chance"),
    "retry.max_attempts": noop("Most attempts"),
    "retry.max_age": noop("Give up after"),
    "output.enabled": noop("Keep the file"),
    "output.file_path": noop("Where the file is"),
    "output.max_lines": noop("Most announcements in it"),
    "telemetry.enabled": noop("Send telemetry"),
    "telemetry.endpoint": noop("Address of the collector"),
    "telemetry.service_name": noop("Name of this program"),
    "telemetry.service_version": noop("Version of this program"),
    "telemetry.protocol": noop("Protocol"),
    "telemetry.headers": noop("More headers"),
    "tunnel.provider": noop("Provider"),
    "tunnel.domain": noop("Domain"),
    "tunnel.region": noop("Region"),
    "tunnel.authtoken": noop("Authtoken"),
    "network.proxy": noop("Proxy"),
    "updates.check": noop("Look for new versions"),
    "cache.dedup_ttl": noop("Remember a stream for"),
    "cache.image_ttl": noop("Fetch pictures again after"),
    "cache.history": noop("Keep finished deliveries for"),
    "filters.unknown": noop("When tags cannot be had"),
    "secrets.store": noop("Where secrets are kept"),
}
_CHOICES = {
    "twitch.transport": {
        "conduit": noop("conduit: no public address"),
        "webhook": noop("webhook: Twitch calls an address"),
    },
    "telemetry.protocol": {"http": "HTTP", "grpc": "gRPC"},
    "tunnel.provider": {"none": noop("no tunnel"), "ngrok": "ngrok"},
    "filters.unknown": {"announce": noop("announce the stream"), "suppress": noop("do not announce the stream")},
    "secrets.store": {
        "keyring": noop("in the system's keyring"),
        "passphrase": noop("in a file under a passphrase"),
        "memory": noop("only until the program ends"),
    },
}
"""What is missing are names of standards, the same in every language."""
_TITLES = {
    "server": noop("Listening"),
    "server.tls": noop("Certificate"),
    "twitch": noop("Twitch"),
    "global_webhook": noop("For everybody"),
    "retry": noop("Trying again"),
    "output": noop("output.json"),
    "telemetry": noop("Telemetry"),
    "tunnel": noop("Tunnel"),
    "network": noop("Network"),
    "updates": noop("Updates"),
    "cache": noop("Remembering"),
    "filters": noop("Filters"),
    "secrets": noop("Keeping secrets"),
}


def title_of(path: tuple[str, ...]) -> str:
    """For a table."""
    known = _TITLES.get(".".join(path))
    return tr(known) if known else _made_up(".".join(path))


def name_of(path: tuple[str, ...]) -> str:
    """For a key; one that is new here is made up: "poll_interval" is "Poll interval"."""
    known = _NAMES.get(".".join(path))
    return tr(known) if known else _made_up(path[-1])


def choice_of(path: tuple[str, ...], value: str) -> str:
    """For one of the words that a key chooses between."""
    known = _CHOICES.get(".".join(path), {}).get(value)
    return tr(known) if known else value


def _made_up(key: str) -> str:
    words = key.replace("_", " ").replace(".", ": ")
    for whole, short in (("url", "URL"), ("id", "id"), ("tls", "TLS"), ("otlp", "OTLP")):
        words = " ".join(short if word == whole else word for word in words.split(" "))
    return words[:1].upper() + words[1:]


WAIT_MS = 250
"""After the last key stroke."""


class Control(QWidget):
    """`typed` with the key and what was typed ("" = the default). `secrets_requested`: it is kept elsewhere."""

    typed = Signal(tuple, str)
    secrets_requested = Signal()

    def __init__(self, info: FieldInfo) -> None:
        super().__init__()
        self.info = info
        self.field: Field | None = None
        self._soon = later(self, WAIT_MS, self.flush)
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(4)

    @property
    def text(self) -> str:
        return ""

    @property
    def problem(self) -> str:
        return self.field.problem if self.field is not None else ""

    def flush(self) -> None:
        """Hand out what was typed, now."""
        self._soon.stop()
        self.typed.emit(self.info.path, self.text)

    def show_text(self, text: str) -> None:
        """What the config says, "" for nothing."""

    def reset(self) -> None:
        """Forget what was typed and is not in the config."""
        self._soon.stop()

    def complain(self, problem: str | None) -> None:
        if self.field is not None:
            self.field.complain(problem)

    def help(self) -> str:
        """Help, and what overrides it or when it counts."""
        parts = [translate(self.info.help)]
        if self.info.environment:
            parts.append(self.tr("{} overrides it now.").format(self.info.environment))
        elif self.info.at_next_start:
            parts.append(self.tr("It counts from the next start."))
        return " ".join(parts)


class Line(Control):
    """Text, numbers, times and lists."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(readable(info.default))
        self.field = Field(name_of(info.path), self.edit, self.help(), info.path[-1])
        self.box.addWidget(self.field)
        self.edit.textEdited.connect(lambda _: self._soon.start())

    @property
    def text(self) -> str:
        return self.edit.text()

    def show_text(self, text: str) -> None:
        if not self._soon.isActive() and self.edit.text() != text and not self.problem:
            self.edit.setText(text)


class Choice(Control):
    """One of a few words."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        self.combo = QComboBox()
        usual = choice_of(info.path, info.default) if info.default else self.tr("not set")
        self.combo.addItem(self.tr("{} (default)").format(usual), "")
        for choice in info.choices:
            self.combo.addItem(choice_of(info.path, choice), choice)
        self.field = Field(name_of(info.path), self.combo, self.help(), info.path[-1])
        self.box.addWidget(self.field)
        self.combo.activated.connect(lambda _: self.flush())

    @property
    def text(self) -> str:
        return str(self.combo.currentData())

    def show_text(self, text: str) -> None:
        found = self.combo.findData(text)
        self.combo.setCurrentIndex(max(found, 0))


class Switch(Control):
    """On or off."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        self.check = QCheckBox(name_of(info.path))
        self.check.setAccessibleDescription(readable(self.help()))
        fill(self.box, row(self.check, None, label(info.path[-1], "aside")), label(self.help(), "muted", wrap=True))
        self.check.clicked.connect(lambda _: self.flush())

    @property
    def text(self) -> str:
        text = "true" if self.check.isChecked() else "false"
        return "" if text == self.info.default else text

    def show_text(self, text: str) -> None:
        self.check.setChecked((text or self.info.default) == "true")


class Elsewhere(Control):
    """A secret or an address: not shown among plain settings."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        name = name_of(info.path)
        self.box.addLayout(row(label(name, "label"), None, label(info.path[-1], "aside")))
        if info.path[0] in {"twitch", "tunnel"}:
            where = button(self.tr("Open secrets"), self.secrets_requested.emit, role="small")
            where.setAccessibleName(readable(self.tr("Open secrets for {}").format(name)))
            self.box.addLayout(row(label("••••••••", "muted"), where, None))
        else:
            said = self.tr("It may be secret, so it is set in the text of config.toml.")
            self.box.addWidget(label(said, "muted", wrap=True))
        self.box.addWidget(label(self.help(), "muted", wrap=True))


class Hidden(Control):
    """An address: what is there is not shown, another one can be typed."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        name = name_of(info.path)
        self.edit = SecretField(name, self.tr("type or paste to replace it"))
        self.field = Field(name, self.edit, self.help(), info.path[-1])
        self.box.addWidget(self.field)
        self.edit.textEdited.connect(lambda _: self._soon.start())

    @property
    def text(self) -> str:
        return self.edit.text()

    def flush(self) -> None:
        """An empty field is no wish to take the address away: that is done in the text."""
        self._soon.stop()
        if self.text.strip():
            super().flush()

    def reset(self) -> None:
        super().reset()
        self.edit.clear()
        self.edit.conceal()


def control_for(info: FieldInfo) -> Control:
    if info.kind == "address" and info.path[0] != "global_webhook":
        return Hidden(info)
    if info.value is None:
        return Elsewhere(info)
    if info.kind == "bool":
        return Switch(info)
    if info.kind == "choice":
        return Choice(info)
    return Line(info)
