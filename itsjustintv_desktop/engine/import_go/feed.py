"""Our own output.json begins with the Go service's last entries: whoever reads it sees no gap. Blocks."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itsjustintv_desktop.engine.import_go.announcements import error_of
from itsjustintv_desktop.engine.storage.output_file import replacing


def begin(ours: Path, entries: Sequence[Any], most: int, addresses: Mapping[str, str]) -> int:
    """Write the last `most` entries, in the Go service's form, if there is no such file yet. Returns how many.

    Raises OSError. Its errors may name whole addresses: those are hidden.
    """
    if os.path.lexists(ours):
        return 0
    usable = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("payload"), dict)]
    last = usable[-most:] if most > 0 else []
    with replacing(ours) as array:
        for entry in last:
            success = entry.get("success") is True
            kept: dict[str, Any] = {
                "timestamp": entry.get("timestamp"),
                "payload": entry["payload"],
                "success": success,
                "error": None if success else error_of(entry.get("error"), addresses),
            }
            array.add(json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace"))
    return len(last)
