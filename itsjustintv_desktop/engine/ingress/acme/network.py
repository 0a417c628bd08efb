"""What goes between us and an authority: verified by the system's store, within limits, with a fresh nonce each time.

Source: RFC 8555 6.5 (nonces).
"""

from __future__ import annotations

import contextlib
import email.utils
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests
from acme import client as acme_client
from acme import errors as acme_errors
from acme import messages
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from requests.adapters import HTTPAdapter

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.core.net.proxies import Proxy
from itsjustintv_desktop.engine.core.net.trust import client_context

ASK_SECONDS: Final = 20
"""How long the authority may take for an answer."""
NONCES: Final = 20
"""How often one request is sent with another nonce after the authority refused the one before."""
_NONCES_SECONDS: Final = 30.0
LARGEST: Final = 1_000_000
"""Bytes of an answer, unpacked: a chain of certificates has some ten thousand."""
_PIECE: Final = 64 * 1024
_LONGEST_WAIT: Final = 7 * 86400.0
"""A Retry-After beyond this is taken for a mistake: the longest limit of Let's Encrypt is a week."""


class Network(acme_client.ClientNetwork):
    """The library's, except for refused nonces: it tries again once, and without the nonce that came with the refusal.

    `retry_after` is what the last answer asked for, in seconds, if that was a refusal.
    """

    def __init__(self, key: JWKEC, root: Path | None, *, only_tls: bool, proxy: Proxy | None = None) -> None:
        """`root` is a PEM file that is trusted besides the system's store."""
        super().__init__(key, alg=ES256, user_agent=f"itsjustintv-desktop/{__version__}", timeout=ASK_SECONDS)
        self.retry_after: float | None = None
        self.session.trust_env = False  # neither its proxies nor the passwords of a .netrc
        if proxy is not None:
            self.session.proxies = dict.fromkeys(("http", "https"), proxy.with_password)
        self.session.mount("https://", _Verified(root))
        if only_tls:
            self.session.adapters.pop("http://")  # no redirect and no directory leads there
        self.session.hooks["response"] += [_read, self._note]

    def post(self, *args: Any, **options: Any) -> requests.Response:
        """Send a signed request, as often as the authority refuses its nonce, within limits."""
        end = time.monotonic() + _NONCES_SECONDS
        for tries in range(2, NONCES + 1, 2):  # the library's own makes two
            try:
                return super().post(*args, **options)
            except messages.Error as error:
                if error.code != "badNonce" or tries == NONCES or time.monotonic() > end:
                    raise
        raise AssertionError

    def _note(self, response: requests.Response, *_: object, **__: object) -> None:
        self.retry_after = None if response.ok else _seconds(response.headers)
        if not response.ok and self.REPLAY_NONCE_HEADER in response.headers:
            self._nonces.clear()  # older than this one
            with contextlib.suppress(acme_errors.NonceError):
                self._add_nonce(response)


def _read(response: requests.Response, *_: object, **__: object) -> None:
    """Read the answer up to a limit, before the library reads it without one."""
    content = bytearray()
    for piece in response.iter_content(_PIECE):
        content += piece
        if len(content) > LARGEST:
            response.close()
            raise acme_errors.ClientError("the answer is too large")
    response._content = bytes(content)  # noqa: SLF001 - where the library keeps what it has read


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds (RFC 9110 10.2.3), or None."""
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = (
            float(value) if value.isdecimal() else email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        )
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


class _Verified(HTTPAdapter):
    """Verifies against the system's own store, as the rest of this program, and never against a bundle of its own."""

    def __init__(self, root: Path | None) -> None:
        self._context = client_context()
        if root is not None:
            self._context.load_verify_locations(cafile=root)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = ssl.CERT_REQUIRED
