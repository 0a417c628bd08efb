"""What the window remembers between two runs: its place, the theme, notifications, hints that were shown.

Kept in desktop.ini in the data directory, by Qt's own QSettings (atomic, and locked between processes).
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any, Literal, cast

from PySide6.QtCore import QByteArray, QSettings

from itsjustintv_desktop.engine import files

NotificationKind = Literal["live", "given_up", "trouble", "update"]
KINDS: tuple[NotificationKind, ...] = ("live", "given_up", "trouble", "update")


class Preferences:
    """Reading and writing cost a moment of disk; nothing secret is ever in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._make_way()
        self._settings = QSettings(str(path), QSettings.Format.IniFormat)

    @property
    def theme(self) -> Literal["system", "light", "dark"]:
        value = str(self._settings.value("theme", "system"))
        return cast("Literal['system', 'light', 'dark']", value if value in {"system", "light", "dark"} else "system")

    @theme.setter
    def theme(self, value: Literal["system", "light", "dark"]) -> None:
        self._set("theme", value)

    @property
    def geometry(self) -> QByteArray | None:
        value = self._settings.value("geometry")
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._set("geometry", value)

    @property
    def page(self) -> str:
        """The page that was open last."""
        return str(self._settings.value("page", "overview"))

    @page.setter
    def page(self, value: str) -> None:
        self._set("page", value)

    @property
    def language(self) -> str:
        """ "" follows the system."""
        return str(self._settings.value("language", ""))

    @language.setter
    def language(self, value: str) -> None:
        self._set("language", value)

    @property
    def own_login(self) -> str:
        """The channel of this person: notifications can rest while it is live. "" = none."""
        return str(self._settings.value("own_login", ""))

    @own_login.setter
    def own_login(self, value: str) -> None:
        self._set("own_login", value)

    def notify(self, kind: NotificationKind) -> bool:
        return self._flag(f"notify/{kind}", default=True)

    def set_notify(self, kind: NotificationKind, wanted: bool) -> None:
        self._set(f"notify/{kind}", wanted)

    @property
    def quiet_while_live(self) -> bool:
        """No notifications while the own channel is live: the screen is on air then."""
        return self._flag("notify/quiet_while_live", default=True)

    @quiet_while_live.setter
    def quiet_while_live(self, wanted: bool) -> None:
        self._set("notify/quiet_while_live", wanted)

    def first_time(self, hint: str) -> bool:
        """True once for each hint."""
        seen = self._flag(f"hints/{hint}", default=False)
        if not seen:
            self._set(f"hints/{hint}", True)
        return not seen

    @property
    def assistant_done(self) -> bool:
        return self._flag("assistant/done", default=False)

    @assistant_done.setter
    def assistant_done(self, value: bool) -> None:
        self._set("assistant/done", value)

    @property
    def assistant_step(self) -> str:
        return str(self._settings.value("assistant/step", ""))

    @assistant_step.setter
    def assistant_step(self, value: str) -> None:
        self._set("assistant/step", value)

    def sync(self) -> None:
        """Have it on disk now."""
        self._make_way()
        self._settings.sync()
        if sys.platform != "win32" and self._path.exists():
            self._path.chmod(0o600)

    def _make_way(self) -> None:
        """Put aside what is no file, such as a pipe: Qt would wait for it, and the window with it."""
        for path in (self._path, self._path.with_name(f"{self._path.name}.lock")):
            try:
                files.check(path, follow=True)
            except OSError:
                with contextlib.suppress(OSError):
                    files.set_aside(path, path.with_name(f"{path.name}.damaged"))

    def _flag(self, key: str, *, default: bool) -> bool:
        return str(self._settings.value(key, default)).lower() == "true"

    def _set(self, key: str, value: Any) -> None:
        if self._settings.value(key) != value:
            self._settings.setValue(key, value)
            self.sync()
