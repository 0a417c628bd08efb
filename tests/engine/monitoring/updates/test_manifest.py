"""Versions, manifests, keys and signatures, whatever is in them."""

from __future__ import annotations

import base64
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from itsjustintv_desktop.engine.monitoring.updates import signing
from itsjustintv_desktop.engine.monitoring.updates.manifest import decode, encode, is_page
from itsjustintv_desktop.engine.monitoring.updates.signing import is_final, is_signed, order
from tests.support.clock import START
from tests.support.versions import Key, manifest

_NUMBER = st.integers(0, 999_999)
_PHASE = st.one_of(st.just(""), st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), _NUMBER))
_VERSIONS = st.builds("{}.{}.{}{}".format, _NUMBER, _NUMBER, _NUMBER, _PHASE)


@given(one=_VERSIONS, other=_VERSIONS)
def test_versions_compare_as_those_of_python_packages(one: str, other: str) -> None:
    assert (order(one) < order(other)) is (Version(one) < Version(other))
    assert (order(one) == order(other)) is (Version(one) == Version(other))
    assert is_final(order(one)) is not Version(one).is_prerelease


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-1", "1.2.3.dev1", "1.2.3+local", "1!1.2.3", " 1.2.3", "1.2.3\n",
        "1.2.x", "-1.2.3", "1.2.3rc", "1.2.3RC1", "١.٢.٣", "1234567.0.0", "1.2.3 a1",
    ],
)  # fmt: skip
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        order(text)


@given(st.text(max_size=30))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    try:
        found = order(text)
    except ValueError:
        return
    assert found == order(str(Version(text)))


def test_it_comes_back_as_it_was() -> None:
    made = manifest("1.3.0", now=START)
    assert decode(encode(made)) == made
    east = made.released.astimezone(timezone(timedelta(hours=9)))
    assert b'"released": "2026-09-20T' in encode(msgspec.structs.replace(made, released=east))


def test_more_fields_are_for_later_versions() -> None:
    raw = msgspec.json.decode(encode(manifest(now=START)))
    assert decode(msgspec.json.encode({**raw, "minimum_system": {"windows": "12"}})) == manifest(now=START)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.2"}, {"version": 3}, {"version": None}, {"released": "yesterday"},
        {"released": "2026-12-01T00:00:00"}, {"expires": "2026-12-01T00:00:00"}, {"expires": 1790000000},
        {"download_url": "http://example.org/"}, {"download_url": "javascript:alert(1)"}, {"download_url": "file:///x"},
        {"download_url": "https://user@example.org/"}, {"download_url": "https://example.org/ x"},
        {"download_url": "https://"}, {"download_url": "https://example.org:0/"}, {"download_url": "https://[::1"},
        {"download_url": "https://exämple.org/"}, {"notes_url": "https://e.org/\n"}, {"notes_url": ""},
        {"download_url": "https://example.org/" + "x" * 600},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_manifest(change: dict[str, Any]) -> None:
    raw = msgspec.json.decode(encode(manifest(now=START)))
    with pytest.raises(ValueError):
        decode(msgspec.json.encode({**raw, **change}))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_way(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decode(raw)


def test_an_address_with_a_query_is_a_page() -> None:
    assert is_page("https://example.org:8443/a?b=c#d")


# Keys and signatures


def test_the_file_of_keys() -> None:
    one, other = Key(), Key()
    text = f"# which\n\n{base64.b64encode(one.public).decode()}  # of 2026\n{base64.b64encode(other.public).decode()}"
    assert signing.parse_keys(text) == (one.public, other.public)
    assert signing.parse_keys("# none\n") == ()


@pytest.mark.parametrize("line", ["x", "AAAA", base64.b64encode(b"x" * 33).decode(), "ä", "a b"])
def test_a_line_that_is_no_key(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 is no Ed25519 public key"):
        signing.parse_keys(f"# head\n{line}\n")


def test_the_keys_come_from_the_package_or_from_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key()
    monkeypatch.setattr(signing, "_PACKAGE", tmp_path / "package")
    for folder in (tmp_path / "resources", tmp_path / "package" / "resources"):
        folder.mkdir(parents=True)
        (folder / signing.KEYS).write_text(base64.b64encode(key.public).decode())
        assert signing.pinned_keys() == (key.public,)
        (folder / signing.KEYS).unlink()
    with pytest.raises(OSError, match=signing.KEYS):
        signing.pinned_keys()


def test_a_signature_among_others() -> None:
    key, other = Key(), Key()
    raw = b"whatever"
    signed = b"not base64!\nAAAA\n" + other.sign(raw) + key.sign(raw)
    assert is_signed(raw, signed, [key.public])
    assert not is_signed(raw + b" ", signed, [key.public])
    assert not is_signed(raw, signed, [])
    assert not is_signed(raw, b"\n" * 10 + b"AAAA " * 8 + key.sign(raw), [key.public]), "it is not looked for for ever"


@given(raw=st.binary(max_size=50), signatures=st.binary(max_size=300))
def test_no_bytes_are_a_signature_by_chance(raw: bytes, signatures: bytes) -> None:
    assert not is_signed(raw, signatures, [_KEY.public])


_KEY = Key()
