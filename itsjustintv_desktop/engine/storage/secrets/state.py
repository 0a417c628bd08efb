"""How the secrets are, as one value that can be shown."""

from __future__ import annotations

from typing import Literal

import msgspec

from itsjustintv_desktop.engine.core.errors import (
    SecretsAbsentError,
    SecretsError,
    VaultDamagedError,
    WrongPassphraseError,
)

SecretsStatus = Literal["ready", "locked", "absent", "wrong-passphrase", "damaged", "unopened"]


class SecretsState(msgspec.Struct, frozen=True, kw_only=True):
    """`message` says what is wrong and what to do; it is empty when nothing is. `since` is Unix seconds.

    `takes_passphrase`: one that is given to `unlock` may open them.
    """

    status: SecretsStatus
    message: str
    since: float
    takes_passphrase: bool = False


def status_of(error: SecretsError | None) -> SecretsStatus:
    """The state an error stands for. What is not absent, wrong or damaged may come back: locked."""
    if error is None:
        return "ready"
    if isinstance(error, SecretsAbsentError):
        return "absent"
    if isinstance(error, WrongPassphraseError):
        return "wrong-passphrase"
    if isinstance(error, VaultDamagedError):
        return "damaged"
    return "locked"


def renewed(error: SecretsError) -> SecretsError:
    """The same error to raise once more, without the traceback of the first time."""
    return type(error)(error.message, title=error.title)
