"""The two calls to Twitch's login service: get an app token, ask whether one still holds.

Source: Twitch documentation, "Client credentials grant flow" and "Validating requests".
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from itsjustintv_desktop.engine.core.errors import (
    TwitchAuthError,
    TwitchNoClientError,
    TwitchRateLimitedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.twitch.http import TwitchHttp, TwitchResponse
from itsjustintv_desktop.engine.twitch.lenient import Lenient

T = TypeVar("T")

TIMEOUT = 10.0
_LIMITED_FOR = 30.0
"""Seconds. The login service names no time to wait until."""
_UNSAID = 3600.0
_CONSOLE = "dev.twitch.tv/console"


class Credentials(msgspec.Struct, frozen=True):
    """Of the app its owner registered with Twitch. The secret is in no repr: tracebacks show those."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Credentials(client_id={self.client_id!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("client_id", self.client_id)]

    def check(self) -> None:
        """Raises TwitchNoClientError when one of both isn't set."""
        if not self.client_id:
            raise TwitchNoClientError(f"No Twitch client id is set. Register an app at {_CONSOLE} and enter its id.")
        if not self.client_secret:
            raise TwitchNoClientError(f"No Twitch client secret is set. Make one at {_CONSOLE} and enter it.")


class Granted(msgspec.Struct, frozen=True):
    """A new app token. `expires_in` is seconds, an hour where Twitch does not say. The token is in no repr."""

    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: Annotated[float, msgspec.Meta(gt=0)] = _UNSAID

    def __repr__(self) -> str:
        return f"Granted(expires_in={self.expires_in})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("expires_in", self.expires_in)]


class _Validated(msgspec.Struct):
    client_id: str = ""


class _Refusal(msgspec.Struct):
    message: str = ""


_granted = Lenient(Granted)
_validated = Lenient(_Validated)
_refused = Lenient(_Refusal)


def reason(answer: TwitchResponse) -> str:
    """Twitch's own words for a refusal, "" where there are none."""
    try:
        return _refused.decode(answer.body).message
    except msgspec.DecodeError:
        return ""


async def request_token(http: TwitchHttp, auth_url: str, credentials: Credentials, now: float) -> Granted:
    """POST /token. Raises TwitchAuthError, TwitchRateLimitedError, TwitchUnreachableError."""
    answer = await http.exchange(
        "POST",
        f"{auth_url}/token",
        form={
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "grant_type": "client_credentials",
        },
        timeout=TIMEOUT,
    )
    if answer.status in {400, 401, 403}:
        raise TwitchAuthError(_refusal(answer))
    if answer.status == 429:
        raise TwitchRateLimitedError(
            "Twitch gives out no more tokens for a moment. Nothing needs doing: it is tried again.",
            retry_at=now + _LIMITED_FOR,
        )
    return _decoded(answer, _granted)


async def holds(http: TwitchHttp, auth_url: str, access_token: str, client_id: str) -> bool:
    """GET /validate: whether the token is valid and belongs to this client id. Raises TwitchUnreachableError."""
    answer = await http.exchange(
        "GET", f"{auth_url}/validate", headers={"Authorization": f"OAuth {access_token}"}, timeout=TIMEOUT
    )
    return answer.status != 401 and _decoded(answer, _validated).client_id in {"", client_id}


def _decoded(answer: TwitchResponse, kind: Lenient[T]) -> T:
    if answer.status != 200:
        raise TwitchUnreachableError(f"Twitch's login service answered with an error ({answer.status}).")
    try:
        return kind.decode(answer.body)
    except msgspec.DecodeError as error:
        raise TwitchUnreachableError("Twitch's login service gave an answer that makes no sense.") from error


def _refusal(answer: TwitchResponse) -> str:
    message = reason(answer).lower()
    if "secret" in message:
        return f"Twitch refuses the client secret. Make a new one at {_CONSOLE} and enter it."
    if "client" in message:
        return f"Twitch knows no app with this client id. Copy the id from {_CONSOLE}."
    return f"Twitch refuses the client id and secret ({answer.status}). Compare both with {_CONSOLE}."
