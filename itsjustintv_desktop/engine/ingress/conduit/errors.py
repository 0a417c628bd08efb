"""What each error means for the way: its named state, the sentences, and how long to wait before the next try."""

from __future__ import annotations

from typing import NamedTuple

from itsjustintv_desktop.engine.core.errors import (
    AppError,
    ConduitGoneError,
    ConduitLimitError,
    ConduitTakenError,
    EventSocketError,
    LedgerError,
    SecretsError,
    ShardRefusedError,
    TwitchAuthError,
    TwitchNoClientError,
    TwitchRateLimitedError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.ingress.conduit.sockets import is_offline
from itsjustintv_desktop.engine.ingress.transports import TransportState

_AGAIN = "It is tried again by itself."
_CONSOLE = "dev.twitch.tv/console"


class ConduitProblem(NamedTuple):
    """As `BaseTransport._tell` takes it."""

    state: TransportState
    code: str
    message: str
    fix: str = ""


def classify(error: AppError) -> ConduitProblem:
    """The state that an error puts the way into."""
    waiting, failing = TransportState.WAITING, TransportState.FAILING
    match error:
        case TwitchNoClientError():
            fix = f"Register an app at {_CONSOLE} and enter its client id and secret."
            return ConduitProblem(failing, "no_client", error.message, fix)
        case TwitchAuthError():
            return ConduitProblem(failing, "refused", error.message, f"Compare client id and secret with {_CONSOLE}.")
        case SecretsError():
            return ConduitProblem(waiting, "secrets", f"The client secret cannot be read: {error.message}")
        case LedgerError():
            return ConduitProblem(waiting, "ledger", error.message)
        case ConduitGoneError():
            return ConduitProblem(waiting, "conduit_gone", f"{error.message} A new one is made.")
        case ConduitLimitError():
            fix = "`conduit list` shows them; `conduit delete ID` one that no program uses, or `conduit adopt ID` it."
            return ConduitProblem(failing, "conduit_limit", error.message, fix)
        case ConduitTakenError():
            fix = "Stop the program there; or take it back, and that one loses its events: `conduit adopt ID` here."
            return ConduitProblem(failing, "conduit_taken", error.message, fix)
        case ShardRefusedError():
            return ConduitProblem(waiting, "shard_refused", f"{error.message} {_AGAIN}")
        case TwitchRefusedError(status=401):
            return ConduitProblem(failing, "refused", error.message, f"Compare client id and secret with {_CONSOLE}.")
        case TwitchRefusedError():
            return ConduitProblem(waiting, "shard_refused", f"{error.message} {_AGAIN}")
        case TwitchRateLimitedError():
            return ConduitProblem(waiting, "twitch_down", error.message)
    if is_offline(error.__cause__):
        return ConduitProblem(waiting, "offline", f"{error.message} {_AGAIN}", "Is this machine's network up?")
    lost = isinstance(error, EventSocketError) and error.code is not None
    return ConduitProblem(waiting, "connecting" if lost else "twitch_down", f"{error.message} {_AGAIN}")
