"""What comes in, and where this program listens for it."""

from __future__ import annotations

from urllib.parse import urlsplit

from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.ui.formatting import ago, clock, translate
from itsjustintv_desktop.ui.plain import open_address
from itsjustintv_desktop.ui.widgets.basic import Card, CopyLine, button, label, row

_HEALTH = "/health"


class LastMessageCard(Card):
    def __init__(self) -> None:
        super().__init__(self.tr("What arrives"))
        self._last = label(self.tr("Looking when Twitch was heard of last"), wrap=True)
        self._signing = label("", "attention", wrap=True, selectable=True)
        self._local_title = label(self.tr("Here it listens at"), "label")
        self._local = CopyLine(self.tr("the address here"))
        self._health_title = label(self.tr("Whether it is well, for monitors"), "label")
        self._health = CopyLine(self.tr("the address for monitors"))
        self.open = button(self.tr("&Open it"), self._open, role="small", icon_name="open")
        for part in (self._last, self._signing, self._local_title, self._local, self._health_title, self._health):
            self.body.addWidget(part)
        self.body.addLayout(row(self.open, None))
        self.body.addStretch(1)

    def show_last(self, moment: float | None) -> None:
        if moment is None:
            self._last.setText(
                self.tr("No message of Twitch came lately. It sends one when somebody you watch goes live.")
            )
        else:
            self._last.setText(self.tr("Twitch's last message: {} ({}).").format(ago(moment), clock(moment)))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self._signing.setText(translate(snapshot.signing_problem or ""))
        self._signing.setVisible(bool(snapshot.signing_problem) and snapshot.way.kind != "conduit")
        local = ""
        if snapshot.address is not None:
            host, port = snapshot.address
            local = f"{f'[{host}]' if ':' in host else host}:{port}"
        self._local.say(local)
        scheme = "https" if snapshot.way.kind == "tls" else "http"
        split = urlsplit(snapshot.way.address)
        health = f"{split.scheme}://{split.netloc}{_HEALTH}" if split.netloc else f"{scheme}://{local}{_HEALTH}"
        self._health.say(health if local or split.netloc else "")
        for part in (self._local_title, self._local):
            part.setVisible(bool(local))
        for monitor in (self._health_title, self._health, self.open):
            monitor.setVisible(bool(self._health.text))

    def _open(self) -> None:
        open_address(self._health.text)
