"""Hostile headers of a message: signatures, ids, timestamps and types."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

from tests.engine.ingress.hostile.table import CHALLENGE, Cases, cases
from tests.support import rawhttp, signed
from tests.support.signed import Message

_SIGNATURE = "Twitch-Eventsub-Message-Signature"


def _right(message: Message) -> str:
    return str(dict(message.headers())[_SIGNATURE])


def _digest(key: bytes, *parts: bytes, kind: str = "sha256") -> str:
    return hmac.new(key, b"".join(parts), kind).hexdigest()


def _parts(message: Message) -> tuple[bytes, bytes, bytes]:
    return message.id.encode(), signed.rfc3339(message.at).encode(), message.body


def _with(change: Callable[[Message], str]) -> Callable[[float], bytes]:
    def make(now: float) -> bytes:
        message = signed.online(now)
        return message.but(signature=change(message)).request()

    return make


def _renamed(name: str, to: str) -> Callable[[float], bytes]:
    def make(now: float) -> bytes:
        message = signed.online(now)
        headers = [(to if key == name else key, value) for key, value in message.headers()]
        return rawhttp.request("POST", "/twitch", headers, message.body)

    return make


def _added(name: str, value: str) -> Callable[[float], bytes]:
    def make(now: float) -> bytes:
        message = signed.online(now)
        return rawhttp.request("POST", "/twitch", [(name, value), *message.headers()], message.body)

    return make


KEY = signed.SECRET.encode()

SIGNATURES: Cases = cases(
    {403},
    {
        "the prefix in upper case": _with(lambda m: _right(m).replace("sha256", "SHA256")),
        "a colon for the equals sign": _with(lambda m: _right(m).replace("=", ":")),
        "the prefix alone": _with(lambda m: "sha256="),
        "the prefix twice": _with(lambda m: "sha256=" + _right(m)),
        "a blank behind the prefix": _with(lambda m: _right(m).replace("=", "= ")),
        "a blank in the middle": _with(lambda m: _right(m)[:30] + " " + _right(m)[30:]),
        "in quotes": _with(lambda m: f'"{_right(m)}"'),
        "with a parameter": _with(lambda m: _right(m) + ";v=1"),
        "SHA-512": _with(lambda m: "sha512=" + _digest(KEY, *_parts(m), kind="sha512")),
        "SHA-512 called SHA-256": _with(lambda m: "sha256=" + _digest(KEY, *_parts(m), kind="sha512")),
        "SHA-512 cut to size": _with(lambda m: "sha256=" + _digest(KEY, *_parts(m), kind="sha512")[:64]),
        "SHA3": _with(lambda m: "sha256=" + _digest(KEY, *_parts(m), kind="sha3_256")),
        "base64": _with(
            lambda m: "sha256=" + base64.b64encode(hmac.digest(KEY, b"".join(_parts(m)), "sha256")).decode()
        ),
        "no algorithm": _with(lambda m: "none"),
        "an empty key": _with(lambda m: "sha256=" + _digest(b"", *_parts(m))),
        "the key in hexadecimal": _with(lambda m: "sha256=" + _digest(KEY.hex().encode(), *_parts(m))),
        "the key with a line break": _with(lambda m: "sha256=" + _digest(KEY + b"\n", *_parts(m))),
        "no key": _with(lambda m: "sha256=" + hashlib.sha256(b"".join(_parts(m))).hexdigest()),
        "the key before the text": _with(lambda m: "sha256=" + hashlib.sha256(KEY + b"".join(_parts(m))).hexdigest()),
        "over nothing": _with(lambda m: "sha256=" + _digest(KEY)),
        "id and body": _with(lambda m: "sha256=" + _digest(KEY, _parts(m)[0], m.body)),
        "time and body": _with(lambda m: "sha256=" + _digest(KEY, _parts(m)[1], m.body)),
        "time before id": _with(lambda m: "sha256=" + _digest(KEY, _parts(m)[1], _parts(m)[0], m.body)),
        "dots between the parts": _with(lambda m: "sha256=" + _digest(KEY, b".".join(_parts(m)))),
        "a body with a line break": _with(lambda m: "sha256=" + _digest(KEY, *_parts(m), b"\n")),
        "64 times NUL as text": _with(lambda m: "sha256=" + "\\0" * 32),
        "full-width digits": _with(lambda m: "sha256=" + "\uff10" * 64),
        "a no-break space": _with(lambda m: _right(m) + "\u00a0"),
        "a soft hyphen": _with(lambda m: _right(m)[:9] + "\u00ad" + _right(m)[9:]),
        "4 KiB long": _with(lambda m: "sha256=" + "0" * 4096),
        "an empty id, rightly signed": lambda now: signed.online(now).but(id="").request(),
        "underscores for hyphens": _renamed(_SIGNATURE, _SIGNATURE.replace("-", "_")),
        "the name of GitHub": _renamed(_SIGNATURE, "X-Hub-Signature-256"),
        "an id with another name": _renamed("Twitch-Eventsub-Message-Id", "Message-Id"),
        "doubled in another case": _added(_SIGNATURE.lower(), "sha256=" + "0" * 64),
        "doubled and empty": _added(_SIGNATURE.upper(), ""),
        "a second id in another case": _added("TWITCH-EVENTSUB-MESSAGE-ID", "other"),
        "a second time in another case": _added("twitch-eventsub-message-timestamp", "2026-01-01T00:00:00Z"),
        "an unsigned challenge of HTML": lambda now: (
            signed.challenge(now, f"<script>{CHALLENGE}</script>").but(signature="sha256=" + "f" * 64).request()
        ),
        "a challenge of another secret": lambda now: signed.challenge(now, CHALLENGE).but(secret="x" * 26).request(),
        "a revocation of another secret": lambda now: signed.revocation(now).but(secret="x" * 26).request(),
        "a stale challenge": lambda now: signed.challenge(now - 601, CHALLENGE).request(),
        "a revocation from the future": lambda now: signed.revocation(now + 601).request(),
    },
)


def _stamped(stamp: str) -> Callable[[float], bytes]:
    return lambda now: signed.online(now).but(timestamp=stamp).request()


def _turned(change: Callable[[str], str]) -> Callable[[float], bytes]:
    """The right time, written wrongly and rightly signed."""
    return lambda now: signed.online(now).but(timestamp=change(signed.rfc3339(now))).request()


TIMESTAMPS: Cases = cases(
    {403},
    {
        "nanoseconds without a zone": _turned(lambda t: t.rstrip("Z")),
        "two zones": _turned(lambda t: t + "Z"),
        "a zone of 24 hours": _turned(lambda t: t.rstrip("Z") + "+24:00"),
        "a zone of 60 minutes": _turned(lambda t: t.rstrip("Z") + "+00:60"),
        "a zone without a colon": _turned(lambda t: t.rstrip("Z") + "+0000"),
        "a zone in letters": _turned(lambda t: t.rstrip("Z") + " UTC"),
        "a zone an hour off": _turned(lambda t: t.rstrip("Z") + "+01:00"),
        "a comma for the point": _turned(lambda t: t.replace(".", ",")),
        "33 digits of fraction": _turned(lambda t: t[:20] + "0" * 33 + "Z"),
        "a point and no digits": _turned(lambda t: t[:20] + "Z"),
        "no T": _turned(lambda t: t.replace("T", "_")),
        "no hyphens": _turned(lambda t: t.replace("-", "")),
        "Arabic digits": _turned(lambda t: t.translate({ord("0") + n: 0x660 + n for n in range(10)})),
        "trailing text": _turned(lambda t: t + "; x"),
        "two times": _turned(lambda t: f"{t}, {t}"),
        "a letter for a nought": _turned(lambda t: t.replace("0", "O")),
        "a sign before the year": _turned(lambda t: "+" + t),
        "month 0": _stamped("2026-00-10T00:00:00Z"),
        "30 February": _stamped("2026-02-30T00:00:00Z"),
        "29 February of a common year": _stamped("2026-02-29T00:00:00Z"),
        "hour 24": _stamped("2026-11-24T24:00:00Z"),
        "minute 60": _stamped("2026-11-24T10:60:00Z"),
        "second 61": _stamped("2026-11-24T10:00:61Z"),
        "year 0": _stamped("0000-01-01T00:00:00Z"),
        "year 1": _stamped("0001-01-01T00:00:00+23:59"),
        "year 9999": _stamped("9999-12-31T23:59:60-23:59"),
        "year 10000": _stamped("10000-01-01T00:00:00Z"),
        "1970": _stamped("1970-01-01T00:00:00Z"),
        "a week date": _stamped("2026-W48-2T00:00:00Z"),
        "an RFC 1123 date": _stamped("Tue, 24 Nov 2026 04:00:00 GMT"),
        "infinity": _stamped("inf"),
        "9e99": _stamped("9e99"),
        "Unix milliseconds": _turned(lambda t: "1790000000000"),
        "9 KiB of digits": _stamped("9" * 6000),
    },
)


def _of_type(kind: str, **more: str) -> Callable[[float], bytes]:
    return lambda now: signed.online(now).but(kind=kind, **more).request()


TYPES: Cases = cases(
    {400},
    {
        "a header of another subscription": _of_type("notification", type="stream.offline"),
        "a notification called a challenge": _of_type("webhook_callback_verification"),
        "a challenge called a notification": lambda now: (
            signed.challenge(now, CHALLENGE).but(kind="notification").request()
        ),
        "an empty type": _of_type(""),
        "an endless type": _of_type("x" * 3000),
        "a type that writes backwards": _of_type("a\u202eb"),
        "a type of no-break spaces": _of_type("\u00a0a\u00a0b"),
        "an endless id, rightly signed": lambda now: signed.online(now).but(id="x" * 3000).request(),
        "a tab in the id, rightly signed": lambda now: signed.online(now).but(id="a\tb").request(),
        "an id of invisible letters, rightly signed": lambda now: signed.online(now).but(id="\u200b\u200b").request(),
    },
)
