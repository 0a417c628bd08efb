"""The agent's local API: endpoints made, looked at and removed.

Source: https://ngrok.com/docs/agent/api/
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from itsjustintv_desktop.engine.core.errors import TunnelError, TunnelRefusedError
from itsjustintv_desktop.engine.core.net.client import Options, Outbound
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, network_sentence
from itsjustintv_desktop.engine.core.net.limits import read_at_most

T = TypeVar("T")

_SECONDS: Final = 4.0
_CREATING: Final = 20.0
"""The agent asks ngrok before it answers."""
_LARGEST: Final = 256 * 1024
_OFFLINE: Final = frozenset({"offline", "reconnecting", "connecting", "closed"})


class _Status(msgspec.Struct):
    status: str = ""
    agent_version: str = ""
    session: dict[str, Any] = {}


class _Endpoint(msgspec.Struct):
    name: str = ""
    url: str = ""
    public_url: str = ""


class _Endpoints(msgspec.Struct):
    endpoints: list[_Endpoint] = []


class _Details(msgspec.Struct, frozen=True):
    err: str = ""


class _Error(msgspec.Struct):
    msg: str = ""
    details: _Details = _Details()


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """`online` is None when the agent does not say it in a word we know."""

    online: bool | None
    version: str
    region: str


class AgentApi:
    """Every method raises TunnelError (no answer) or TunnelRefusedError (an answer that says no)."""

    def __init__(self, address: str) -> None:
        """`address` is host:port on this machine."""
        self._client = Outbound().client(Options(guarded=False))
        self._base = f"http://{address}"

    async def create(self, name: str, *, url: str, upstream: str) -> str:
        """Make an endpoint (`url` "https://" lets ngrok choose the name) and return its public address."""
        body = {"name": name, "url": url, "upstream": {"url": upstream, "protocol": "http1"}, "inspect": False}
        answer = await self._ask("POST", "/api/endpoints", body, timeout=_CREATING)
        made = _decoded(answer, _Endpoint)
        return made.url or made.public_url

    async def address_of(self, name: str) -> str | None:
        """The public address of the endpoint as it is now; None if it is gone."""
        found = _decoded(await self._ask("GET", "/api/endpoints"), _Endpoints)
        return next((one.url or one.public_url for one in found.endpoints if one.name == name), None)

    async def remove(self, name: str) -> None:
        """Close the endpoint."""
        await self._ask("DELETE", f"/api/endpoints/{name}")

    async def status(self) -> AgentStatus:
        """How its session with ngrok is."""
        found = _decoded(await self._ask("GET", "/api/status"), _Status)
        word = found.status.lower()
        online = True if word == "online" else False if word in _OFFLINE else None
        legs = found.session.get("legs")
        first = legs[0] if isinstance(legs, list) and legs else {}
        region = first.get("region", "") if isinstance(first, dict) else ""
        return AgentStatus(online, found.agent_version, str(region))

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, path: str, body: object = None, *, timeout: float | None = None) -> bytes:
        try:
            async with (
                asyncio.timeout(timeout or _SECONDS),
                self._client.stream(method, self._base + path, json=body) as answer,
            ):
                content = await read_at_most(answer, _LARGEST)
                if answer.status_code >= 300:
                    raise TunnelRefusedError(_reason(content), status=answer.status_code)
                return content
        except REQUEST_ERRORS as error:
            raise TunnelError(f"ngrok's program does not answer: {network_sentence(error)}.") from error


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise TunnelError("ngrok's program gave an answer that cannot be read.") from error


def _reason(content: bytes) -> str:
    try:
        error = msgspec.json.decode(content, type=_Error)
    except msgspec.DecodeError:
        return content.decode(errors="replace")
    return error.details.err or error.msg
