from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.errors import ConfigError
from itsjustintv_desktop.engine.delivery.attempt import base_headers, signature_headers

STANDARD = Destination(name="s", signature="standard-webhooks")
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_BODY = b'{"test": 2432232314}'


def sign(destination: Destination, secret: str | None, body: bytes = b"body") -> dict[str, str]:
    return signature_headers(destination, secret, webhook_id="id", timestamp=1, body=body)


def test_the_vector_of_the_standard_webhooks_project() -> None:
    headers = signature_headers(
        STANDARD, f"whsec_{VECTOR_KEY}", webhook_id=VECTOR_ID, timestamp=1614265330, body=VECTOR_BODY
    )
    assert headers == {"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}


def test_the_vector_of_github() -> None:
    # "Validating webhook deliveries", GitHub docs.
    headers = sign(Destination(name="g"), "It's a Secret to Everybody", b"Hello, World!")
    assert headers == {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}


@pytest.mark.parametrize(
    ("hashing", "expected"),
    [
        # RFC 2202 3 test case 2, RFC 4231 4.3 test case 2
        ("SHA-1", "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("SHA-256", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "SHA-512",
            "sha512=164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdca"
            "eab1a34d4a6b4b636e070a38bce737",
        ),
    ],
)
def test_each_hash_with_its_published_vector(hashing: str, expected: str) -> None:
    destination = Destination(name="d", hashing=hashing, header="X-Mine")  # type: ignore[arg-type]
    assert sign(destination, "Jefe", b"what do ya want for nothing?") == {"X-Mine": expected}


@pytest.mark.parametrize("secret", [None, ""])
@pytest.mark.parametrize("destination", [STANDARD, Destination(name="d")])
def test_no_signature_without_a_secret(destination: Destination, secret: str | None) -> None:
    assert sign(destination, secret) == {}


def test_id_and_timestamp_are_there_signed_or_not() -> None:
    assert base_headers(webhook_id="evt_1", timestamp=1700000000) == {
        "webhook-id": "evt_1",
        "webhook-timestamp": "1700000000",
    }


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=200), st.booleans())
def test_a_verifier_of_the_spec_accepts_what_we_sign(key: bytes, body: bytes, padded: bool) -> None:
    encoded = base64.b64encode(key).decode()
    secret = "whsec_" + (encoded if padded else encoded.rstrip("="))
    header = signature_headers(STANDARD, secret, webhook_id="msg_1", timestamp=99, body=body)["webhook-signature"]
    version, _, signature = header.partition(",")
    expected = hmac.digest(key, b"msg_1.99." + body, "sha256")
    assert version == "v1"
    assert base64.b64decode(signature) == expected


@given(st.text(min_size=1).filter(lambda text: not text.startswith("whsec_") and text.isprintable()))
def test_any_other_secret_is_taken_as_its_bytes(secret: str) -> None:
    expected = hmac.digest(secret.encode(), b"id.1.body", hashlib.sha256)
    assert base64.b64decode(sign(STANDARD, secret)["webhook-signature"][3:]) == expected


@pytest.mark.parametrize("secret", ["whsec_", "whsec_===", "whsec_not base64!", "whsec_ä", "whsec_a", "whsec_ab!cd"])
def test_a_damaged_secret_is_told_without_showing_it(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sign(STANDARD, secret)
    assert '"s"' in caught.value.message
    assert len(secret) < 8 or secret.removeprefix("whsec_") not in caught.value.message
