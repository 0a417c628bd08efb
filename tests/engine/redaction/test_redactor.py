from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.config import secrets_in_file
from itsjustintv_desktop.engine.redaction import Redactor, redactor

SECRET = 'p/ss+w0rd="%&ü'
DISCORD = "https://discord.com/api/webhooks/112233445566778899/aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123456789"


def knowing(*values: str) -> Redactor:
    made = Redactor()
    made.learn(*values)
    return made


@pytest.mark.parametrize(
    "spell",
    [
        str,
        quote,
        lambda text: quote(text, safe=""),
        quote_plus,
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: text.encode().hex().upper(),
        str.upper,
    ],
)
@pytest.mark.parametrize("secret", [SECRET, "abcdef", "a-client-secret-30-characters."])
def test_a_known_secret_is_hidden_however_it_is_spelled(spell: Callable[[str], str], secret: str) -> None:
    spelled = spell(secret)
    told = knowing(secret).without_known(f"before {spelled} after")
    assert spelled not in told
    assert told.startswith("before ")
    assert told.endswith(" after")


@given(st.binary(max_size=8), st.binary(max_size=8), st.text(st.characters(max_codepoint=0x2FF), min_size=9))
@example(b"", b"", "abcdefghi")
@example(b"user:", b"\n", "hunter2-hunter2")
def test_what_was_encoded_together_with_it_does_not_save_it(before: bytes, after: bytes, secret: str) -> None:
    data = secret.encode()
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        text = code(before + data + after).decode()
        told = knowing(secret).without_known(text)
        # What is left of it is not more than the characters that also hold bits of its neighbours.
        hidden = told.find("[hidden]")
        assert hidden >= 0
        assert len(told) - len("[hidden]") <= len(text) - (len(data) * 4 // 3 - 4)


@given(st.text(), st.text(min_size=6).filter(lambda text: text not in {"@keyring", "[hidden]"}), st.text())
def test_no_text_keeps_a_known_secret(before: str, secret: str, after: str) -> None:
    told = knowing(secret).redact(before + secret + after)
    # The mark itself may by chance hold the letters of a short one.
    assert secret not in told.replace("[hidden]", "\0")


@given(st.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    redaction.redact(text)
    knowing("a-secret").redact(text)


def test_a_text_without_secrets_stays_as_it_is() -> None:
    text = "a delivery to main failed: answered 503 Service Unavailable"
    assert knowing("another-secret", SECRET).redact(text) is text


def test_a_secret_too_short_to_be_meaningful_hides_nothing() -> None:
    assert knowing("main", "alice").redact("streamer=alice destination=main") == "streamer=alice destination=main"
    assert knowing("@keyring").redact("url = @keyring") == "url = @keyring"


def test_the_whole_goes_before_a_part_of_it() -> None:
    assert knowing("abcdef", "abcdefghijkl").without_known("x abcdefghijkl y") == "x [hidden] y"


def test_of_an_address_only_what_gives_access_is_hidden() -> None:
    made = Redactor()
    made.learn_address(DISCORD)
    made.learn_address("https://user12:hunter22@example.com/hook?code=s3cr3t-v%2Flue")
    told = made.without_known(
        "to discord.com /api/webhooks/112233445566778899/aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123456789, then example.com "
        "as user12 with hunter22 and s3cr3t-v/lue or s3cr3t-v%2flue"
    )
    assert told == (
        "to discord.com /api/webhooks/[hidden]/[hidden], then example.com as [hidden] with [hidden] and [hidden] "
        "or [hidden]"
    )


def test_an_address_that_cannot_be_taken_apart_is_no_trouble() -> None:
    made = Redactor()
    made.learn_address("https://[::1")
    made.learn_address("")


def test_pieces_of_a_header_are_known() -> None:
    made = Redactor()
    made.learn_header("Bearer abcdef-123")
    assert made.without_known("Bearer and abcdef-123") == "Bearer and [hidden]"


def test_secrets_of_the_moment_are_forgotten_in_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 200
    monkeypatch.setattr(redactor, "_PASSING", most)
    made = knowing("kept-secret-1")
    made.learn_passing("kept-secret-1")
    size = None
    for number in range(3 * most):
        made.learn_passing(f"challenge-{number:06}")
        if number == most:
            size = len(made._index)
    assert size is not None
    assert len(made._index) < size * 1.2
    assert made.without_known("challenge-000001") == "challenge-000001"
    assert made.without_known(f"challenge-{3 * most - 1:06} kept-secret-1") == "[hidden] [hidden]"


def test_it_can_be_taught_and_asked_from_many_threads() -> None:
    made = Redactor()
    wrong: list[str] = []

    def work(which: int) -> None:
        for number in range(300):
            secret = f"secret-{which}-{number:04}"
            made.learn(secret)
            made.learn_passing(f"passing-{which}-{number:04}")
            if made.redact(f"it is {secret}!") != "it is [hidden]!":
                wrong.append(secret)

    threads = [threading.Thread(target=work, args=(which,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_secrets_of_the_environment_are_learnt() -> None:
    redaction.learn_environ(
        {
            "ITSJUSTINTV_PASSPHRASE": "my pass phrase",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Basic%20abc12345,x=other-value",
            "HOME": "/home/somebody",
        }
    )
    assert redaction.redact("my pass phrase, other-value, /home/somebody") == "[hidden], [hidden], /home/somebody"


def test_a_thousand_secrets_cost_no_more_than_one() -> None:
    """Not by the clock: the work on a text does not depend on how much is known."""
    made = knowing(*(f"secret-number-{number}" for number in range(1000)))
    text = "x" * 50 + " an ordinary line of the log"
    assert made.redact(text) is text


def test_a_secret_that_begins_with_a_capital_leaves_the_index_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "_PASSING", 1)
    made = Redactor()
    made.learn_passing("Capital-secret")
    made.learn_passing("ANOTHER-one")
    alone = Redactor()
    alone.learn_passing("ANOTHER-one")
    assert made._index == alone._index
    assert made.without_known("Capital-secret ANOTHER-one") == "Capital-secret [hidden]"


def test_what_is_too_short_or_known_anyway_pushes_no_secret_of_the_moment_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "_PASSING", 1)
    made = knowing("kept-secret-1")
    made.learn_passing("challenge-1")
    before = dict(made._index)
    for value in ("short", "", "kept-secret-1", "challenge-1"):
        made.learn_passing(value)
    assert made._index == before
    assert made.without_known("kept-secret-1 challenge-1") == "[hidden] [hidden]"


def test_two_thousand_secrets_of_the_moment_are_known_at_a_time() -> None:
    made = Redactor()
    for number in range(2000):
        made.learn_passing(f"{number:04}-challenge")
    assert made.without_known("0000-challenge") == "[hidden]"
    made.learn_passing("another-challenge")
    assert made.without_known("0000-challenge 0001-challenge") == "0000-challenge [hidden]"


@pytest.mark.parametrize("scheme", ["http://", ""])
@pytest.mark.parametrize("source", ["file", "HTTPS_PROXY", "http_proxy", "all_proxy"])
def test_a_proxys_password_is_learnt(source: str, scheme: str) -> None:
    redaction.forget()
    address = f"{scheme}ada:p%40ss-w0rd@proxy.example:3128"
    if source == "file":
        secrets_in_file.learn({"network": {"proxy": address}})
    else:
        redaction.learn_environ({source: address})
    word = base64.b64encode(b"ada:p@ss-w0rd").decode()
    text = redaction.redact(f"{address} | p@ss-w0rd | p%40ss-w0rd | {word} | {{'Proxy-Authorization': 'Basic {word}'}}")
    redaction.forget()
    assert "w0rd" not in text
    assert word not in text
    assert "proxy.example:3128" in text
