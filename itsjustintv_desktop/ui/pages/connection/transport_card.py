"""The way in use: how it is, what to do, and what is known of it."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout

from itsjustintv_desktop.engine import TransportView
from itsjustintv_desktop.ui.formatting import ago, clock, translate
from itsjustintv_desktop.ui.pages.connection.transport_choice import KINDS, title
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import Card, CopyLine, Dot, Tone, button, clear, label, row

_TONES: dict[str, Tone] = {"ready": "ok", "starting": "accent", "waiting": "attention", "failing": "failed"}


class TransportCard(Card):
    """`again_wished`: try it now."""

    again_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._dot = Dot()
        self._name, self._since = label("", "headline"), label("", "muted")
        self._message = label("", wrap=True, selectable=True)
        self._fix = label("", "attention", wrap=True, selectable=True)
        self.address = CopyLine(self.tr("the address that Twitch calls"))
        self._address_title = label(self.tr("The address that Twitch calls"), "label")
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(16)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        self.again = button("", self.again_requested.emit, icon_name="retry")
        self.body.addLayout(row(self._dot, self._name, None))
        for part in (self._since, self._message, self._fix, self._address_title, self.address):
            self.body.addWidget(part)
        self.body.addLayout(self._facts)
        self.body.addStretch(1)
        self.body.addLayout(row(self.again, None))
        self._shown: TransportView | None = None

    def show_way(self, way: TransportView) -> None:
        words = {
            "ready": self.tr("works"), "starting": self.tr("is starting"), "waiting": self.tr("waits"),
            "failing": self.tr("does not work"),
        }  # fmt: skip
        word = words.get(way.state, way.state)
        self._since.setText(self.tr("since {}").format(clock(way.since)) if way.since else "")
        if way == self._shown:
            return
        self._shown = way
        self._dot.show_state(_TONES.get(way.state, "off"), word)
        headline = f"{title(way.kind)} {word}" if way.kind in KINDS else title(way.kind)
        self._name.setText(headline)
        self.setAccessibleName(readable(f"{headline}: {translate(way.message)}"))
        self._message.setText(translate(way.message))
        self._fix.setText(translate(way.fix))
        self._fix.setVisible(bool(way.fix))
        self.address.say(way.address)
        for part in (self.address, self._address_title):
            part.setVisible(bool(way.address))
        again = self.tr("&Restart the tunnel") if _tunnel_is_down(way) else self.tr("&Try again now")
        self.again.setText(again)
        self._show_facts(way.facts)

    def asked(self) -> None:
        """It was asked to try again; the next snapshot says how that went."""
        self._message.setText(self.tr("It tries again."))
        self._shown = None

    def _show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        clear(self._facts)
        for number, (name, value) in enumerate(facts):
            called = label(self._name_of(name), "muted")
            self._facts.addWidget(called, number, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(label(_value(value), wrap=True, selectable=True), number, 1)

    def _name_of(self, fact: str) -> str:
        known = {
            "authority": self.tr("Certificates from"), "certificate_names": self.tr("Certificate for"),
            "certificate_until": self.tr("Certificate ends"), "next_renewal": self.tr("It is renewed"),
            "renewal_problem": self.tr("Renewal failed"), "next_try": self.tr("Next try"),
            "local_address": self.tr("Hands on to"), "agent": self.tr("ngrok's program"), "region": self.tr("Region"),
            "conduit": self.tr("Conduit"), "session": self.tr("Session"), "shard": self.tr("Connection"),
            "connected_since": self.tr("Connected"), "away_since": self.tr("Away since"),
            "held": self.tr("Held in memory"),
        }  # fmt: skip
        return known.get(fact) or fact.replace("_", " ").capitalize()


def _tunnel_is_down(way: TransportView) -> bool:
    return way.kind == "ngrok" and way.state in {"waiting", "failing"}


def _value(text: str) -> str:
    """A moment as people say it, all else as it is."""
    try:
        moment = datetime.fromisoformat(text).timestamp() if "T" in text else None
    except ValueError:
        moment = None
    if moment is None:
        return translate(text)
    return ago(moment) if moment <= datetime.now().timestamp() else clock(moment)  # noqa: DTZ005 - only a number of it
