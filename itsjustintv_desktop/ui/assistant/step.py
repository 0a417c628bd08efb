"""What every step of the assistant is."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import Snapshot, events
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import label
from itsjustintv_desktop.ui.widgets.scroll import Upright


@dataclass(slots=True)
class SetupContext:
    """What the steps share."""

    store: Store
    preferences: Preferences
    tasks: PageTasks
    streamer: str = ""
    """The key of the streamer that is set up."""
    login: str = ""
    destination: str = ""

    @property
    def bridge(self) -> Bridge:
        return self.store.bridge


class Step(QWidget):
    """`next_text` labels the button that continues; `changed` when that or `ready` changed."""

    changed = Signal()
    forward = Signal()
    """Go on without a press of the button."""

    name = ""

    def __init__(self, course: SetupContext, title: str, text: str) -> None:
        super().__init__()
        self.course = course
        self.title = title
        self.setAccessibleName(readable(title))
        inner = QWidget()
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(0, 0, 10, 0)
        self.body.setSpacing(14)
        scroll = Upright(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(label(title, "title", wrap=True))
        layout.addWidget(label(text, "muted", wrap=True))
        layout.addSpacing(8)
        layout.addWidget(scroll, 1)

    @property
    def bridge(self) -> Bridge:
        return self.course.bridge

    @property
    def next_text(self) -> str:
        return self.tr("&Next")

    @property
    def ready(self) -> bool:
        """Whether the button that continues is enabled."""
        return True

    @property
    def insists(self) -> bool:
        """Whether continuing ignores a failed check: then the button is not accented, and no key presses it."""
        return False

    def again(self) -> None:
        """Forget what was found, so that it is looked for once more."""

    @property
    def can_skip(self) -> bool:
        return True

    def enter(self) -> None:
        """It comes to the front."""

    async def leave(self) -> bool:
        """Do what this step is for; False: stay here. Raises AppError, which is shown."""
        return True

    def happened(self, batch: list[events.EngineEvent]) -> None:
        """Something happened in the engine while this step is in front."""

    def refresh(self, snapshot: Snapshot) -> None:
        """A new snapshot while this step is in front."""
