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
├── CertificateError        no certificate could be had or used; `kind` says what stood in the way
├── GoFileError             a file of the Go service cannot be taken over
├── LedgerError
│   ├── LedgerUnavailableError    cannot commit now (disk full, read-only, locked); heals by itself
│   ├── LedgerCorruptError        the file is damaged and was put aside
│   ├── LedgerLostError           the file was deleted or replaced while it was open; it is copied to a new one
│   ├── LedgerUndoneError         what was just stored was overwritten by another program; it can be stored again
│   └── LedgerTooNewError         written by a newer version of this program
├── SecretsError
│   ├── SecretsLockedError        the keyring exists and is locked, or its prompt was dismissed
│   ├── SecretsAbsentError        no keyring on this machine and no other choice made
│   ├── WrongPassphraseError      the passphrase does not open the vault
│   └── VaultDamagedError         secrets.vault is unreadable and was put aside
├── TunnelError             the tunnel's program cannot be had, or does not answer
│   └── TunnelRefusedError        it answered, and refused
├── UpdateUnreachableError  nobody could be asked whether there is a newer version
├── MessageError
│   ├── MessageRefusedError       signature or freshness wrong: 403, nothing stored
│   └── MessageMalformedError     signed, but not a message: 400
└── TwitchError
    ├── TwitchAuthError           Twitch refuses the client id or secret
    │   └── TwitchNoClientError       one of both is not set at all
    ├── TwitchRateLimitedError    out of rate budget until `retry_at`
    ├── TwitchRefusedError        Twitch answered 4xx: asking again would not help
    │   ├── SubscriptionExistsError   there is one of this type, condition and target already (409)
    │   ├── SubscriptionLimitError    no room for another: too many alike, or the budget is spent (429)
    │   ├── ConduitGoneError          our conduit no longer exists (404)
    │   └── ConduitLimitError         the client id has as many conduits as Twitch allows (429)
    ├── EndpointGivenUpError      one endpoint refuses us, and nobody asks it for a while
    ├── ConduitTakenError         another program took our conduit over
    ├── ShardRefusedError         Twitch does not let our socket serve the conduit
    └── TwitchUnreachableError    no answer, a broken one, or 5xx: asking again may help
        └── EventSocketError          the socket that events come over could not be opened, or broke

Errors of other libraries are turned into these, or into sentences, beside the calls that raise them: those of HTTP
and TLS in `net/errors.py`, of the system in `os_sentence` below, of SQLite in `storage/ledger/connection.py`, of the
keyring in `storage/secrets/keyring_library.py`, of ACME in `ingress/acme/client.py`.
"""

from __future__ import annotations

import errno
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


class CertificateError(AppError):
    """`kind` is an ACME error type (RFC 8555 6.7: "dns", "connection", "rateLimited", ...), or one of ours:
    "unreachable" and "answer" (the authority), "disk", "http_port", "late", "not_serving".

    `validation` tells that it happened while the authority looked at `domain`; `retry_after` is in seconds.
    """

    title = "No certificate could be had"

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        domain: str = "",
        validation: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.domain = domain
        self.validation = validation
        self.retry_after = retry_after


class GoFileError(AppError):
    title = "A file of the Go service cannot be taken over"


class LedgerError(AppError):
    title = "The ledger has a problem"


class LedgerUnavailableError(LedgerError):
    title = "The ledger cannot be written"


class LedgerLostError(LedgerUnavailableError):
    title = "The ledger was deleted"


class LedgerUndoneError(LedgerUnavailableError):
    """Nothing of it is stored: it can be done again at once."""


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


class TunnelError(AppError):
    title = "The tunnel has a problem"


class TunnelRefusedError(TunnelError):
    """`status` is the HTTP status; the message is for judging, it may hold anything the tunnel's program says."""

    title = "The tunnel was refused"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


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


class TwitchNoClientError(TwitchAuthError):
    title = "No Twitch client id or secret is set"


class TwitchRateLimitedError(TwitchError):
    title = "Twitch asks us to wait"

    def __init__(self, message: str, *, retry_at: float) -> None:
        """`retry_at` is wall-clock Unix seconds (the `Ratelimit-Reset` header)."""
        super().__init__(message)
        self.retry_at = retry_at


class TwitchRefusedError(TwitchError):
    """`body` is the answer as it came: judge by it, show nothing of it."""

    title = "Twitch refused a request"

    def __init__(self, message: str, *, status: int, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class SubscriptionExistsError(TwitchRefusedError):
    """`existing` is the id of the one there is, "" where Twitch did not say."""

    title = "Twitch has this subscription already"

    def __init__(self, message: str, *, status: int = 409, existing: str = "") -> None:
        super().__init__(message, status=status)
        self.existing = existing


class SubscriptionLimitError(TwitchRefusedError):
    """`kind`: "cost" when the budget of the client id is spent, "alike" for too many of one type and condition."""

    title = "Twitch has no room for this subscription"

    def __init__(self, message: str, *, kind: Literal["alike", "cost"]) -> None:
        super().__init__(message, status=429)
        self.kind = kind


class ConduitGoneError(TwitchRefusedError):
    title = "The conduit is gone"

    def __init__(self, message: str) -> None:
        super().__init__(message, status=404)


class ConduitLimitError(TwitchRefusedError):
    title = "Twitch has no room for another conduit"

    def __init__(self, message: str) -> None:
        super().__init__(message, status=429)


class EndpointGivenUpError(TwitchError):
    """Only for what an announcement can do without. The message is why the endpoint was given up."""

    title = "Twitch is not asked for this now"


class ConduitTakenError(TwitchError):
    title = "Another program uses this conduit"


class ShardRefusedError(TwitchError):
    title = "Twitch refuses our connection for this conduit"


class TwitchUnreachableError(TwitchError):
    title = "Twitch cannot be reached"


class EventSocketError(TwitchUnreachableError):
    """`code` is the WebSocket close code (RFC 6455, section 7.4; 4000 to 4007 are Twitch's), None without one."""

    title = "The connection for events broke"

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class UpdateUnreachableError(AppError):
    title = "Newer versions could not be asked for"


class EngineGoneError(AppError):
    title = "The engine does not answer"


def os_sentence(error: OSError) -> str:
    """Why the operating system refused a file or an address, without its path."""
    sentences = {
        errno.ENOSPC: "the disk is full",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission was denied",
        errno.EPERM: "permission was denied",
        errno.ELOOP: "it is a symbolic link",
        errno.ENOENT: "it does not exist",
        errno.EISDIR: "it is a folder",
        errno.EADDRINUSE: "another program uses it",
        errno.EADDRNOTAVAIL: "this machine has no such address",
    }
    return sentences.get(error.errno or 0, error.strerror or type(error).__name__)
