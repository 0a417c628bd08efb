"""What can be wrong with the tunnel, read from the agent's lines and from outside: a name, a sentence, and what to do.

The agent writes logfmt on stdout, and plain `ERROR:` lines when it gives up. Once the month's allowance is spent it
stays online and knows nothing of it; ngrok's side then answers in our place and names the code in a header (seen as
`Ngrok-Error-Code: ERR_NGROK_725`).

Source: lines of ngrok agents 3.3 to 3.39, and https://ngrok.com/docs/errors/reference/
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.core.net.client import USER_AGENT, Options, Outbound
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS
from itsjustintv_desktop.engine.core.net.limits import read_at_most
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.redaction import HIDDEN

RETRY_FAILING: Final = 300.0
RETRY_QUOTA: Final = 1800.0
_SOON: Final = 15.0
_HELD: Final = 60.0
"""ngrok keeps what an agent held for a while after it vanished without a word."""
_CODE: Final = re.compile(r"ERR_NGROK_(\d+)")
_MONTH: Final = re.compile(r"limit for the month|bandwidth has been depleted")

_BAD_TOKEN: Final = frozenset({105, 106, 107, 109, 300, 4018})
_SESSIONS: Final = frozenset({108, 348})
_OLD_AGENT: Final = frozenset({119, 120, 121, 813})
_DOMAIN: Final = frozenset(
    {313, 314, 315, 316, 317, 318, 319, 320, 321, 322, 326, 327, 328, 329, 330, 331, 347, 354, 355, 381, 396, 397}
)
_QUOTA: Final = frozenset({725, 726, 727, 728, 729, 730, 731, 732, 733, 735, 736, 737, 738, 739, 740, 4027})
_IN_USE: Final = 334
_PASSING: Final = frozenset({349, 351, 702, 703, 714, 715, 718, 720, 722, 724, 734, 741, 800, 802, 803, 810})
"""Rates that are free again within minutes, and troubles of ngrok's own."""
UNKNOWN_ADDRESS: Final = 3200
"""ngrok's side knows of no agent behind the address."""
SESSION_UP: Final = "client session established"
WEB_SERVICE: Final = "starting web service"
_SESSION_DOWN: Final = (
    "session closed, starting reconnect loop",
    "failed to reconnect session",
    "heartbeat timeout, terminating session",
    "session closing",
    "failed to auth",
)
_PLAIN_ERROR: Final = "ERROR:"
_LONGEST: Final = 240
_TOKEN: Final = re.compile(r"(?i)(authtoken|token|credential)(:\s*|=)\S+")
_SECONDS: Final = 10.0
_PATH: Final = "/health"
_LARGEST: Final = 16 * 1024
_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Ngrok-Skip-Browser-Warning": "1",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """`retry`: seconds until it is tried again; None = with growing pauses, 1 s to 60 s."""

    state: TransportState
    code: str
    message: str
    fix: str = ""
    retry: float | None = RETRY_FAILING
    told: bool = True
    """False leaves the state as it is: nothing is wrong, the agent only has to start again."""

    @property
    def may_pass(self) -> bool:
        """It may be the agent's own former session that ngrok still holds."""
        return self.code in {"session_limit", "domain_in_use"}


def code_of(text: str) -> int | None:
    """The number of the ERR_NGROK_... code in `text`."""
    found = _CODE.search(text)
    return int(found[1]) if found else None


def classify(text: str, *, detail: str, domain: str = "") -> Fault | None:
    """What ngrok means; None if it names nothing that ends the attempt. `detail` is `text` fit to show."""
    code = code_of(text)
    if code in _QUOTA or _MONTH.search(text):
        return QUOTA_SPENT
    if code is None or code in _PASSING:
        return None
    if code in _BAD_TOKEN:
        return _failing(
            "bad_token",
            "ngrok does not accept the authtoken.",
            "Copy the authtoken from https://dashboard.ngrok.com/get-started/your-authtoken to "
            "ITSJUSTINTV_TUNNEL_AUTHTOKEN or [tunnel] authtoken.",
        )
    if code in _SESSIONS:
        return _failing(
            "session_limit",
            "Too many ngrok agents run with this account.",
            "Another ngrok agent uses your account, perhaps on another computer. Stop it, or see "
            "https://dashboard.ngrok.com/agents.",
            retry=_HELD,
        )
    if code in _DOMAIN:
        return _failing(
            "bad_domain",
            f"ngrok does not give this account the domain {domain or 'asked for'}.",
            "Set [tunnel] domain to the one listed at https://dashboard.ngrok.com/domains, or leave it out.",
        )
    if code == _IN_USE:
        return _failing(
            "domain_in_use",
            f"Another ngrok agent already serves {domain or 'the address of your account'}.",
            "Stop the other agent (https://dashboard.ngrok.com/agents). After a crash of this computer ngrok needs a "
            "minute to notice; it is tried again by itself.",
            retry=_HELD,
        )
    if code in _OLD_AGENT:
        return TOO_OLD
    return _failing("refused", f"ngrok refuses: {detail}", f"See https://ngrok.com/docs/errors/err_ngrok_{code}")


def _failing(code: str, message: str, fix: str, *, retry: float = RETRY_FAILING) -> Fault:
    return Fault(TransportState.FAILING, code, message, fix, retry)


