"""What has to be set up outside of this program, with the exact values."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtNetwork import QAbstractSocket, QHostAddress, QNetworkInterface
from PySide6.QtWidgets import QProgressBar, QVBoxLayout

from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.ui.pages.connection.form import DOMAIN_PAGE, TOKEN_PAGE
from itsjustintv_desktop.ui.plain import open_address
from itsjustintv_desktop.ui.widgets.basic import Card, CopyLine, button, clear, label, row

_CADDY = "{host} {{\n    reverse_proxy 127.0.0.1:{port}\n}}"
_NGINX = (
    "location = /twitch {{\n    proxy_pass http://127.0.0.1:{port};\n    proxy_http_version 1.1;\n"
    '    proxy_set_header Connection "";\n}}\n'
    "location /.well-known/itsjustintv/ {{\n    proxy_pass http://127.0.0.1:{port};\n}}"
)


class Guidance(Card):
    """`install_wished`: get ngrok's program; `stop_wished`: no, stop that."""

    install_requested = Signal()
    stop_requested = Signal()

    def __init__(self) -> None:
        super().__init__(self.tr("What you set up"))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        self.body.addLayout(self._rows)
        self.install = button(self.tr("&Download ngrok's program"), self.install_requested.emit)
        self.stop = button(self.tr("Stop the do&wnload"), self.stop_requested.emit)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setAccessibleName(self.tr("Download of ngrok's program"))
        self.body.addWidget(self.progress)
        self.body.addLayout(row(self.install, self.stop, None))
        self.body.addStretch(1)
        self._shown: tuple[object, ...] = ()
        self._kind = ""
        self.downloading(False)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        way = snapshot.way
        shown = (way.kind, way.code, way.address, snapshot.address)
        if shown == self._shown:
            return
        self._shown, self._kind = shown, way.kind
        clear(self._rows)
        host = urlsplit(way.address).hostname or "example.com"
        port = snapshot.address[1] if snapshot.address is not None else 8080
        if way.kind == "conduit":
            self._say(self.tr("Nothing. This program calls Twitch, so no port, router or certificate is involved."))
            self._say(self.tr("While this computer sleeps nothing arrives; what was missed is found when it wakes."))
        elif way.kind == "ngrok":
            self._ngrok()
        elif way.kind == "tls":
            self._tls(port)
        elif way.kind == "own":
            self._own(host, port)
        else:
            self._say(
                self.tr("Twitch has no way to reach this program yet. Choose one: a conduit needs nothing at all.")
            )
        missing = way.code in {"agent_missing", "agent_broken", "agent_too_old"}
        self.install.setVisible(way.kind == "ngrok" and missing)

    def downloading(self, on: bool) -> None:
        self.progress.setVisible(on)
        self.stop.setVisible(on)
        self.install.setEnabled(not on)
        if on:
            self.progress.setRange(0, 0)
        elif not self._shown:
            self.install.hide()

    def show_bytes(self, done: int, whole: int) -> None:
        """`whole` 0: not known."""
        self.progress.setRange(0, whole)
        self.progress.setValue(done)

    def _ngrok(self) -> None:
        self._say(self.tr("1. Copy the authtoken of your account, and enter it with Change the way."))
        self._say(self.tr("2. Copy your fixed domain, which every free account has, so that the address stays."))
        self._rows.addLayout(
            row(
                button(self.tr("Your a&uthtoken"), partial(_open, TOKEN_PAGE), role="small", icon_name="open"),
                button(self.tr("Your doma&ins"), partial(_open, DOMAIN_PAGE), role="small", icon_name="open"),
                None,
            )
        )
        self._say(self.tr("A free account may carry 20,000 requests a month; a stream costs one."))

    def _tls(self, port: int) -> None:
        here = _own_address() or self.tr("this computer")
        self._say(self.tr("1. Your name leads (A record) to your public address."))
        self._say(self.tr("2. Your router forwards TCP port 443 to {} port {}:").format(here, port))
        self._rows.addWidget(CopyLine(self.tr("the rule for your router"), f"TCP 443 → {here}:{port}"))
        self._say(self.tr("3. With http-01 it also forwards TCP port 80 to the port you chose for it."))
        self._say(self.tr("The certificate is had and renewed by itself. Give this computer a fixed address at home."))

    def _own(self, host: str, port: int) -> None:
        self._say(self.tr("Caddy (it gets the certificate by itself):"))
        self._rows.addWidget(CopyLine(self.tr("the lines for Caddy"), _CADDY.format(host=host, port=port)))
        self._say(self.tr("nginx, inside the server block with your certificate:"))
        self._rows.addWidget(CopyLine(self.tr("the lines for nginx"), _NGINX.format(port=port)))
        self._say(self.tr("The body must be handed on unchanged: Twitch signs its bytes."))

    def _say(self, text: str) -> None:
        self._rows.addWidget(label(text, "muted", wrap=True, selectable=True))


def _own_address() -> str:
    """This computer's address in its own network, for the router's rule; "" where none is plain."""
    v4 = QAbstractSocket.NetworkLayerProtocol.IPv4Protocol
    found = [
        each.toString()
        for each in QNetworkInterface.allAddresses()
        if each.protocol() == v4 and not each.isLoopback() and each.isPrivateUse() and not each.isLinkLocal()
    ]
    return found[0] if len(found) == 1 and not QHostAddress(found[0]).isNull() else ""


def _open(address: str) -> None:
    open_address(address)
