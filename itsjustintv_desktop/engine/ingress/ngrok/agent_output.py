"""What the agent says, line by line (logfmt on stdout, and plain `ERROR:` lines when it gives up).

Source: lines of ngrok agents 3.3 to 3.39, and https://ngrok.com/docs/errors/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.redaction import HIDDEN

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
