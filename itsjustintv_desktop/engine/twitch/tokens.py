"""The app access token: one at a time, kept in the secret store, renewed before its end and after a 401.

Source: Twitch documentation, "Client credentials grant flow" and "Validating requests".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar, Protocol, TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    SecretsError,
    TwitchAuthError,
    TwitchError,
    TwitchNoClientError,
    TwitchRateLimitedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.core.log_throttle import FailureLog
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.http import TwitchHttp, TwitchResponse
from itsjustintv_desktop.engine.twitch.lenient import Lenient

_log = structlog.get_logger(__name__)

T = TypeVar("T")

TIMEOUT = 10.0
_LIMITED_FOR = 30.0
"""Seconds. The login service names no time to wait until."""
_UNSAID = 3600.0
_CONSOLE = "dev.twitch.tv/console"


class _Secretive(msgspec.Struct, frozen=True):
    """Only the field `_shown` is in its repr: tracebacks show those."""

    _shown: ClassVar[str] = "client_id"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown}={getattr(self, self._shown)!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [(self._shown, getattr(self, self._shown))]


class Credentials(_Secretive, frozen=True):
    """Of the app its owner registered with Twitch."""

    client_id: str
    client_secret: str

    def check(self) -> None:
        """Raises TwitchNoClientError when one of both isn't set."""
        if not self.client_id:
            raise TwitchNoClientError(f"No Twitch client id is set. Register an app at {_CONSOLE} and enter its id.")
        if not self.client_secret:
            raise TwitchNoClientError(f"No Twitch client secret is set. Make one at {_CONSOLE} and enter it.")


class Granted(_Secretive, frozen=True):
    """A new app token. `expires_in` is seconds, an hour where Twitch does not say."""

    _shown: ClassVar[str] = "expires_in"
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: Annotated[float, msgspec.Meta(gt=0)] = _UNSAID


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


ITEM = "twitch.app_token"
VALIDATE_EVERY = 3600.0
_VALIDATE_AGAIN = 60.0
_SAY_EVERY = 3600.0
_EARLY = 600.0
"""Seconds before its end that a token is renewed, or a tenth of its life if that is less."""
_REFUSED_FOR = 60.0
"""Seconds that a refused id and secret are not tried again, unless they were changed. A 429 names its own."""


class TokenStore(Protocol):
    """The part of the secret store that is used here. Both raise SecretsError."""

    async def get(self, name: str) -> str | None: ...

    async def set(self, name: str, value: str) -> None: ...


class _Token(_Secretive, frozen=True):
    client_id: str
    access_token: str
    renew_at: float


def stored(client_id: str, access_token: str, *, now: float, expires_at: float) -> str | None:
    """What the secret store keeps for a token that ends at `expires_at` (Unix seconds); None if it ends too soon."""
    renew_at = expires_at - min(_EARLY, (expires_at - now) / 10)
    token = _Token(client_id, access_token, renew_at)
    return msgspec.json.encode(token).decode() if now < renew_at else None


