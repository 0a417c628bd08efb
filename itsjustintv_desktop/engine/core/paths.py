"""Where the program keeps its files (the contract of docs/files.md)."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import platformdirs

from itsjustintv_desktop.engine.core.errors import DataDirectoryError, os_sentence

APP_NAME = "itsjustintv-desktop"


@dataclass(frozen=True, slots=True)
class Paths:
    """The config file and the data directory; every other file lies in the latter."""

    config: Path
    data: Path
    config_named: bool = False
    """A person said where the config is: it has to be there, unless the environment brings streamers."""

    @classmethod
    def default(cls, config: Path | None = None, data: Path | None = None) -> Paths:
        """The given paths, else `ITSJUSTINTV_CONFIG` / `ITSJUSTINTV_DATA_DIR`, else the system's own places."""
        folders = platformdirs.PlatformDirs(APP_NAME, appauthor=False)
        config = config or _from_environment("ITSJUSTINTV_CONFIG")
        data = data or _from_environment("ITSJUSTINTV_DATA_DIR")
        folder = folders.user_config_path
        if folder == folders.user_data_path:  # macOS, Windows: the ledger's writes must not wake who watches the config
            folder /= "config"
        return cls(
            config=(config or folder / "config.toml").absolute(),
            data=(data or folders.user_data_path).absolute(),
            config_named=config is not None,
        )

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.db"

    @property
    def lock(self) -> Path:
        return self.data / "instance.lock"

    @property
    def control(self) -> Path:
        return self.data / "control.json"

    @property
    def vault(self) -> Path:
        return self.data / "secrets.vault"

    @property
    def images(self) -> Path:
        return self.data / "image_cache"

    @property
    def ngrok(self) -> Path:
        return self.data / "ngrok"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    def resolve(self, path: str) -> Path:
        """A path from the config: relative ones are taken from the data directory, a leading `data/` dropped."""
        given = Path(path).expanduser()
        if given.is_absolute():
            return given
        parts = PurePosixPath(path.replace("\\", "/")).parts
        if len(parts) > 1 and parts[0] == "data":
            parts = parts[1:]
        return self.data.joinpath(*parts)

    def create(self) -> None:
        """Make the data directory (0700). Raises DataDirectoryError."""
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            if sys.platform != "win32":
                self.data.chmod(0o700)
        except OSError as error:
            raise data_directory_error(f"{self.data} cannot be made", error) from error

    def keep(self) -> bool:
        """Make the data directory again if somebody deleted it: True. Raises OSError.

        Without the folder it lies in, a whole disk is missing: nothing is made in its place.
        """
        if self.data.exists():
            return False
        self.data.mkdir(mode=0o700)
        return True


def data_directory_error(what: str, error: OSError) -> DataDirectoryError:
    """`what` went wrong, why, and what to do."""
    return DataDirectoryError(f"{what}: {os_sentence(error)}. Mend that, or choose another --data-dir.")


def _from_environment(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value).expanduser() if value else None
