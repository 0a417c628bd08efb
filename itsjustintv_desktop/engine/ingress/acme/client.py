"""One ACME authority, as seen through the `acme` library. Everything here blocks: it runs in a thread of its own.

Only this module imports that library, and it is imported when a certificate is needed, not before. Requests are
verified by the system's store, within limits, with a fresh nonce each time (RFC 8555 6.5).

Source: RFC 8555 (ACME), RFC 8737 (tls-alpn-01).
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
import requests
from acme import challenges, messages
from acme import client as acme_client
from acme import errors as acme_errors
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.errors import Error as JoseError
from josepy.interfaces import JSONDeSerializable
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC
from requests.adapters import HTTPAdapter

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.core.net.proxies import Proxy
from itsjustintv_desktop.engine.core.net.trust import client_context
from itsjustintv_desktop.engine.ingress.acme.store import Account

ChallengeKind = Literal["tls-alpn-01", "http-01"]

# It writes every signed request in full at level debug.
logging.getLogger("acme").setLevel(logging.INFO)
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


@challenges.ChallengeResponse.register
class TlsAlpn01Response(challenges.KeyAuthorizationChallengeResponse):
    typ = "tls-alpn-01"


@challenges.Challenge.register
class TlsAlpn01(challenges.KeyAuthorizationChallenge):
    """The challenge of RFC 8737, which the library left out."""

    typ = "tls-alpn-01"
    response_cls = TlsAlpn01Response

    def validation(self, account_key: JWK, **_: Any) -> str:
        """The key authorization; the certificate holds its digest."""
        return self.key_authorization(account_key)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the authority shows it; `status` is of RFC 8555 7.1.6. The rest are addresses."""

    uri: str
    status: str
    authorizations: tuple[str, ...]
    finalize: str
    certificate: str
    problem: CertificateError | None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One name's authorization, with the challenge of the kind asked for."""

    uri: str
    domain: str
    status: str
    token: str
    key_authorization: str
    problem: CertificateError | None
    challenge: Any
    """The library's own, for `answer`."""


class Authority:
    """One authority and our account there. Every method raises CertificateError."""

    def __init__(self, directory_url: str, *, root: Path | None = None, proxy: Proxy | None = None) -> None:
        """`root` is a PEM file that is trusted besides the system's store, for this directory alone."""
        self._directory_url = directory_url
        self._root = root
        self._proxy = proxy
        self._net: Network | None = None
        self._key: JWKEC | None = None
        self._client: acme_client.ClientV2 | None = None

    def sign_in(self, account: Account | None, address: str) -> Account:
        """Use this account, or without one make it, which agrees to the terms of service.

        The authority is asked only where something of it changes: whether it still knows the account shows later.
        """
        with self._translated():
            return self._register(address) if account is None else self._enter(account, address)

    def new_order(self, request_pem: bytes) -> Order:
        with self._translated():
            resource = self._acme.new_order(request_pem)
            return _order(resource.uri, resource.body)

    def order(self, uri: str) -> Order:
        """How it is now."""
        with self._translated():
            return _order(uri, messages.Order.from_json(self._post(uri).json()))

    def proof(self, uri: str, kind: ChallengeKind) -> Proof:
        """How one authorization is now."""
        assert self._key is not None
        with self._translated():
            body = messages.Authorization.from_json(self._post(uri).json())
            domain, status = body.identifier.value, body.status.name
            found = next((one for one in body.challenges if one.chall.typ == kind), None)
            if found is None and status == "pending":
                raise CertificateError(f"The authority offers no {kind} for this name.", kind="answer", domain=domain)
            failed = next((one for one in body.challenges if one.error is not None), None)
            token = found.chall.encode("token") if found else ""
            return Proof(
                uri=uri,
                domain=domain,
                status=status,
                token=token,
                key_authorization=found.chall.key_authorization(self._key) if found else "",
                problem=_problem(failed.error, domain) if failed else None,
                challenge=found,
            )

    def answer(self, proof: Proof) -> None:
        """Let the authority look."""
        with self._translated():
            self._acme.answer_challenge(proof.challenge, proof.challenge.chall.response(self._key))

    def finalize(self, order: Order, request_pem: bytes) -> None:
        """Ask for the certificate of a proven order."""
        request = messages.CertificateRequest(csr=x509.load_pem_x509_csr(request_pem))
        with self._translated():
            self._post(order.finalize, request)

    def certificate(self, uri: str) -> bytes:
        """The chain as PEM, leaf first."""
        with self._translated():
            return self._post(uri).content

    def close(self) -> None:
        """Let go of the connections."""
        if self._net is not None:
            self._net.session.close()

    def _enter(self, account: Account, address: str) -> Account:
        key = JWKEC.from_json(account.key)
        assert isinstance(key, JWKEC)
        self._connect(key)
        resource = messages.RegistrationResource(body=messages.Registration(), uri=account.uri)
        self._acme.net.account = resource
        if account.address == address:
            return account
        self._acme.update_registration(resource, messages.Registration(contact=_contact(address)))
        return msgspec.structs.replace(account, address=address)

    def _register(self, address: str) -> Account:
        key = JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
        self._connect(key)
        wish = messages.NewRegistration(contact=_contact(address), terms_of_service_agreed=True)
        made = self._acme.new_account(wish)
        # The key as plain JSON: the account is nothing else.
        return Account(key=json.loads(key.json_dumps()), uri=made.uri, address=address)

    def _connect(self, key: JWKEC) -> None:
        self._key = key
        self.close()
        only_tls = urlsplit(self._directory_url).scheme == "https"
        net = self._net = Network(key, self._root, only_tls=only_tls, proxy=self._proxy)
        self._client = acme_client.ClientV2(acme_client.ClientV2.get_directory(self._directory_url, net), net)

    @property
    def _acme(self) -> acme_client.ClientV2:
        assert self._client is not None, "sign_in comes first"
        return self._client

    def _post(self, url: str, content: JSONDeSerializable | None = None) -> requests.Response:
        """A signed request; without content it only reads (POST-as-GET, RFC 8555 6.3)."""
        return self._acme.net.post(url, content, new_nonce_url=self._acme.directory["newNonce"])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._net is not None:
            self._net.retry_after = None
        try:
            yield
        # The last four: something else than ACME answered.
        except (
            acme_errors.Error, JoseError, requests.RequestException, OSError,
            KeyError, ValueError, TypeError, AttributeError,
        ) as error:  # fmt: skip
            raise acme_error(error, self._net.retry_after if self._net is not None else None) from error


def _contact(address: str) -> tuple[str, ...]:
    return (f"mailto:{address}",) if address else ()


def _order(uri: str, body: messages.Order) -> Order:
    return Order(
        uri=uri,
        status=body.status.name,
        authorizations=tuple(body.authorizations),
        finalize=body.finalize,
        certificate=body.certificate or "",
        problem=acme_error(body.error) if body.error is not None else None,
    )


def _problem(error: messages.Error, domain: str) -> CertificateError:
    found = acme_error(error)
    return CertificateError(found.message, kind=found.kind, domain=domain, validation=True)


def acme_error(error: Exception, retry_after: float | None = None) -> CertificateError:
    """What an error of the acme library, of requests beneath it, or of reading an answer means.

    `retry_after` (seconds) is what the answer's header said.
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
