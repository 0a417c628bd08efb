"""Connection: how it is, what can be asked for, and no switch before one saw whether it would work."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import Check, Document, FieldInfo, Remove, Saved, Set, TransportDraft, errors, events
from itsjustintv_desktop.engine.api.settings.secrets import SecretView
from itsjustintv_desktop.engine.monitoring.doctor.report import CheckState
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsState, SubscriptionsStatus, SyncReport
from itsjustintv_desktop.ui.pages.connection import View
from itsjustintv_desktop.ui.pages.connection.form import Wanted, changes_of
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge

LEFT = Qt.MouseButton.LeftButton


def check(name: str, state: str, message: str = "So it is.", fix: str = "") -> Check:
    return Check(name=name, state=CheckState(state), message=message, fix=fix)


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, **snapshot: Any) -> View:
    bridge.engine._snapshot = store.snapshot = samples.snapshot(**snapshot)
    bridge.engine.api.set("connection.last_message", samples.NOW - 120)
    bridge.engine.api.settings.set("documents.document", Document(text="", digest="seen", path="config.toml"))
    bridge.engine.api.settings.set("form.fields", ())
    bridge.engine.api.settings.set("secrets.list", ())
    bridge.engine.api.settings.set("connection_check.check", (check("token", "green"), check("conduit", "green")))
    for what in ("documents.edit", "secrets.keep_with"):
        bridge.engine.api.settings.set(what, Saved(digest="d", state="in_force"))
    page = View(store, "Connection")
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.connection.last_message")))
    return page


@pytest.fixture
def page(qtbot: QtBot, store: Store, bridge: FakeBridge) -> View:
    return shown(qtbot, store, bridge)


def texts(widget: QWidget) -> str:
    """All that can be read there, and that a screen reader would say."""
    labels = [each.text() for each in widget.findChildren(QLabel) if not each.isHidden()]
    return "\n".join([*labels, *(each.accessibleName() for each in widget.findChildren(QWidget))])


def test_a_tunnel_that_is_down_says_why_and_is_restarted(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    down = samples.way(kind="ngrok", state="failing", code="bad_token", message="ngrok says no.", fix="Copy it again.")
    page = shown(qtbot, store, bridge, way=down)
    assert "ngrok says no." in texts(page.way)
    assert "Copy it again." in texts(page.way)
    assert page.way.again.text() == "&Restart the tunnel"
    QTest.mouseClick(page.way.again, LEFT)
    qtbot.waitUntil(lambda: len(bridge.engine.was_asked("api.connection.trigger")) == 1)


def test_where_there_is_no_way_the_headline_says_just_that(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    none = samples.way(kind="none", state="failing", message="Twitch has no address.", fix="Choose one.")
    page = shown(qtbot, store, bridge, way=none)
    assert page.way.accessibleName() == "No way yet: Twitch has no address."
    assert "No way yet" in texts(page.way).splitlines()


def test_the_address_is_copied_as_it_is(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    address = "https://live.example.com/twitch"
    facts = (("certificate_until", "2031-02-03T04:05:06Z"), ("authority", "Example CA"))
    page = shown(qtbot, store, bridge, way=samples.way(kind="tls", address=address, facts=facts))
    QTest.mouseClick(page.way.address.copy, LEFT)
    assert QGuiApplication.clipboard().text() == address
    assert "Certificate ends" in texts(page.way)
    assert "443" in texts(page.guidance)
    assert "8080" in texts(page.guidance)
    assert "https://live.example.com/health" in texts(page.arriving)


def test_subscriptions_stand_against_the_budget(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    status = SubscriptionsStatus(
        state=SubscriptionsState.WORKING, code="pending", message="Two are being made.", wanted=6, enabled=4, pending=2,
        cost=4, max_cost=10, last_round=samples.NOW - 60, next_round=samples.NOW + 3600,
    )  # fmt: skip
    page = shown(qtbot, store, bridge, subscriptions=status)
    said = texts(page.subscriptions)
    for part in ("4 of 6 are in force", "4 of 10 points used", "Two are being made."):
        assert part in said


def test_a_repair_shows_how_far_it_is(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    import asyncio

    page = shown(qtbot, store, bridge)
    report = SyncReport(
        target="t", created=2, deleted=1, kept=3, pending=0, held_back=0, foreign=0, cost=5, max_cost=10
    )
    going = asyncio.get_event_loop().create_future()

    async def sync() -> SyncReport:
        await going
        return report

    bridge.engine.api.set("subscriptions.sync", sync)
    QTest.mouseClick(page.subscriptions.repair, LEFT)
    bridge.happen(
        events.SubscriptionsChanged(state="working", message="", wanted=6, enabled=4, pending=0, done=3, total=8)
    )
    assert (page.subscriptions.progress.value(), page.subscriptions.progress.maximum()) == (3, 8)
    assert page.subscriptions.progress.isVisible()
    assert not page.subscriptions.repair.isEnabled()
    with qtbot.waitSignal(page.said) as said:
        going.set_result(None)
    assert "2 made, 1 taken away, 3" in said.args[0]
    assert page.subscriptions.repair.isEnabled()


def test_a_repair_can_be_stopped(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    import asyncio

    page = shown(qtbot, store, bridge)
    bridge.engine.api.set("subscriptions.sync", lambda: asyncio.get_event_loop().create_future())
    QTest.mouseClick(page.subscriptions.repair, LEFT)
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.subscriptions.sync")))
    QTest.mouseClick(page.subscriptions.stop, LEFT)
    qtbot.waitUntil(page.subscriptions.repair.isEnabled)


def opened(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    QTest.mouseClick(page.change, LEFT)
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.secrets.list")))
    qtbot.waitUntil(lambda: not page.tasks.is_running("load"))


def test_nothing_is_saved_before_the_check_was_seen(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    opened(qtbot, page, bridge)
    switch = page.switch
    assert not switch.save.isEnabled()
    switch.form.choices["own"].click()
    QTest.keyClicks(switch.form.address, "https://example.com/twitch")
    QTest.mouseClick(switch.check, LEFT)
    qtbot.waitUntil(switch.save.isEnabled)
    (asked,) = bridge.engine.was_asked("api.settings.connection_check.check")
    assert asked.args[0].address == "https://example.com/twitch"
    assert not bridge.engine.was_asked("api.settings.documents.edit")
    QTest.keyClicks(switch.form.address, "2")  # what was seen is about another address now
    assert not switch.save.isEnabled()
    assert not switch.checks.isVisible()


def test_a_red_check_can_be_overruled_but_is_named(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    bridge.engine.api.settings.set(
        "connection_check.check", (check("ngrok", "red", "It is not installed.", "Install it."),)
    )
    opened(qtbot, page, bridge)
    page.switch.form.choices["ngrok"].click()
    QTest.mouseClick(page.switch.check, LEFT)
    qtbot.waitUntil(page.switch.save.isEnabled)
    assert page.switch.save.text() == "&Save it nevertheless"
    assert page.switch.save.property("role") != "primary"
    assert not page.switch.save.hasFocus()
    qtbot.waitUntil(lambda: "Install it." in texts(page.switch.checks))
    assert "Ngrok: cannot work" in texts(page.switch.checks)


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    page: View, qtbot: QtBot, bridge: FakeBridge, keep: str
) -> None:
    opened(qtbot, page, bridge)
    switch = page.switch
    switch.form.choices["own"].click()
    QTest.keyClicks(switch.form.address, "https://example.com/twitch")
    QTest.mouseClick(switch.check, LEFT)
    qtbot.waitUntil(switch.save.isEnabled)
    by_hand = FieldInfo(path=("twitch", "incoming_webhook_url"), kind="text", help="", value="https://by.hand/twitch")
    elsewhere = FieldInfo(path=("retry", "max_age"), kind="text", help="", value="2h")
    bridge.engine.api.settings.set("form.fields", (by_hand, elsewhere))
    QTest.mouseClick(switch.save, LEFT)
    qtbot.waitUntil(switch.theirs.isVisible)
    assert not bridge.engine.was_asked("api.settings.documents.edit")
    asked = len(bridge.engine.was_asked("api.settings.secrets.list"))
    (switch.theirs.mine if keep == "mine" else switch.theirs.other).click()
    qtbot.waitUntil(lambda: not switch.theirs.isVisible())
    if keep == "mine":
        qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.documents.edit")))
    else:
        qtbot.waitUntil(lambda: len(bridge.engine.was_asked("api.settings.secrets.list")) > asked)
        assert not bridge.engine.was_asked("api.settings.documents.edit")


def test_what_is_written_between_comparing_and_saving_is_compared_again(
    page: View, qtbot: QtBot, bridge: FakeBridge
) -> None:
    opened(qtbot, page, bridge)
    switch, editing = page.switch, bridge.engine.api.settings
    switch.form.choices["own"].click()
    QTest.keyClicks(switch.form.address, "https://example.com/twitch")
    QTest.mouseClick(switch.check, LEFT)
    qtbot.waitUntil(switch.save.isEnabled)
    by_hand = FieldInfo(path=("twitch", "incoming_webhook_url"), kind="text", help="", value="https://by.hand/twitch")

    def edit(_: object, digest: str) -> Saved:
        assert digest == "seen"
        editing.set("form.fields", (by_hand,))
        editing.set("documents.document", Document(text="", digest="by hand", path="config.toml"))
        raise errors.ConfigChangedError("The config was changed.")

    editing.set("documents.edit", edit)
    QTest.mouseClick(switch.save, LEFT)
    qtbot.waitUntil(switch.theirs.isVisible)
    editing.set("documents.edit", Saved(digest="d", state="in_force"))
    switch.theirs.mine.click()
    qtbot.waitUntil(lambda: len(bridge.engine.was_asked("api.settings.documents.edit")) == 2)
    assert [each.args[1] for each in bridge.engine.was_asked("api.settings.documents.edit")] == ["seen", "by hand"]


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_secret_that_is_changed_by_hand_is_a_conflict_at_once(
    qtbot: QtBot, store: Store, bridge: FakeBridge, keep: str
) -> None:
    def secret(mark: str) -> tuple[SecretView, ...]:
        return (
            SecretView(
                name="twitch.client_secret", title="t", where="config", sentence="s", fingerprints={"file": mark}
            ),
        )

    page = shown(qtbot, store, bridge)
    bridge.engine.api.settings.set("secrets.list", secret("before"))
    opened(qtbot, page, bridge)
    switch = page.switch
    QTest.keyClicks(switch.form.secret, "mine")
    QTest.mouseClick(switch.check, LEFT)
    qtbot.waitUntil(switch.save.isEnabled)
    bridge.engine.api.settings.set("secrets.list", secret("by hand"))
    bridge.happen(events.ConfigChanged(state="ok", text=""))
    qtbot.waitUntil(switch.theirs.isVisible)
    assert "(twitch.client_secret)" in switch.theirs.sentence.text()
    assert switch.form.secret.text() == "mine"
    assert not switch.save.isEnabled()
    (switch.theirs.mine if keep == "mine" else switch.theirs.other).click()
    qtbot.waitUntil(lambda: not switch.theirs.isVisible())
    if keep == "mine":
        assert not bridge.engine.was_asked("api.settings.secrets.keep_with"), "saving is another step"
        QTest.mouseClick(switch.save, LEFT)
        qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.secrets.keep_with")))
    else:
        qtbot.waitUntil(lambda: not switch.form.secret.text())
        assert not page.unsaved


def test_a_form_without_changes_follows_the_file(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    opened(qtbot, page, bridge)
    now = FieldInfo(path=("twitch", "client_id"), kind="text", help="", value="by hand")
    bridge.engine.api.settings.set("form.fields", (now,))
    bridge.happen(events.ConfigChanged(state="ok", text=""))
    qtbot.waitUntil(lambda: page.switch.form.client_id.text() == "by hand")
    assert not page.switch.theirs.isVisible()


def test_a_saved_way_is_watched_until_it_works(page: View, qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    opened(qtbot, page, bridge)
    form = page.switch.form
    form.choices["ngrok"].click()
    QTest.keyClicks(form.authtoken, "a-token-of-ngrok")
    QTest.keyClicks(form.domain, "me.ngrok-free.dev")
    QTest.mouseClick(page.switch.check, LEFT)
    qtbot.waitUntil(page.switch.save.isEnabled)
    QTest.mouseClick(page.switch.save, LEFT)
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.secrets.keep_with")))
    (asked,) = bridge.engine.was_asked("api.settings.secrets.keep_with")
    kept, changes, digest = asked.args
    assert (kept, digest) == ({"tunnel.authtoken": "a-token-of-ngrok"}, "seen")
    assert Set(("tunnel", "provider"), "ngrok") in changes
    assert Set(("tunnel", "domain"), "me.ngrok-free.dev") in changes
    assert "a-token-of-ngrok" not in repr(changes)
    qtbot.waitUntil(lambda: form.authtoken.text() == "")
    bridge.engine._snapshot = samples.snapshot(way=samples.way(kind="ngrok", message="The tunnel is open."))
    store.refresh()
    qtbot.waitUntil(lambda: page.switch.cancel.text() == "&Done")
    assert "The tunnel is open." in texts(page.switch)
    QTest.mouseClick(page.switch.cancel, LEFT)
    assert page.change.isVisible()


def test_a_check_that_cannot_be_made_says_so(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    opened(qtbot, page, bridge)
    bridge.engine.api.settings.set("connection_check.check", errors.EngineGoneError("It does not answer."))
    QTest.mouseClick(page.switch.check, LEFT)
    qtbot.waitUntil(page.banner.isVisible)
    assert page.switch.check.isEnabled()
    assert not page.switch.save.isEnabled()


def test_no_secret_is_said_and_everything_has_a_name(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    bridge.engine.api.settings.set(
        "secrets.list", (SecretView(name="twitch.client_secret", title="t", where="keyring", sentence="s"),)
    )
    opened(qtbot, page, bridge)
    assert "kept" in page.switch.form.secret.placeholderText()
    QTest.keyClicks(page.switch.form.secret, "hush-hush-hush")
    assert page.switch.form.secret.echoMode() is QLineEdit.EchoMode.Password
    assert "hush-hush-hush" not in texts(page)
    for edit in page.findChildren(QLineEdit):
        assert edit.accessibleName() or edit.objectName().startswith("qt_"), edit
    for pressed in page.findChildren(QAbstractButton):
        assert pressed.accessibleName() or pressed.text() or pressed.objectName().startswith("qt_"), pressed


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("keyring", "It is kept; leave this empty to go on with it"),
        ("unknown", "It cannot be read at the moment"),
        ("absent", ""),
    ],
)
def test_a_secret_that_cannot_be_read_is_not_taken_for_none(
    page: View, qtbot: QtBot, bridge: FakeBridge, where: Any, words: str
) -> None:
    view = SecretView(name="twitch.client_secret", title="t", where=where, sentence="s")
    page.switch.form.load((), (view,), "conduit", "")
    assert page.switch.form.secret.placeholderText() == words


@pytest.mark.parametrize("kind", ["conduit", "ngrok", "tls", "own"])
def test_each_way_comes_to_a_config_that_chooses_it(kind: Any) -> None:
    """The engine's own choice is asked, over what is written for a file that had everything else before."""
    from itsjustintv_desktop.engine.config.schema import Config, Server, Tls, Tunnel, Twitch
    from itsjustintv_desktop.engine.ingress.transports import transport_kind

    draft = TransportDraft(
        kind=kind, address="https://example.com/twitch", domains=("example.com",), listen_addr="0.0.0.0"
    )
    said: dict[tuple[str, ...], Any] = {
        ("twitch", "transport"): "conduit", ("tunnel", "provider"): "ngrok", ("server", "tls", "enabled"): True,
        ("twitch", "incoming_webhook_url"): "https://old.example.com/twitch",
        ("server", "external_domain"): "old.example.com",
    }  # fmt: skip
    for change in changes_of(Wanted(draft=draft)):
        if isinstance(change, Set):
            said[tuple(change.path)] = change.value
        elif isinstance(change, Remove):
            said.pop(tuple(change.path), None)
    config = Config(
        twitch=Twitch(
            transport=said.get(("twitch", "transport"), "webhook"),
            incoming_webhook_url=said.get(("twitch", "incoming_webhook_url"), ""),
        ),
        tunnel=Tunnel(provider=said.get(("tunnel", "provider"), "none")),
        server=Server(
            external_domain=said.get(("server", "external_domain"), ""),
            tls=Tls(enabled=said.get(("server", "tls", "enabled"), False)),
        ),
    )
    assert transport_kind(config) == kind
