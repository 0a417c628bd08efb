"""Calls to Helix: token, deadline, retries and rate limit in one place.

Source: Twitch documentation, "Twitch API reference" and "Twitch rate limits".
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec
import stamina
import stamina.instrumentation
import structlog
from aiolimiter import AsyncLimiter

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    EndpointGivenUpError,
    TwitchError,
    TwitchRateLimitedError,
    TwitchRefusedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.instrumentation import Instrumentation
from itsjustintv_desktop.engine.twitch.endpoints import Endpoints, HelixStatus, RateBudget
from itsjustintv_desktop.engine.twitch.http import TwitchHttp, TwitchResponse
from itsjustintv_desktop.engine.twitch.tokens import AppTokens, reason

T = TypeVar("T")
Params = Sequence[tuple[str, str]]

TIMEOUT = 10.0
_TRY_TIMEOUT = 4.0
"""Seconds for one exchange, so that one that hangs leaves time for another within the deadline."""
_STALLED = 1.0
"""A deadline missed by more seconds than this was missed by the machine: it was stopped, or too busy to look."""
_CALLS_A_MINUTE = 700
"""Our own limit, below Twitch's 800: no bug here can exhaust the bucket."""

_SCOPE = ("scope", "user access token", "user oauth token", "must match the user")
_LIMITED = ("subscription", "conduit", "cost")
"""What the limits of endpoints are about, in Twitch's words."""

_log = structlog.get_logger(__name__)


class _Call(NamedTuple, Generic[T]):
    method: str
    path: str
    params: Params
    body: bytes | None
    decode: Callable[[bytes], T]
    optional: bool

    @property
    def endpoint(self) -> str:
        return f"{self.method} {self.path}"


