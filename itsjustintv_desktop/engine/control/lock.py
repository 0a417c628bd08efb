"""One instance a data directory: an operating-system lock that ends with the process, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout

from itsjustintv_desktop.engine.errors import AlreadyRunningError, DataDirectoryError
from itsjustintv_desktop.engine.paths import data_directory_error


class InstanceLock:
    """Held from `acquire` to `release`. A lock file left by a killed process does not count."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._lock = FileLock(path, mode=0o600, thread_local=False)

    def acquire(self) -> None:
        """Raises AlreadyRunningError, DataDirectoryError."""
        self._not_for_another()
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise AlreadyRunningError(
                "The program already runs with this data directory. Close it, or choose another --data-dir."
            ) from None
        except OSError as error:
            raise data_directory_error("The lock file cannot be written", error) from error

    def _not_for_another(self) -> None:
        """Whatever root makes in the directory of another user, that one cannot use any more."""
        if not hasattr(os, "geteuid") or os.geteuid() != 0 or not self._folder.exists():
            return
        owner = self._folder.stat().st_uid
        if owner != 0:
            raise DataDirectoryError(
                f"{self._folder} belongs to {_user(owner)}, and what root writes there, that user could not read. Run "
                "this as that user, or beside the running program (a service: systemctl start itsjustintv)."
            )

    def release(self) -> None:
        self._lock.release()


def _user(uid: int) -> str:
    import pwd  # not on Windows

    try:
        return f'the user "{pwd.getpwuid(uid).pw_name}"'
    except KeyError:
        return f"the user with number {uid}"
