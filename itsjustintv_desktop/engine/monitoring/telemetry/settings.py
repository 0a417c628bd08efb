"""Where telemetry goes, from [telemetry] and the standard OTEL_* variables, and whether it arrives there.

The config wins where it says something.

Source: OpenTelemetry specification, "OpenTelemetry Environment Variable Specification" and "OTLP Exporter
Configuration". Variables not named here (certificates, compression, sampler, queue sizes, resource attributes) are
read by the SDK itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

import structlog

from itsjustintv_desktop.engine.config.schema import Telemetry
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.net.proxies import Proxies, Proxy

_log = structlog.get_logger(__name__)

_DEFAULT = Telemetry()
_PATHS = {"traces": "/v1/traces", "metrics": "/v1/metrics"}
EXPORT_SECONDS = 60.0
"""How often metrics are sent, unless OTEL_METRIC_EXPORT_INTERVAL says otherwise."""
TIMEOUT = 5.0
"""Seconds one export may take with all its retries, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise."""

SAY_EVERY = 600.0
"""Seconds between two log lines about a collector that is away."""

OtlpSignal = Literal["traces", "metrics"]
SIGNALS: tuple[OtlpSignal, ...] = ("traces", "metrics")


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """All that is needed to send. `headers` are secrets, so they are not shown."""

    protocol: Literal["http", "grpc"]
    endpoints: Mapping[OtlpSignal, str]
    """One for each signal that is sent."""
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case. They go over those of the environment."""
    service_name: str | None
    """None: the environment names it."""
    service_version: str | None
    timeout: float | None
    """None: the environment says it."""
    interval: float
    """Seconds between two exports of metrics."""
    proxies: Mapping[OtlpSignal, Proxy] = field(default_factory=dict)
    """What leads to an endpoint; none for those that are connected to directly."""


def telemetry_settings(
    settings: Telemetry, environ: Mapping[str, str], proxies: Proxies | None = None
) -> TelemetrySettings | None:
    """None: nothing is to be sent."""
    if not settings.enabled or _word(environ, "OTEL_SDK_DISABLED") == "true":
        return None
    wanted = [one for one in SIGNALS if _word(environ, f"OTEL_{one.upper()}_EXPORTER") != "none"]
    if not wanted:
        return None
    # The protocol belongs to the endpoint: the environment's counts only for an endpoint of the environment.
    spoken = "" if settings.endpoint else _word(environ, "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol: Literal["http", "grpc"] = "grpc" if "grpc" in {settings.protocol, spoken} else "http"
    endpoints = {one: _endpoint(one, protocol, settings.endpoint, environ) for one in wanted}
    named = settings.service_name != _DEFAULT.service_name or not _names(environ, "service.name", "OTEL_SERVICE_NAME")
    has_timeout = any(name.startswith("OTEL_EXPORTER_OTLP_") and name.endswith("TIMEOUT") for name in environ)
    return TelemetrySettings(
        protocol=protocol,
        endpoints=endpoints,
        headers={name.lower(): value for name, value in settings.headers.items()},
        service_name=settings.service_name if named else None,
        service_version=settings.service_version or None,
        timeout=None if has_timeout else TIMEOUT,
        interval=_interval(environ.get("OTEL_METRIC_EXPORT_INTERVAL", "")),
        proxies={one: proxy for one, url in endpoints.items() if (proxy := _proxy(url, proxies or Proxies()))},
    )


def _endpoint(signal: OtlpSignal, protocol: str, configured: str, environ: Mapping[str, str]) -> str:
    own = environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "").strip()
    if own and not configured:
        return own
    base = configured or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    if protocol == "grpc":
        return base or "http://localhost:4317"
    base = (base or "http://localhost:4318").rstrip("/")
    for path in _PATHS.values():
        base = base.removesuffix(path)
    return base + _PATHS[signal]


def _proxy(endpoint: str, proxies: Proxies) -> Proxy | None:
    """An endpoint of gRPC may stand there without a scheme: that is TLS."""
    return proxies.for_url(endpoint if "://" in endpoint else f"https://{endpoint}")


def _names(environ: Mapping[str, str], attribute: str, variable: str) -> bool:
    """Whether the environment says this about the service."""
    listed = environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")
    return bool(environ.get(variable)) or any(item.partition("=")[0].strip() == attribute for item in listed)


def _interval(text: str) -> float:
    """Seconds, from the variable's milliseconds."""
    try:
        seconds = float(text) / 1000.0
    except ValueError:
        return EXPORT_SECONDS
    return seconds if 0.0 < seconds < float("inf") else EXPORT_SECONDS


def _word(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip().lower()


class ExportHealth:
    """Called from the exporters' threads. `reason` is what to show now; empty while all is well."""

    def __init__(self, clock: Clock) -> None:
        self._lock = Lock()
        self._throttle = LogThrottle(clock, SAY_EVERY)
        self._failing: dict[str, str] = {}
        self._said = False

    @property
    def reason(self) -> str:
        with self._lock:
            return next(iter(self._failing.values()), "")

    def failed(self, signal: str, status: int | None = None) -> None:
        """An export came to nothing; `status` is the collector's answer over HTTP, where there was one."""
        text = _sentence(status)
        with self._lock:
            self._failing[signal] = text
            due = self._throttle.due() is not None
            self._said = self._said or due
        if due:
            _log.warning("telemetry does not arrive", reason=text)

    def worked(self, signal: str) -> None:
        with self._lock:
            if not self._failing:
                return
            self._failing.pop(signal, None)
            heal = not self._failing and self._said
            self._said = self._said and not heal
        if heal:
            _log.info("telemetry arrives again")


def _sentence(status: int | None) -> str:
    """Never the address (it may hold a key), never a header."""
    if status is None:
        return (
            "The collector at [telemetry] endpoint does not answer. Is it running, and does it speak this protocol? "
            "What is measured meanwhile is dropped; announcements are not affected."
        )
    if status in {401, 403}:
        return f"The collector at [telemetry] endpoint refuses us ({status}). Check [telemetry] headers."
    return f"The collector at [telemetry] endpoint answers {status}. Check the endpoint and the collector's log."
