"""What the page says of the connection: the transport, its subscriptions, the last message, and what to set up."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from PySide6.QtCore import Qt
from PySide6.QtNetwork import QAbstractSocket, QHostAddress, QNetworkInterface
from PySide6.QtWidgets import QGridLayout, QVBoxLayout

from itsjustintv_desktop.engine import Snapshot, TransportView, events
from itsjustintv_desktop.ui.formatting import ago, clock, number, span, translate
from itsjustintv_desktop.ui.pages.connection.form import DOMAIN_PAGE, KINDS, TOKEN_PAGE, title
from itsjustintv_desktop.ui.plain import open_address, readable
from itsjustintv_desktop.ui.widgets.basic import Card, CopyLine, Dot, Tone, button, clear, fill, label, row
from itsjustintv_desktop.ui.widgets.states import progress_bar

_TONES: dict[str, Tone] = {"ready": "ok", "starting": "accent", "waiting": "attention", "failing": "failed"}


class TransportCard(Card):
    """The current transport: its state, address and facts. `again` retries it now."""

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
        self.again = button("", icon_name="retry")
        self.body.addLayout(row(self._dot, self._name, None))
        for part in (self._since, self._message, self._fix, self._address_title, self.address):
            self.body.addWidget(part)
        fill(self.body, self._facts, None, row(self.again, None))
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
        """A retry was requested; the next snapshot shows its result."""
        self._message.setText(self.tr("It tries again."))
        self._shown = None

    def _show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        clear(self._facts)
        for line, (name, value) in enumerate(facts):
            called = label(self._name_of(name), "muted")
            self._facts.addWidget(called, line, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(label(_value(value), wrap=True, selectable=True), line, 1)

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


_SUBSCRIPTION_TONES: dict[str, Tone] = {"ok": "ok", "working": "accent", "waiting": "attention", "failing": "failed"}


class Subscriptions(Card):
    """`repair` starts a round now; `stop`: wait for it no longer."""

    def __init__(self) -> None:
        super().__init__()
        self._dot = Dot()
        self._message, self._fix = label("", wrap=True, selectable=True), label("", "attention", wrap=True)
        self._counts, self._rounds = label("", "muted", wrap=True), label("", "muted", wrap=True)
        self._budget = label("", "muted", wrap=True)
        self._points = progress_bar(height=6)
        self.progress = progress_bar(self.tr("The round of repairs"), height=6)
        self._step = label("", "muted")
        self.repair = button(self.tr("Re&pair now"), icon_name="retry")
        self.stop = button(self.tr("S&top"))
        self.body.addLayout(row(self._dot, label(self.tr("Subscriptions"), "heading"), None))
        for part in (self._message, self._fix, self._counts, self._points, self._budget, self._rounds, self._step):
            self.body.addWidget(part)
        fill(self.body, self.progress, None, row(self.repair, self.stop, None))
        self.repairing(False)

    def show_status(self, snapshot: Snapshot) -> None:
        status, now = snapshot.subscriptions, time.time()
        state = str(status.state.value)
        self._dot.show_state(_SUBSCRIPTION_TONES.get(state, "off"), translate(status.message))
        self._message.setText(translate(status.message))
        self._fix.setText(translate(status.fix))
        self._fix.setVisible(bool(status.fix))
        counts = self.tr("{} of {} are in force").format(number(status.enabled), number(status.wanted))
        if status.pending:
            counts += ", " + self.tr("%n wait for Twitch's handshake", "", status.pending)
        if status.foreign:
            counts += ", " + self.tr("%n belong to other programs", "", status.foreign)
        self._counts.setText(f"{counts}.")
        self._points.setVisible(status.max_cost > 0)
        self._budget.setVisible(status.max_cost > 0)
        self._points.setRange(0, max(status.max_cost, 1))
        self._points.setValue(min(status.cost, status.max_cost))
        budget = self.tr("{} of {} points used").format(number(status.cost), number(status.max_cost))
        self._budget.setText(budget)
        self._points.setAccessibleName(readable(budget))
        last = self.tr("Looked at {}.").format(ago(status.last_round, now)) if status.last_round else ""
        soon = status.next_round is not None and status.next_round > now
        upcoming = self.tr("Next in {}.").format(span((status.next_round or now) - now)) if soon else ""
        self._rounds.setText(f"{last} {upcoming}".strip())

    def show_progress(self, event: events.SubscriptionsChanged) -> None:
        """How far a round is."""
        if event.total and event.done < event.total:
            self.progress.setRange(0, event.total)
            self.progress.setValue(event.done)
            self._step.setText(self.tr("Step {} of {}").format(number(event.done), number(event.total)))
            self.progress.show()
            self._step.show()
        elif not self._busy:
            self.progress.hide()
            self._step.hide()

    def repairing(self, on: bool) -> None:
        """A round was asked for, and its end is waited for."""
        self._busy = on
        self.repair.setEnabled(not on)
        self.stop.setVisible(on)
        self.progress.setVisible(on)
        self._step.setVisible(on)
        if on:
            self.progress.setRange(0, 0)
            self._step.setText(self.tr("Twitch is asked what it has."))


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
        fill(self.body, row(self.open, None), None)

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


_CADDY = "{host} {{\n    reverse_proxy 127.0.0.1:{port}\n}}"
_NGINX = (
    "location = /twitch {{\n    proxy_pass http://127.0.0.1:{port};\n    proxy_http_version 1.1;\n"
    '    proxy_set_header Connection "";\n}}\n'
    "location /.well-known/itsjustintv/ {{\n    proxy_pass http://127.0.0.1:{port};\n}}"
)


class Guidance(Card):
    """What has to be set up outside of this program. `install` gets ngrok's program; `stop` ends that."""

    def __init__(self) -> None:
        super().__init__(self.tr("What you set up"))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        self.body.addLayout(self._rows)
        self.install = button(self.tr("&Download ngrok's program"))
        self.stop = button(self.tr("Stop the do&wnload"))
        self.progress = progress_bar(self.tr("Download of ngrok's program"), height=6)
        fill(self.body, self.progress, row(self.install, self.stop, None), None)
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
                button(self.tr("Your a&uthtoken"), partial(open_address, TOKEN_PAGE), role="small", icon_name="open"),
                button(self.tr("Your doma&ins"), partial(open_address, DOMAIN_PAGE), role="small", icon_name="open"),
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
