"""id.twitch.tv/oauth2: app access tokens by client credentials, validate, revoke."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from itsjustintv_desktop.simulator.answers import answer
from itsjustintv_desktop.simulator.state import State

LIFETIME = 5_011_271.0
"""Seconds an app access token of the real Twitch lives, about 58 days."""


@dataclass(slots=True)
class Tokens:
    """The app access tokens given out: token -> Unix seconds of its end, and the client id it was given to."""

    state: State
    lifetime: float = LIFETIME
    client_id: str = ""
    """Whose a token is where nobody says."""
    ends: dict[str, float] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def issue(self, client_id: str = "") -> str:
        token = secrets.token_hex(15)
        self.ends[token] = self.state.now() + self.lifetime
        self.owners[token] = client_id or self.client_id
        return token

    def valid(self, token: str) -> bool:
        return self.ends.get(token, 0.0) > self.state.now()

    def revoke_all(self) -> None:
        self.ends.clear()


def token_in(headers: Mapping[str, str], *schemes: str) -> str:
    """The access token of an Authorization header with one of `schemes`, else an empty string."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() in schemes else ""


class OAuth:
    """https://dev.twitch.tv/docs/authentication/ . Errors here have no `error` field, unlike Helix."""

    def __init__(self, tokens: Tokens, apps: Mapping[str, str]) -> None:
        """`apps`: the client secret of each client id."""
        self._tokens = tokens
        self._apps = apps

    async def token(self, request: web.Request) -> web.Response:
        form = {**dict(request.query), **{key: str(value) for key, value in (await request.post()).items()}}
        for name in ("client_id", "client_secret", "grant_type"):
            if not form.get(name):
                return _refuse(400, f"missing {name.replace('_', ' ')}")
        client_id = form["client_id"]
        if client_id not in self._apps:
            return _refuse(400, "invalid client")
        if form["client_secret"] != self._apps[client_id]:
            return _refuse(403, "invalid client secret")
        if form["grant_type"] != "client_credentials":
            return _refuse(400, "invalid grant type")
        token = self._tokens.issue(client_id)
        return answer(
            {"access_token": token, "expires_in": int(self._tokens.lifetime), "token_type": "bearer"},
        )

    async def validate(self, request: web.Request) -> web.Response:
        token = token_in(request.headers, "oauth", "bearer")
        if not token:
            return _refuse(401, "missing authorization token")
        if not self._tokens.valid(token):
            return _refuse(401, "invalid access token")
        remaining = int(self._tokens.ends[token] - self._tokens.state.now())
        return answer({"client_id": self._tokens.owners[token], "scopes": [], "expires_in": remaining})

    async def revoke(self, request: web.Request) -> web.Response:
        form = {**dict(request.query), **{key: str(value) for key, value in (await request.post()).items()}}
        if form.get("client_id") not in self._apps:
            return _refuse(404, "client does not exist")
        if self._tokens.ends.pop(form.get("token", ""), None) is None:
            return _refuse(400, "Invalid token")
        return web.Response()


def _refuse(status: int, message: str) -> web.Response:
    return answer({"status": status, "message": message}, status)
