"""Reading what the agent says: real lines of real agents."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.ingress.ngrok import messages

TOKEN = "1aBcDeFgHiJkLmNoPqRsTuVwXyZ_2aBcDeFgHiJkLmNoPqRsT"


def test_its_local_api() -> None:
    line = messages.read('t=2026-01-25T10:38:25+0000 lvl=info msg="starting web service" obj=web addr=127.0.0.1:4041')
    assert (line.address, line.text, line.is_up, line.is_down) == ("127.0.0.1:4041", "", False, False)


def test_the_session() -> None:
    assert messages.read('t=x lvl=info msg="client session established" obj=tunnels.session').is_up
    closed = messages.read(
        't=x lvl=eror msg="session closed, starting reconnect loop" obj=csess id=1 err="session closed"'
    )
    assert (closed.is_down, closed.text) == (True, "session closed")
    lost = messages.read('t=x lvl=eror msg="heartbeat timeout, terminating session" obj=csess id=3 clientid=7')
    assert (lost.is_down, lost.text) == (True, "heartbeat timeout, terminating session")


@pytest.mark.parametrize(
    "raw",
    [
        't=x lvl=info msg="open config file" path=/x/ngrok.yml err=nil',
        't=x lvl=info msg="no more state changes" obj=tunnels.session',
        't=x lvl=info msg="started tunnel" obj=tunnels name=n addr=http://127.0.0.1:1 url=https://a.ngrok-free.dev',
        "",
        "anything at all, 'even an open quote",
        '{"lvl":"info","msg":"json"}',
    ],
)
def test_what_means_nothing(raw: str) -> None:
    line = messages.read(raw)
    assert (line.text, line.address, line.is_up, line.is_down, line.is_last_words) == ("", None, False, False, False)


def test_a_warning_is_no_lost_session() -> None:
    line = messages.read('t=x lvl=warn msg="failed to check for update" obj=updater err="context deadline exceeded"')
    assert (line.text, line.is_down) == ("context deadline exceeded", False)


def test_a_bad_token_is_judged_and_never_shown() -> None:
    raw = (
        't=2021-09-24T23:20:55-0400 lvl=eror msg="failed to auth" obj=tunnels.session err="The authtoken you specified '
        f"does not look like a proper ngrok tunnel authtoken.\\nYour authtoken: {TOKEN}~\\nInstructions to install "
        'your authtoken are on your ngrok dashboard:\\nhttps://dashboard.ngrok.com/x\\r\\n\\r\\nERR_NGROK_105\\r\\n"'
    )
    line = messages.read(raw)
    assert line.is_down
    fault = messages.classify(line.text, detail="")
    assert fault is not None
    assert fault.code == "bad_token"
    for known in (TOKEN, "", "another"):
        assert TOKEN not in messages.redact(line.text, known)


def test_redacted_text_is_one_short_line() -> None:
    text = messages.redact("a\\r\\nb\nc token=abc " + "x " * 500, "")
    assert text.startswith("a b c token=[hidden] x x")
    assert len(text) < 260


@pytest.mark.parametrize(
    ("code", "name"),
    [(105, "bad_token"), (107, "bad_token"), (300, "bad_token"), (4018, "bad_token"), (108, "session_limit"),
     (121, "agent_too_old"), (313, "bad_domain"), (319, "bad_domain"), (320, "bad_domain"), (334, "domain_in_use"),
     (725, "quota_spent"), (726, "quota_spent"), (727, "quota_spent"), (9040, "refused"), (123, "refused")],
)  # fmt: skip
def test_each_code_has_a_state(code: int, name: str) -> None:
    fault = messages.classify(f"Something.\r\n\r\nERR_NGROK_{code}\r\n", detail="Something.")
    assert fault is not None
    assert fault.code == name
    assert fault.message
    assert fault.fix


@pytest.mark.parametrize("text", ["dial tcp: i/o timeout", "x ERR_NGROK_802", "too fast ERR_NGROK_734", "ERR_NGROK_"])
def test_what_passes_by_itself_is_no_fault(text: str) -> None:
    assert messages.classify(text, detail="") is None


def test_a_limit_for_the_month_is_known_without_its_code() -> None:
    found = messages.classify("This ngrok account has reached its HTTPS connections limit for the month.", detail="")
    assert found is messages.QUOTA_SPENT
