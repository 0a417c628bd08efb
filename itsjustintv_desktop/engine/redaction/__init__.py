"""What must not be told: secrets known by their value, and what looks like one. For logs, traces, errors, answers.

One registry for the whole process, since logs are one, too. Whoever comes to hold a secret says `learn`; whoever lets
a text out that others wrote, or that is made from an error, passes it through `redact`.
"""

from __future__ import annotations

from itsjustintv_desktop.engine.redaction.environment import learn_environ
from itsjustintv_desktop.engine.redaction.known import KNOWN
from itsjustintv_desktop.engine.redaction.redactor import Redactor
from itsjustintv_desktop.engine.redaction.shapes import HIDDEN, mask

redact = KNOWN.redact
learn = KNOWN.learn
learn_passing = KNOWN.learn_passing
learn_address = KNOWN.learn_address
learn_header = KNOWN.learn_header
forget = KNOWN.forget

__all__ = [
    "HIDDEN",
    "KNOWN",
    "Redactor",
    "forget",
    "learn",
    "learn_address",
    "learn_environ",
    "learn_header",
    "learn_passing",
    "mask",
    "redact",
]
