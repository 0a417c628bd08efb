"""What this process knows: one registry, since logs are one, too."""

from __future__ import annotations

from itsjustintv_desktop.engine.redaction.redactor import Redactor

KNOWN = Redactor()