class HelixClient:
    """One request, answered or failed within its deadline.

    `budget` is the rate limit by the latest answer; `calls` and `failures` count exchanges by endpoint ("GET /users").
    """

    def __init__(
        self,
        *,
        http: TwitchHttp,
        tokens: AppTokens,
        api_url: str,
        clock: Clock,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        self.api_url = api_url
        self._instrumentation = instrumentation or Instrumentation()
        self.budget = RateBudget()
        self.status = HelixStatus()
        self.calls: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._http = http
        self._tokens = tokens
        self._clock = clock
        self._endpoints = Endpoints(clock)
        self._proven = ""
        """The token that an endpoint last took: where another one does not, it lies with that one."""
        self._limiter: AsyncLimiter | None = None
        # Its own hooks would log every retry a second time, in its own words.
        stamina.instrumentation.set_on_retry_hooks([])

    async def request(
        self,
        method: str,
        path: str,
        params: Params = (),
        *,
        decode: Callable[[bytes], T],
        body: bytes | None = None,
        timeout: float = TIMEOUT,
        optional: bool = False,
    ) -> T:
        """Call `path` ("/users") and hand the body of a 2xx answer to `decode`.

        A 401 about the token costs a new one and one more try. A 429 is waited out if the deadline allows. GETs are
        tried again after a network fault, a 5xx or an answer that `decode` refuses with a msgspec error. `timeout`
        is seconds for everything. `optional`: announcements can do without it, so a failure does not count against the
        API, and an endpoint that refuses us is given up for a while. Raises TwitchError or SecretsError.
        """
        call = _Call(method, path, params, body, decode, optional)
        deadline = self._clock.monotonic() + timeout
        last: AppError | None = None

        def again(error: Exception) -> bool | float:
            nonlocal last
            last = error if isinstance(error, AppError) else None
            if isinstance(error, TwitchRateLimitedError):
                wait = max(error.retry_at - self._clock.now(), 0.0) + 0.05
                return wait if self._clock.monotonic() + wait < deadline else False
            return isinstance(error, TwitchUnreachableError) and method == "GET" and not self._http.closed

        try:
            async with asyncio.timeout(timeout):
                async for attempt in stamina.retry_context(
                    on=again, attempts=None, timeout=timeout, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
                ):
                    with attempt:
                        result = await self._authorised(call, deadline - self._clock.monotonic())
                        self._note(None)
                        return result
        except TimeoutError:
            last = last or TwitchUnreachableError(f"Twitch did not answer within {timeout:.0f} seconds.")
        except EndpointGivenUpError:
            raise  # nothing was sent
        except TwitchRefusedError as error:
            is_token = error.status == 401 and not optional and not _is_about_scope(error.message)
            self._note(error if is_token else None)  # a refused question is still an answer
            raise
        except AppError as error:
            last = error
        outcome = last or TwitchUnreachableError("Twitch did not answer.")
        stood_still = self._clock.monotonic() > deadline + _STALLED  # this machine, which says nothing of Twitch
        if not optional and not stood_still:
            self._note(outcome)
        raise outcome

    async def delete(self, path: str, item_id: str) -> bool:
        """DELETE the one with this id. False if it was gone already. Raises TwitchError or SecretsError."""
        try:
            await self.request("DELETE", path, [("id", item_id)], decode=lambda _: None)
        except TwitchRefusedError as error:
            if error.status != 404:
                raise
            return False
        return True

    def failed(self, error: AppError) -> None:
        """Count a failure of Twitch's that was met outside `request`."""
        self._note(error)

    def is_given_up(self, endpoint: str) -> bool:
        """Whether this endpoint ("GET /users") refused us lately, so that it is not asked."""
        return self._endpoints.is_given_up(endpoint)

    async def client_id(self) -> str:
        """The client id that is asked with now. Raises as AppTokens.get."""
        return (await self._tokens.get())[0]

    async def delete_formerly(self, client_id: str, path: str, params: Params) -> bool:
        """DELETE by the client id that was in use before this one, if there still is a token of it. True: it is gone.

        Asked once. Raises TwitchUnreachableError.
        """
        token = self._tokens.former(client_id)
        if token is None:
            return False
        headers = {"Client-Id": client_id, "Authorization": f"Bearer {token}"}
        answer = await self._http.exchange(
            "DELETE", self.api_url + path, params=params, headers=headers, timeout=_TRY_TIMEOUT
        )
        return answer.status in {204, 404}

    def spare(self) -> bool:
        """Whether calls that could also wait may be made: half of Twitch's points and of our own ceiling are left."""
        limiter = self._limiter
        return self.budget.ample(self._clock.now()) and (limiter is None or limiter.has_capacity(limiter.max_rate / 2))

    async def _authorised(self, call: _Call[T], left: float) -> T:
        endpoint = call.endpoint
        self.budget.check(self._clock.now())
        client_id, token = await self._tokens.get()
        self._endpoints.check(endpoint, client_id)
        answer = await self._exchange(call, client_id, token, left)
        if answer.status == 401 and not _is_about_scope(reason(answer)):
            if self._endpoints.wants_another(endpoint, token):
                self._tokens.invalidate(token)
                client_id, token = await self._tokens.get()
                answer = await self._exchange(call, client_id, token, left)
            if answer.status == 401:
                self._endpoints.mistrusts(endpoint, token)
        if 200 <= answer.status < 300:
            try:
                result = call.decode(answer.body)
            except msgspec.DecodeError as error:
                self.failures[endpoint] += 1
                raise TwitchUnreachableError("Twitch's answer makes no sense.") from error
            self._endpoints.worked(endpoint)
            self._proven = token
            return result
        self.failures[endpoint] += 1
        spares = (
            call.optional and "Ratelimit-Reset" not in answer.headers
        )  # a limit of that endpoint, or it is said again
        if answer.status == 429 and not spares and not _is_other_limit(answer):
            raise self.budget.limited(answer.headers, self._clock.now())
        failure: TwitchError = TwitchRefusedError(_refusal(answer), status=answer.status, body=answer.body)
        if answer.status >= 500 or answer.status < 400:
            failure = TwitchUnreachableError(f"Twitch answered with an error ({answer.status}).")
        is_token = answer.status == 401 and not _is_about_scope(failure.message) and token != self._proven
        if call.optional and not is_token:
            self._endpoints.refused(endpoint, answer.status, failure.message)
        raise failure

    async def _exchange(self, call: _Call[T], client_id: str, token: str, left: float) -> TwitchResponse:
        if self._limiter is None:
            self._limiter = AsyncLimiter(_CALLS_A_MINUTE, 60.0)
        await self._limiter.acquire()
        self.calls[call.endpoint] += 1
        headers = {"Client-Id": client_id, "Authorization": f"Bearer {token}"}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        began = self._clock.monotonic()
        try:
            answer = await self._http.exchange(
                call.method,
                self.api_url + call.path,
                params=call.params,
                headers=headers,
                body=call.body,
                timeout=max(min(left, _TRY_TIMEOUT), 0.01),
            )
        except TwitchUnreachableError:
            self.failures[call.endpoint] += 1
            self._observe(call, None, began)
            raise
        self._observe(call, answer.status, began)
        self.budget.learn(answer.headers, self._http.skew.seconds)
        if answer.status != 429:
            self.budget.unexplained = 0
        return answer

    def _observe(self, call: _Call[T], status: int | None, began: float) -> None:
        if (observer := self._instrumentation.observer) is not None:
            fault = "no_answer" if status is None else None
            seconds = self._clock.monotonic() - began
            observer.asked(call.method, call.path, status, fault, ended=self._clock.now(), seconds=seconds)

    def _note(self, error: AppError | None) -> None:
        now, before = self._clock.now(), self.status
        ok = error is None
        if error is not None and before.ok is not False:
            _log.warning("Twitch's API fails", reason=error.message)
        elif error is None and before.ok is False:
            _log.info("Twitch's API answers again")
        self.status = HelixStatus(
            ok=ok,
            since=now if ok != before.ok else before.since,
            error=error,
            last_ok_at=now if ok else before.last_ok_at,
        )


def _is_other_limit(answer: TwitchResponse) -> bool:
    """A 429 with another message while points are left: a limit of that endpoint, not the rate limit.

    Create EventSub Subscription answers so when there are too many subscriptions already.
    """
    remaining = answer.headers.get("Ratelimit-Remaining", "")
    said = reason(answer).lower()
    if not remaining:
        return any(word in said for word in _LIMITED)
    return remaining.isdigit() and remaining.strip("0") != "" and said not in {"", "too many requests"}


def _is_about_scope(said: str) -> bool:
    """Whether a 401 is about permissions, so that a new app token would not help."""
    return any(word in said.lower() for word in _SCOPE)


def _refusal(answer: TwitchResponse) -> str:
    """With Twitch's own words, which name the wrong parameter; cut, in case they repeat all of them."""
    said = reason(answer)[:200]
    if answer.status == 401 and not _is_about_scope(said):
        return f"Twitch refuses even a new token: {said or 'no reason given'}."
    return f"Twitch refused the request ({answer.status}): {said or 'no reason given'}."
