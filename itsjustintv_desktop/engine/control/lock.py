"""One instance a data directory: an operating-system lock that ends with the process, however it ends."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from itsjustintv_desktop.engine.errors import AlreadyRunningError
from itsjustintv_desktop.engine.paths import data_directory_error


class InstanceLock:
    """Held from `acquire` to `release`. A lock file left by a killed process does not count."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path, mode=0o600, thread_local=False)

    def acquire(self) -> None:
        """Raises AlreadyRunningError, DataDirectoryError."""
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise AlreadyRunningError(
                "The program already runs with this data directory. Close it, or choose another --data-dir."
            ) from None
        except OSError as error:
            raise data_directory_error("The lock file cannot be written", error) from error

    def release(self) -> None:
        self._lock.release()
