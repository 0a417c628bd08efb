"""The one exception tree. Each error has a title and a message fit to show a person, saying what to do.

AppError
├── ConfigError             the config file cannot be used as it is
├── ConfigChangedError      it was changed by someone else since it was read; nothing was saved
├── ConfigSaveError         it could not be written; it is as it was
├── UsageError              a command or an action was asked for something that makes no sense
├── NotFoundError           no such delivery, event, streamer or destination
├── AlreadyRunningError     another process holds this data directory
├── DataDirectoryError      the data directory cannot be made or written
├── AddressInUseError       the listening address is taken or may not be bound
├── ControlError            the running instance could not be reached or refused
├── ImageError              a profile image cannot be had or kept
├── LedgerError
│   ├── LedgerUnavailableError    cannot commit now (disk full, read-only, locked); heals by itself
│   ├── LedgerCorruptError        the file is damaged and was put aside
│   └── LedgerTooNewError         written by a newer version of this program
├── SecretsError
│   ├── SecretsLockedError        the keyring exists and is locked, or its prompt was dismissed
│   ├── SecretsAbsentError        no keyring on this machine and no other choice made
│   ├── WrongPassphraseError      the passphrase does not open the vault
│   └── VaultDamagedError         secrets.vault is unreadable and was put aside
├── MessageError
│   ├── MessageRefusedError       signature or freshness wrong: 403, nothing stored
│   └── MessageMalformedError     signed, but not a message: 400
└── TwitchError
    ├── TwitchAuthError           Twitch refuses the client id or secret
    ├── TwitchRateLimitedError    out of rate budget until `retry_at`
    ├── TwitchRefusedError        Twitch answered 4xx: asking again would not help
    └── TwitchUnreachableError    no answer, a broken one, or 5xx: asking again may help

Errors of other libraries are turned into these in `translate.py` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal


class AppError(Exception):
    """Base of every error this program raises on purpose."""

    title = "Something went wrong"

    def __init__(self, message: str, *, title: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if title is not None:
            self.title = title


class ConfigError(AppError):
    """`problems` holds one sentence a problem, each naming file, line, key, fault and remedy.

    `warnings` is what else would have been said of the config, in the same form.
    """

    title = "The configuration cannot be used"

    def __init__(self, problems: list[str], warnings: Sequence[str] = ()) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.warnings = tuple(warnings)


class ConfigChangedError(AppError):
    title = "The configuration was changed meanwhile"


class ConfigSaveError(AppError):
    title = "The configuration could not be saved"


class UsageError(AppError):
    title = "That cannot be done"


class NotFoundError(AppError):
    title = "Not found"


class AlreadyRunningError(AppError):
    title = "Already running"


class DataDirectoryError(AppError):
    title = "The data directory cannot be used"


class AddressInUseError(AppError):
    title = "The listening address cannot be used"


class ControlError(AppError):
    title = "The running program did not answer"


class ImageError(AppError):
    title = "A picture cannot be used"


class LedgerError(AppError):
    title = "The ledger has a problem"


class LedgerUnavailableError(LedgerError):
    title = "The ledger cannot be written"


class LedgerCorruptError(LedgerError):
    title = "The ledger is damaged"


class LedgerTooNewError(LedgerError):
    title = "The ledger is from a newer version"


class SecretsError(AppError):
    title = "Secrets cannot be reached"


class SecretsLockedError(SecretsError):
    title = "The keyring is locked"


class SecretsAbsentError(SecretsError):
    title = "There is no keyring"


class WrongPassphraseError(SecretsError):
    title = "The passphrase is wrong"


class VaultDamagedError(SecretsError):
    title = "The vault is damaged"


class MessageError(AppError):
    title = "A message was refused"


class MessageRefusedError(MessageError):
    """`kind` keeps apart in the log what any stranger can provoke and what points at a clock that is wrong."""

    title = "A message was not signed by Twitch"

    def __init__(self, message: str, *, kind: Literal["signature", "stale", "other"] = "other") -> None:
        super().__init__(message)
        self.kind = kind


class MessageMalformedError(MessageError):
    title = "A message could not be read"


class TwitchError(AppError):
    title = "Twitch has a problem"


class TwitchAuthError(TwitchError):
    title = "Twitch refuses the client id or secret"


class TwitchRateLimitedError(TwitchError):
    title = "Twitch asks us to wait"

    def __init__(self, message: str, *, retry_at: float) -> None:
        """`retry_at` is wall-clock Unix seconds (the `Ratelimit-Reset` header)."""
        super().__init__(message)
        self.retry_at = retry_at


class TwitchRefusedError(TwitchError):
    title = "Twitch refused a request"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class TwitchUnreachableError(TwitchError):
    title = "Twitch cannot be reached"
