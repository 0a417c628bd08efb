"""One instance a data directory: an operating-system lock that ends with the process, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import AlreadyRunningError, DataDirectoryError
from itsjustintv_desktop.engine.core.paths import data_directory_error


class InstanceLock:
    """Held from `acquire` to `release`. A lock file left by a killed process does not count."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: tuple[int, int] | None = None
        """Device and inode of the file that is locked."""
        self._lock = FileLock(path, mode=0o600, thread_local=False)

    def acquire(self) -> None:
        """Raises AlreadyRunningError, DataDirectoryError."""
        self._not_for_another()
        try:
            files.check(self._path)
            self._lock.acquire(blocking=False)
        except Timeout:
            raise AlreadyRunningError(
                "The program already runs with this data directory. Close it, or choose another --data-dir."
            ) from None
        except OSError as error:
            raise data_directory_error("The lock file cannot be written", error) from error
        self._held = self._found()

    def keep(self) -> bool:
        """Take the lock anew if somebody deleted its file, since it keeps nobody out then: True. Blocks.

        Raises AlreadyRunningError if another program was quicker, DataDirectoryError, OSError.
        """
        if self._held is not None and self._held == self._found():
            return False
        self._held = None
        self._lock.release()
        try:
            self.acquire()
        except AlreadyRunningError as error:
            raise AlreadyRunningError(
                "The lock file was deleted, and another program runs with this data directory now. End one of the two."
            ) from error
        if sys.platform != "win32":
            self._path.parent.chmod(0o700)  # it went with its folder, and a part of ours made that for all to read
        return True

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _not_for_another(self) -> None:
        """Whatever root makes in the directory of another user, that one cannot use any more."""
        folder = self._path.parent
        if not hasattr(os, "geteuid") or os.geteuid() != 0 or not folder.exists():
            return
        owner = folder.stat().st_uid
        if owner != 0:
            raise DataDirectoryError(
                f"{folder} belongs to {_user(owner)}, and what root writes there, that user could not read. Run "
                "this as that user, or beside the running program (a service: systemctl start itsjustintv)."
            )

    def release(self) -> None:
        self._held = None
        self._lock.release()


def _user(uid: int) -> str:
    import pwd  # not on Windows

    try:
        return f'the user "{pwd.getpwuid(uid).pw_name}"'
    except KeyError:
        return f"the user with number {uid}"
