"""The one place where errors of other libraries become sentences or errors of ours.

Sentences never hold an address, a path of a webhook, a header or a body: they are shown, logged and stored.
"""

from __future__ import annotations

import errno
import socket
import sqlite3
import ssl

import aiohttp

from itsjustintv_desktop.engine.core.errors import (
    CertificateError,
    LedgerCorruptError,
    LedgerError,
    LedgerUnavailableError,
    SecretsAbsentError,
    SecretsError,
    SecretsLockedError,
)

_SQLITE_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def network_sentence(error: BaseException) -> str:
    """Why an HTTP exchange failed, as a sentence without any address in it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        cause = getattr(error, "certificate_error", error)
        detail = getattr(cause, "verify_message", "") or "it could not be verified"
        # OpenSSL names the host in "Hostname mismatch, certificate is not valid for '...'".
        return f"the server's certificate is not valid: {detail.partition(', certificate is not valid for')[0]}"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "the host name could not be found"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "the TLS connection failed"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.http_exceptions.HttpProcessingError):
        return "the answer was not valid HTTP"
    number = getattr(error, "errno", None)
    if number == errno.ECONNREFUSED:
        return "the connection was refused"
    if number in {errno.ECONNRESET, errno.EPIPE}:
        return "the connection was reset"
    if number in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        return "the network cannot be reached"
    return f"the connection failed ({type(error).__name__})"


def ledger_error(error: sqlite3.Error) -> LedgerError:
    """What an SQLite error means to the rest of the program."""
    code = getattr(error, "sqlite_errorcode", 0) or 0
    damaged = ("not a database", "Could not decode to UTF-8")
    if (code & 0xFF) in _SQLITE_CORRUPT or any(sign in str(error) for sign in damaged):
        return LedgerCorruptError("The ledger file is damaged. It is put aside and a new one is begun.")
    reasons = {
        sqlite3.SQLITE_FULL: "The disk is full. Free some space; nothing else needs doing.",
        sqlite3.SQLITE_READONLY: "The data directory is read-only. Make it writable for your user.",
        sqlite3.SQLITE_CANTOPEN: "The ledger file cannot be opened. Check the data directory and its permissions.",
        sqlite3.SQLITE_BUSY: "Another program holds the ledger file. Close it.",
        sqlite3.SQLITE_LOCKED: "Another program holds the ledger file. Close it.",
        sqlite3.SQLITE_IOERR: "The disk reported an error while the ledger was written. Check the disk.",
    }
    return LedgerUnavailableError(reasons.get(code & 0xFF, f"The ledger cannot be used ({_named(error)})."))


def _named(error: sqlite3.Error) -> str:
    """Its name, not its text: that may have a value of a row in it."""
    return getattr(error, "sqlite_errorname", type(error).__name__)


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


def keyring_error(error: Exception) -> SecretsError:
    """What an error of the keyring library, of SecretStorage or of the D-Bus layer means.

    They are told by name: these libraries are imported late, and each system has others. What cannot be told is
    taken to pass: the keyring is tried again.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    detail = getattr(error, "name", "") if "DBusErrorResponse" in names else ""
    if "NoKeyringError" in names:
        return SecretsAbsentError("This machine has no keyring. Choose a passphrase or memory only in [secrets].")
    if names & {"KeyringLocked", "LockedException", "PromptDismissedException"} or detail.endswith(".IsLocked"):
        return SecretsLockedError("The keyring is locked. Unlock it, for example in your password manager.")
    if isinstance(error, TimeoutError):
        return SecretsLockedError("The question to unlock the keyring was not answered. Unlock the keyring.")
    if "PasswordSetError" in names:
        return SecretsLockedError("The keyring did not take the secret. Unlock it and try again.")
    if names & {"PasswordDeleteError", "ItemNotFoundException"}:
        return SecretsLockedError("The keyring changed meanwhile. It is tried again by itself.")
    if "InitError" in names:
        return SecretsLockedError("The keyring could not be opened. Unlock it or create a default keyring.")
    unreachable = {"SecretServiceNotAvailableException", "DBusErrorResponse", "AuthenticationError", "OSError"}
    if names & unreachable:
        return SecretsLockedError("The keyring cannot be reached. Check that it runs; it is tried again by itself.")
    return SecretsLockedError(f"The keyring failed ({type(error).__name__}). It is tried again by itself.")


def acme_error(error: Exception, retry_after: float | None = None) -> CertificateError:
    """What an error of the acme library, of requests beneath it, or of reading an answer means.

    `retry_after` (seconds) is what the answer's header said. Told by name: these libraries are imported late.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if hasattr(error, "typ"):  # acme.messages.Error, a problem document (RFC 7807)
        inner = next(iter(getattr(error, "subproblems", None) or ()), error)
        identifier = getattr(inner, "identifier", None)
        return CertificateError(
            _in_one_line(str(getattr(inner, "detail", None) or getattr(error, "detail", None) or "")),
            kind=str(getattr(inner, "typ", "")).rpartition(":")[2],
            domain=str(getattr(identifier, "value", "")),
            retry_after=retry_after,
        )
    if names & {"RequestException", "OSError"}:
        if names & {"Timeout", "ConnectTimeout", "ReadTimeout"}:
            sentence = "no answer in time"
        else:
            sentence = network_sentence(_root(error))
        return CertificateError(sentence, kind="unreachable")
    return CertificateError("it gave an answer that is no ACME", kind="answer", retry_after=retry_after)


def _root(error: BaseException) -> BaseException:
    """The error of the system beneath those that libraries wrapped around it, in their arguments or their causes."""
    for _ in range(10):
        inner = [one for one in (getattr(error, "reason", None), *error.args) if isinstance(one, BaseException)]
        beneath = error.__cause__ or error.__context__ if not inner else inner[0]
        if isinstance(error, ssl.SSLError | socket.gaierror) or getattr(error, "errno", None) or beneath is None:
            return error
        error = beneath
    return error


def _in_one_line(text: str, most: int = 300) -> str:
    """What a stranger wrote, fit to show: printable, and not without end."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= most else plain[: most - 3] + "..."
