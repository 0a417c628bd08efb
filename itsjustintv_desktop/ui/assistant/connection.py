"""How Twitch reaches the program, and a test of the whole way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout

from itsjustintv_desktop.engine import events
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.connection.form import KINDS, TransportForm, Wanted, save
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Tone, button, clear, label, row
from itsjustintv_desktop.ui.widgets.states import CheckList, progress_bar

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.api.announcements import EventReport

CHECK_SECONDS = 90.0


class Reach(Step):
    """The conduit is checked automatically; the others need input first."""

    name = "reach"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("How Twitch reaches you"),
            self.tr("Stay with the conduit unless you know why not. It can be changed at any time."),
        )
        self.form = TransportForm(with_credentials=False)
        self.checks = CheckList()
        self._bar = progress_bar(self.tr("Looking whether it would work"), busy=True)
        card = Card()
        card.body.addWidget(self.form)
        self.body.addWidget(card)
        self.body.addWidget(self._bar)
        self.body.addWidget(self.checks)
        self.body.addStretch(1)
        self._bar.hide()
        self._checked: Wanted | None = None
        self._red = self._loaded = False
        self.form.changed.connect(self._edited)

    @property
    def next_text(self) -> str:
        if self._checked is None:
            return self.tr("&Check")
        return self.tr("&Use it nevertheless") if self._red else self.tr("&Use this way")

    @property
    def insists(self) -> bool:
        return self._checked is not None and self._red

    def again(self) -> None:
        self._edited()

    @property
    def ready(self) -> bool:
        return self._bar.isHidden()

    def enter(self) -> None:
        self.form.choices[self.form.kind].setFocus()
        self.course.tasks.start("way", self._load())

    async def leave(self) -> bool:
        """The first time it only looks; what was looked at is saved."""
        wanted = self.form.wanted()
        if self._checked != wanted:
            await self._check(wanted)
            return False
        saved = await save(self.bridge, wanted)
        self.form.forget_secrets()
        self._checked = None
        return saved.state not in {"refused", "waiting"}

    async def _load(self) -> None:
        if not self._loaded:
            fields = await self.bridge.call(lambda engine: engine.api.settings.form.fields())
            kept = await self.bridge.call(lambda engine: engine.api.settings.secrets.list())
            snapshot = self.course.store.snapshot
            way = snapshot.way if snapshot is not None else None
            kind = way.kind if way is not None and way.kind in KINDS else "conduit"
            self.form.load(fields, kept, kind, way.address if way is not None else "")
            self._loaded = True
        if self.form.kind == "conduit" and self._checked is None:
            await self._check(self.form.wanted())

    async def _check(self, wanted: Wanted) -> None:
        self._bar.show()
        self.changed.emit()
        try:
            checks = await self.bridge.call(
                lambda engine: engine.api.settings.connection_check.check(wanted.draft), CHECK_SECONDS
            )
        finally:
            self._bar.hide()
            self.changed.emit()
        if wanted == self.form.wanted():
            self.checks.show_checks(checks)
            self._red = any(check.state == "red" for check in checks)
            self._checked = wanted
            self.changed.emit()

    def _edited(self) -> None:
        self._checked = None
        self.checks.show_checks(())
        self.changed.emit()


LOOK_MS = 1000
"""How often it is asked how far the test is, beside the events that tell."""
_TONES: dict[str, Tone] = {"delivered": "ok", "pending": "attention", "sending": "accent"}
_FINAL = ("delivered", "expired", "dead", "dropped")


class SendTestStep(Step):
    name = "test"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("See it arrive"),
            self.tr("A test goes the whole way that a real announcement goes. It says that it is a test."),
        )
        self.send = button(self.tr("&Send a test"), self._send, role="primary", icon_name="send")
        self._bar = progress_bar(self.tr("The test is on its way"), busy=True)
        self._rows = QVBoxLayout()
        self.card = Card(self.tr("What became of it"))
        self.card.body.addLayout(self._rows)
        self.body.addLayout(row(self.send, None))
        self.body.addWidget(self._bar)
        self.body.addWidget(self.card)
        self.body.addStretch(1)
        self._bar.hide()
        self.card.hide()
        self.arrived = False
        self._event: int | None = None
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    def enter(self) -> None:
        self.send.setEnabled(bool(self.course.login or self.course.destination))
        self.send.setFocus()

    async def leave(self) -> bool:
        self._timer.stop()
        return True

    def happened(self, batch: list[events.EngineEvent]) -> None:
        if any(
            isinstance(event, events.EventSettled | events.DeliveryChanged) and event.event_id == self._event
            for event in batch
        ):
            self._look()

    def _send(self) -> None:
        self.send.setEnabled(False)
        self._bar.show()
        self.course.tasks.start("test", self._do_send())

    async def _do_send(self) -> None:
        login, destination = self.course.login, self.course.destination
        try:
            if login:
                self._event = await self.bridge.call(lambda engine: engine.api.announcements.test_event(login))
                self._timer.start()
                self._look()
                return
            result = await self.bridge.call(lambda engine: engine.api.settings.preview.test(destination))
        except BaseException:
            self._over()
            raise
        self._over()
        self._say(
            [(destination, "ok" if result.ok else "failed", _answered(translate(result.sentence), result.answer))]
        )
        self.arrived = result.ok

    def _look(self) -> None:
        if self._event is not None:
            self.course.tasks.start("how far", self._do_look(self._event))

    async def _do_look(self, event: int) -> None:
        report = await self.bridge.call(lambda engine: engine.api.announcements.event_report(event))
        if event != self._event:
            return
        if report.state == "accepted":
            return
        rows = self._rows_of(report)
        self._say(rows)
        self.arrived = any(each.state.value == "delivered" for each in report.deliveries)
        if report.is_settled or any(each.state.value == "pending" and each.attempts for each in report.deliveries):
            self._over()
        if report.is_settled:
            self._event = None
            self._timer.stop()

    def _rows_of(self, report: EventReport) -> list[tuple[str, Tone, str]]:
        if report.state != "announced":
            return [(self.course.login, "failed", translate(report.explanation or "") or report.reason or report.state)]
        if not report.deliveries:
            return [("output.json", "ok", self.tr("It stands in output.json; no destination is set."))]
        words = {"delivered": self.tr("It arrived"), "pending": self.tr("It waits, and is tried again"),
                 "sending": self.tr("It is being sent")}  # fmt: skip
        rows: list[tuple[str, Tone, str]] = []
        for each in report.deliveries:
            state = each.state.value
            word = words.get(state, self.tr("It did not arrive"))
            if each.last_status is not None:
                word += " " + self.tr("(HTTP {})").format(each.last_status)
            why = report.blocked.get(each.destination) or (each.last_error if state != "delivered" else "") or ""
            why = translate(why)
            why = why[:1].upper() + why[1:]
            rows.append((each.destination, _TONES.get(state, "failed"), f"{word}. {why}".strip()))
        return rows

    def _say(self, rows: list[tuple[str, Tone, str]]) -> None:
        clear(self._rows)
        for name, tone, text in rows:
            made = row(Dot(tone, text), label(name, "strong"))
            made.addWidget(label(text, wrap=True, selectable=True), 1)
            self._rows.addLayout(made)
        self.card.setAccessibleName(readable(". ".join(f"{name}: {text}" for name, _, text in rows)))
        self.card.show()
        self.changed.emit()

    def _over(self) -> None:
        self._bar.hide()
        self.send.setEnabled(True)
        self.send.setText(self.tr("&Send it again"))


def _answered(sentence: str, answer: str) -> str:
    return f"{sentence} {answer[:200]}".strip()
