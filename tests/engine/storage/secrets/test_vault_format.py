"""The bytes of secrets.vault: what goes in comes out, and nothing else is ever taken for it."""

from __future__ import annotations

import hashlib
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.errors import VaultDamagedError
from itsjustintv_desktop.engine.storage.secrets import vault_format
from itsjustintv_desktop.engine.storage.secrets.content import DestinationSecrets, VaultContent
from itsjustintv_desktop.engine.storage.secrets.vault_format import Protection, ProtectionKind

KEY = bytes(range(32))
CONTENT = VaultContent(
    items={"twitch.client_secret": "client-secret"},
    destinations={"discord": DestinationSecrets(url="https://example.invalid/hook", secret=None)},
)
SEALED = vault_format.seal(CONTENT, KEY, Protection.keyring())

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
contents = st.builds(
    VaultContent,
    items=st.dictionaries(text, text, max_size=3),
    destinations=st.dictionaries(
        text, st.builds(DestinationSecrets, url=st.none() | text, secret=st.none() | text), max_size=3
    ),
)


def resigned(data: bytes) -> bytes:
    """With a right checksum again, as somebody who tampers would write it."""
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


@given(contents, st.binary(min_size=32, max_size=32))
def test_what_is_sealed_opens_with_its_key(content: VaultContent, key: bytes) -> None:
    assert (
        vault_format.unseal(vault_format.parse(vault_format.seal(content, key, Protection.keyring())), key) == content
    )


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_detected(position: int, mask: int) -> None:
    changed = bytearray(SEALED)
    changed[position] ^= mask
    with pytest.raises(ValueError):
        vault_format.parse(bytes(changed))


@given(st.integers(0, len(SEALED) - 1))
def test_any_cut_is_detected(length: int) -> None:
    with pytest.raises(ValueError):
        vault_format.parse(SEALED[:length])


@given(st.integers(0, len(SEALED) - 33), st.integers(1, 255))
def test_a_byte_changed_on_purpose_never_yields_other_content(position: int, mask: int) -> None:
    changed = bytearray(SEALED)
    changed[position] ^= mask
    try:
        opened = vault_format.unseal(vault_format.parse(resigned(bytes(changed))), KEY)
    except (ValueError, VaultDamagedError):
        return
    assert opened is None


@given(st.binary(max_size=400))
@settings(max_examples=50)
def test_anything_else_is_not_a_vault(data: bytes) -> None:
    with pytest.raises(ValueError):
        vault_format.parse(data)


def test_another_key_does_not_open_it() -> None:
    assert vault_format.unseal(vault_format.parse(SEALED), os.urandom(32)) is None


def test_the_same_content_is_sealed_differently_each_time() -> None:
    again = vault_format.seal(CONTENT, KEY, Protection.keyring())
    assert vault_format.parse(again).nonce != vault_format.parse(SEALED).nonce
    assert again != SEALED


def test_no_value_lies_in_the_clear() -> None:
    assert b"client-secret" not in SEALED
    assert b"example.invalid" not in SEALED
    assert b"discord" not in SEALED


def test_a_newer_version_is_no_damage() -> None:
    newer = bytearray(SEALED)
    newer[8] = vault_format.VERSION + 1
    with pytest.raises(VaultDamagedError, match="newer version"):
        vault_format.parse(resigned(bytes(newer)))


def test_scrypt_numbers_that_would_eat_the_memory_are_refused() -> None:
    greedy = bytearray(SEALED)
    greedy[10] = 40
    with pytest.raises(ValueError):
        vault_format.parse(resigned(bytes(greedy)))


def test_authenticated_but_unknown_content_is_told_apart() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = vault_format.parse(SEALED)
    ciphertext = AESGCM(KEY).encrypt(sealed.nonce, b'{"items": 7}', sealed.head)
    foreign = vault_format.Sealed(sealed.protection, sealed.nonce, sealed.head, ciphertext)
    with pytest.raises(VaultDamagedError, match="something unknown"):
        vault_format.unseal(foreign, KEY)


@pytest.mark.usefixtures("full_keys")
def test_the_key_of_a_passphrase_depends_on_passphrase_and_salt() -> None:
    one, other = Protection.passphrase(), Protection.passphrase()
    assert one.kind is ProtectionKind.PASSPHRASE
    assert one.log_n >= 15
    key = vault_format.passphrase_key("correct horse", one)
    assert len(key) == 32
    assert key == vault_format.passphrase_key("correct horse", one)
    assert key != vault_format.passphrase_key("correct horsf", one)
    assert key != vault_format.passphrase_key("correct horse", other)


def test_scrypt_agrees_with_the_published_vector() -> None:
    """RFC 7914 section 12, the third vector (n 16384, r 8, p 1): its first 32 bytes."""
    protection = Protection(ProtectionKind.PASSPHRASE, b"SodiumChloride", log_n=14, r=8, p=1)
    assert vault_format.passphrase_key("pleaseletmein", protection).hex() == (
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    )
