"""The part of the Windows registry that starting with the machine needs, behind a narrow seam."""

from __future__ import annotations

import sys
from typing import Protocol

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"


class Registry(Protocol):
    """Values below HKEY_CURRENT_USER. All raise OSError."""

    def get(self, key: str, name: str) -> str | bytes | None:
        """None: there is no such key or value."""
        ...

    def set(self, key: str, name: str, value: str) -> None: ...

    def delete(self, key: str, name: str) -> None:
        """What is not there needs no deleting."""
        ...


class CurrentUser:
    """The real one. Every method raises OSError elsewhere than on Windows."""

    def get(self, key: str, name: str) -> str | bytes | None:
        if sys.platform == "win32":
            import winreg

            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                    value, _ = winreg.QueryValueEx(opened, name)
            except FileNotFoundError:
                return None
            return value if isinstance(value, str | bytes) else None
        raise _elsewhere()

    def set(self, key: str, name: str, value: str) -> None:
        if sys.platform == "win32":
            import winreg

            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)
        else:
            raise _elsewhere()

    def delete(self, key: str, name: str) -> None:
        if sys.platform == "win32":
            import winreg
            from contextlib import suppress

            with (
                suppress(FileNotFoundError),
                winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE) as opened,
            ):
                winreg.DeleteValue(opened, name)
        else:
            raise _elsewhere()


def _elsewhere() -> OSError:
    return OSError("there is no registry on this system")