class AppTokens:
    """Gives out the token, bound to the client id it was made for.

    `credentials` is asked each time, so that a changed config counts at once; it may raise SecretsError.
    """

    def __init__(
        self,
        *,
        http: TwitchHttp,
        auth_url: str,
        credentials: Callable[[], Awaitable[Credentials]],
        store: TokenStore | None,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._http = http
        self._auth_url = auth_url
        self._credentials = credentials
        self._store = store
        self._tasks = tasks
        self._clock = clock
        self._token: _Token | None = None
        self._former: _Token | None = None
        """Of the client id before, where that was changed during this run: good for taking back what was made with it.

        One that was stored by an earlier run is not: what was made with it may be in use on another machine by now (a
        copied data directory, a conduit that was adopted there).
        """
        self._loaded = False
        self._renewal: tuple[Credentials, asyncio.Task[_Token | AppError]] | None = None
        self._refusal: tuple[Credentials, float, AppError] | None = None

    async def get(self) -> tuple[str, str]:
        """The client id and a token for it. All who ask while one is being made get the same one.

        Raises TwitchAuthError, TwitchUnreachableError, TwitchRateLimitedError, SecretsError.
        """
        credentials = await self._credentials()
        credentials.check()
        token = self._token
        if token is None or not self._fits(token, credentials.client_id):
            token = await self._renewed(credentials)
        return token.client_id, token.access_token

    def invalidate(self, access_token: str) -> None:
        """Twitch answered 401 to this token: it isn't given out again. An older one changes nothing."""
        if self._token is not None and self._token.access_token == access_token:
            self._token = None

    def former(self, client_id: str) -> str | None:
        """A token of this client id, from before another came into use; None if there is none."""
        token = self._former
        return token.access_token if token is not None and self._fits(token, client_id) else None

    async def validate(self) -> None:
        """Ask Twitch whether the token still holds (it wants that at start and hourly), else get a new one.

        Raises as `get`.
        """
        client_id, access_token = await self.get()
        if not await holds(self._http, self._auth_url, access_token, client_id):
            _log.info("the app token no longer holds")
            self.invalidate(access_token)
            await self.get()

    async def keep_valid(self) -> None:
        """Validate now and every hour until cancelled; sooner again after a failure."""
        trouble = FailureLog(self._clock, _SAY_EVERY)
        while True:
            try:
                await self.validate()
                pause = VALIDATE_EVERY
                if trouble.worked():
                    _log.info("the app token can be validated again")
            except (TwitchError, SecretsError) as error:
                if (more := trouble.failed(error.message)) is not None:
                    _log.warning("the app token could not be validated", reason=error.message, tries_left_out=more)
                pause = _VALIDATE_AGAIN
            await self._clock.sleep(pause)

    def _fits(self, token: _Token, client_id: str) -> bool:
        return token.client_id == client_id and self._clock.now() < token.renew_at

    async def _renewed(self, credentials: Credentials) -> _Token:
        if self._refusal is not None:
            refused, until, why = self._refusal
            if refused == credentials and self._clock.monotonic() < until:
                raise why.with_traceback(None)
        if self._renewal is None or self._renewal[1].done() or self._renewal[0] != credentials:
            task = self._tasks.start("twitch.token", self._outcome(credentials), alone=True)
            self._renewal = (credentials, task)
        outcome = await asyncio.shield(self._renewal[1])
        if isinstance(outcome, AppError):
            raise outcome
        return outcome

    async def _outcome(self, credentials: Credentials) -> _Token | AppError:
        """A failure is a value here: it belongs to those who wait, not to the log of failed tasks."""
        if not self._loaded:
            stored = await self._read()
            if stored is not None:
                redaction.learn(stored.access_token)
                if self._fits(stored, credentials.client_id):
                    self._token = stored
                    return stored
        now = self._clock.now()
        try:
            granted = await request_token(self._http, self._auth_url, credentials, now)
        except AppError as error:
            wait = error.retry_at - now if isinstance(error, TwitchRateLimitedError) else _REFUSED_FOR
            if isinstance(error, TwitchAuthError | TwitchRateLimitedError):
                self._refusal = (credentials, self._clock.monotonic() + wait, error)
            return error
        redaction.learn(granted.access_token)
        early = min(_EARLY, granted.expires_in / 10)
        token = _Token(credentials.client_id, granted.access_token, now + granted.expires_in - early)
        if self._token is not None and self._token.client_id != token.client_id:
            self._former = self._token
        self._token, self._refusal = token, None
        _log.info("got a new app token", lives_for=_in_words(granted.expires_in))
        self._tasks.start("twitch.token.save", self._write(token))
        return token

    async def _read(self) -> _Token | None:
        text = None
        try:
            if self._store is not None:
                text = await self._store.get(ITEM)
            self._loaded = True
        except SecretsError as error:
            _log.debug("the stored app token cannot be read now", reason=error.message)
        try:
            return msgspec.json.decode(text, type=_Token) if text else None
        except (msgspec.DecodeError, UnicodeError):
            _log.warning("the stored app token is damaged and not used")
            return None

    async def _write(self, token: _Token) -> None:
        if self._store is None:
            return
        try:
            await self._store.set(ITEM, msgspec.json.encode(token).decode())
        except SecretsError as error:
            _log.info("the app token is kept in memory only", reason=error.title)


def _in_words(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 2 else f"{seconds:.0f} s"
