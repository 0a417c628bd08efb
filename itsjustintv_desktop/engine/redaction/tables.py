"""Learning the secrets of a config's tables as they were read, valid or not, and those of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itsjustintv_desktop.engine.redaction.known import KNOWN

_SECRETS = frozenset({"client_secret", "webhook_secret", "target_webhook_secret", "secret", "authtoken"})
_ADDRESSES = frozenset({"url", "target_webhook_url", "webhook_url", "endpoint"})
_DEEPEST = 8


def learn_tables(raw: Mapping[str, Any], depth: int = 0) -> None:
    """Every secret, address and header in these tables, wherever it stands: the config may be wrong in any way."""
    for name, value in raw.items():
        key = name.lower()
        if isinstance(value, str):
            if key in _SECRETS or key.endswith(("secret", "token", "password")):
                KNOWN.learn(value.strip())
            elif key in _ADDRESSES:
                KNOWN.learn_address(value.strip())
        elif isinstance(value, Mapping):
            if key == "headers":
                for content in value.values():
                    if isinstance(content, str):
                        KNOWN.learn_header(content)
            elif depth < _DEEPEST:
                learn_tables(value, depth + 1)


def learn_environ(environ: Mapping[str, str]) -> None:
    """What is no key of the config: the passphrase, and the headers of OpenTelemetry's own variables."""
    for name, value in environ.items():
        if name == "ITSJUSTINTV_PASSPHRASE":
            KNOWN.learn(value)
        elif name.startswith("OTEL_EXPORTER_OTLP") and name.endswith("HEADERS"):
            for pair in value.split(","):
                KNOWN.learn_header(pair.partition("=")[2].strip())
