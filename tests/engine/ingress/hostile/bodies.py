"""Hostile bodies, all of them rightly signed: what a leaked secret or a fault at Twitch would let through.

What only spoils a field that identifies nothing is not here: the rest is used
(tests/engine/twitch/test_eventsub_messages.py).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from tests.engine.ingress.hostile.table import CHALLENGE, Cases, cases
from tests.support import signed

_SUBSCRIPTION = signed.subscription("stream.online", "1337")
_EVENT = {"id": "9001", "broadcaster_user_id": "1337", "broadcaster_user_login": "a", "broadcaster_user_name": "A"}


def _raw(body: bytes, **details: Any) -> Callable[[float], bytes]:
    return lambda now: signed.Message(at=now, body=body, **details).request()


def _text(subscription: Any = None, event: Any = None) -> str:
    whole = {"subscription": _SUBSCRIPTION if subscription is None else subscription}
    return json.dumps({**whole, "event": _EVENT if event is None else event})


def _event(**changes: Any) -> Callable[[float], bytes]:
    return _raw(_text(event={**_EVENT, **changes}).encode())


def _subscription(**changes: Any) -> Callable[[float], bytes]:
    return _raw(_text(subscription={**_SUBSCRIPTION, **changes}).encode())


def _extra(value: bytes) -> Callable[[float], bytes]:
    """A field nobody reads holds this JSON text."""
    return _raw(_text(event={**_EVENT, "extra": "EXTRA"}).encode().replace(b'"EXTRA"', value))


def _challenge(body: str) -> Callable[[float], bytes]:
    return _raw(body.encode(), kind="webhook_callback_verification")


_GOOD = _text().encode()

BODIES: Cases = cases(
    {400},
    {
        "blanks": _raw(b" \r\n\t" * 100),
        "a byte order mark": _raw(b"\xef\xbb\xbf" + _GOOD),
        "UTF-16 without a mark": _raw(_text().encode("utf-16-be")),
        "UTF-32": _raw(_text().encode("utf-32")),
        "Latin-1": _raw(_text().replace('"a"', '"\u00e9"').encode("latin-1")),
        "an overlong slash": _extra(b'"\xc0\xaf"'),
        "an encoded surrogate": _extra(b'"\xed\xa0\x80"'),
        "beyond Unicode": _extra(b'"\xf4\x90\x80\x80"'),
        "half a letter": _extra(b'"\xe2\x82"'),
        "a lone surrogate": _extra(b'"\\ud800"'),
        "surrogates the wrong way round": _extra(b'"\\udc00\\ud800"'),
        "half an escape": _extra(b'"\\u12"'),
        "an unknown escape": _extra(b'"\\x41"'),
        "a raw line break": _extra(b'"a\nb"'),
        "a raw NUL": _extra(b'"a\x00b"'),
        "NaN": _extra(b"NaN"),
        "Infinity": _extra(b"-Infinity"),
        "a leading nought": _extra(b"01"),
        "a plus sign": _extra(b"+1"),
        "hexadecimal": _extra(b"0x10"),
        "a point and no digits": _extra(b"1."),
        "Python's None": _extra(b"None"),
        "single quotes": _raw(_text().replace('"', "'").encode()),
        "a comment": _raw(b"/* hello */" + _GOOD),
        "a trailing comma": _raw(_GOOD[:-1] + b",}"),
        "two documents": _raw(_GOOD + b"\n" + _GOOD),
        "trailing NUL": _raw(_GOOD + b"\x00"),
        "a record separator": _raw(b"\x1e" + _GOOD),
        "a prefix against hijacking": _raw(b")]}',\n" + _GOOD),
        "deflate": _raw(zlib.compress(_GOOD)),
        "a form": _raw(b"payload=" + _GOOD),
        "XML with an entity": _raw(
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
        ),
        "a pickle": _raw(b"cos\nsystem\n(S'true'\ntR."),
        "MessagePack": _raw(b"\x82\xacsubscription\x80\xa5event\x80"),
        "a number of 60,000 digits": _raw(b"9" * 60_000),
        "a string of 60,000": _raw(b'"' + b"x" * 60_000 + b'"'),
        "60,000 quotes": _raw(b'"' * 60_000),
        "60,000 backslashes": _raw(b'"' + b"\\" * 60_000),
        "deep objects": _raw(b'{"a":' * 13_000),
        "deep in the event": _extra(b"[" * 30_000 + b"]" * 30_000),
        "deep in the subscription": _raw(b'{"subscription":' * 3000 + b"1" + b"}" * 3000),
        "true": _raw(b"true"),
        "a list of messages": _raw(b"[" + _GOOD + b"]"),
        "a second subscription of another type": _raw(
            _GOOD[:-1] + b',"subscription":' + json.dumps(signed.subscription("stream.offline", "1")).encode() + b"}"
        ),
        "a second event without an id": _raw(_GOOD[:-1] + b',"event":{"broadcaster_user_id":"1337"}}'),
        "subscription id with a line break": _subscription(id="a\r\nSet-Cookie: b"),
        "event a list": _raw(_text(event=[_EVENT]).encode()),
        "event a text": _raw(_text(event="live").encode()),
        "event a number": _raw(_text(event=5).encode()),
        "event false": _raw(_text(event=False).encode()),
        "id true": _event(id=True),
        "id a list": _event(id=["9001"]),
        "id null": _event(id=None),
        "id with an escape sequence": _event(id="\x1b[31m9001"),
        "id that writes backwards": _event(id="9\u202e001"),
        "id with a line separator": _event(id="9\u2028001"),
        "id of a private letter": _event(id="\ue000"),
        "id 1e400": _raw(_GOOD.replace(b'"9001"', b"1e400")),
        "broadcaster with a line break": _event(broadcaster_user_id="1337\n1338"),
        "broadcaster endless": _event(broadcaster_user_id="1" * 201),
    },
) | cases(
    {400},
    {
        "challenge missing": _challenge("{}"),
        "challenge true": _challenge('{"challenge": true}'),
        "challenge of 4,097": _challenge(json.dumps({"challenge": "x" * 4097})),
        "challenge a lone surrogate": _challenge('{"challenge": "\\ud800"}'),
        "challenge nested": _challenge(json.dumps({"challenge": {"challenge": CHALLENGE}})),
        "revocation of nothing": _raw(b"{}", kind="revocation"),
        "revocation of null": _raw(b'{"subscription": null}', kind="revocation"),
    },
)