QUOTA_SPENT: Final = Fault(
    TransportState.WAITING,
    "quota_spent",
    "This month's allowance of your ngrok account is used up, so Twitch's messages do not come through.",
    "Wait for the new month or raise the plan (https://dashboard.ngrok.com/usage); or use "
    '[twitch] transport = "conduit", which needs no tunnel.',
    RETRY_QUOTA,
)
TOO_OLD: Final = _failing(
    "agent_too_old",
    "ngrok's program is too old.",
    "Run `itsjustintv-desktop tunnel install`, or `ngrok update` if you installed it yourself.",
)
MISSING: Final = _failing(
    "agent_missing",
    "ngrok's program is not installed.",
    "Run `itsjustintv-desktop tunnel install` (it downloads about 12 MB from ngrok), or install ngrok yourself.",
    retry=_SOON,
)
NO_TOKEN: Final = _failing(
    "no_token",
    "There is no ngrok authtoken.",
    "Copy it from https://dashboard.ngrok.com/get-started/your-authtoken to ITSJUSTINTV_TUNNEL_AUTHTOKEN or "
    "[tunnel] authtoken; `itsjustintv-desktop config move-secrets` then puts it into the keyring.",
)
CHANGED: Final = Fault(TransportState.STARTING, "starting", "It is starting.", retry=0.0, told=False)
NOT_LISTENING: Final = Fault(TransportState.STARTING, "starting", "It waits until the program listens.", retry=1.0)


def broken_program(reason: str) -> Fault:
    return _failing(
        "agent_broken",
        f"ngrok's program cannot be started: {reason}.",
        "Run `itsjustintv-desktop tunnel install` to get it anew.",
    )


def unwritable(reason: str) -> Fault:
    return _failing("folder_unwritable", f"The tunnel's folder cannot be written: {reason}.", "Mend that.", retry=_SOON)


def secrets_waiting(message: str) -> Fault:
    return Fault(
        TransportState.WAITING, "secrets_waiting", f"The ngrok authtoken cannot be read. {message}", retry=_SOON
    )


def start_timeout(seconds: float) -> Fault:
    return Fault(
        TransportState.WAITING,
        "start_timeout",
        f"ngrok's program said nothing useful for {seconds:g} s and was stopped. It is started again by itself.",
        retry=None,
    )


ADDRESS_GONE: Final = Fault(
    TransportState.WAITING,
    "address_gone",
    "ngrok's program serves our address no longer. It is asked for it again by itself.",
    retry=None,
)


def crashed(detail: str) -> Fault:
    return Fault(
        TransportState.WAITING, "crashed", f"ngrok's program {detail}. It is started again by itself.", retry=None
    )


def offline(detail: str) -> Fault:
    reason = f" ({detail})" if detail else ""
    return Fault(
        TransportState.WAITING,
        "offline",
        f"There is no connection to ngrok{reason}. It is tried again by itself.",
        "Nothing, if this computer is offline; else a firewall may block connect.ngrok-agent.com, port 443.",
        retry=None,
    )


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line, read. `text` is what it complains of, "" if it does not."""

    message: str
    text: str
    address: str | None = None
    """host:port of its local API, on the line that names it."""

    @property
    def is_up(self) -> bool:
        return self.message == SESSION_UP

    @property
    def is_down(self) -> bool:
        """The session with ngrok is lost or cannot be had."""
        return self.message in _SESSION_DOWN

    @property
    def is_last_words(self) -> bool:
        """A part of what it says before it ends by itself."""
        return self.message == _PLAIN_ERROR


def read(raw: str) -> OutputLine:
    """Read one line, whatever it is."""
    if raw.startswith(_PLAIN_ERROR):
        return OutputLine(_PLAIN_ERROR, raw.removeprefix(_PLAIN_ERROR).strip())
    from pyngrok.log import NgrokLog

    log = NgrokLog(raw)
    error = log.err if log.err not in {None, "nil", "<nil>"} else None
    troubled = log.lvl in {"WARNING", "ERROR", "CRITICAL"} or log.msg in _SESSION_DOWN
    address = log.addr if log.msg == WEB_SERVICE else None
    return OutputLine(log.msg or "", (error or log.msg or "") if troubled else "", address)


def redact(text: str, token: str) -> str:
    """One short line without the token, or anything that looks like one: bad tokens are quoted back at us."""
    if token:
        text = text.replace(token, HIDDEN)
    text = redaction.redact(_TOKEN.sub(rf"\1\2{HIDDEN}", text))
    text = " ".join(text.replace("\\r", " ").replace("\\n", " ").split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


async def look(address: str, outbound: Outbound) -> str | None:
    """Ask for our own health at the public `address` (https://host).

    What ngrok's side says instead of us, "" if it let us answer, None if nobody could be reached (which proves nothing:
    this machine may be offline).
    """
    client = outbound.client(Options(headers=_HEADERS))
    try:
        async with asyncio.timeout(_SECONDS), client, client.stream("GET", address + _PATH) as answer:
            code: str = answer.headers.get("Ngrok-Error-Code", "")
            if not code and answer.status_code >= 400:
                body = (await read_at_most(answer, _LARGEST)).decode(errors="replace")
                code = body if code_of(body) else ""
            return code
    except REQUEST_ERRORS:
        return None
