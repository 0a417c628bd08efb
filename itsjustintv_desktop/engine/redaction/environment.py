"""Learning the secrets of environment variables that are no keys of the config."""

from __future__ import annotations

from collections.abc import Mapping

from itsjustintv_desktop.engine.redaction.known import KNOWN


def learn_environ(environ: Mapping[str, str]) -> None:
    """What is no key of the config: the passphrase, OpenTelemetry's headers, and proxies with their passwords."""
    for name, value in environ.items():
        if name == "ITSJUSTINTV_PASSPHRASE":
            KNOWN.learn(value)
        elif name.startswith("OTEL_EXPORTER_OTLP") and name.endswith("HEADERS"):
            for pair in value.split(","):
                KNOWN.learn_header(pair.partition("=")[2].strip())
        elif name.upper() in {"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"}:
            KNOWN.learn_address(value.strip())
