"""OpenTelemetry's SDK, set up for one plan: providers, exporters and their threads. Imported only when it is used."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from itsjustintv_desktop.engine.core.net.proxies import Proxy
from itsjustintv_desktop.engine.core.net.trust import client_context

# grpc's C core writes to stderr by itself whenever a connection fails. Read when grpc is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.monitoring.telemetry.settings import ExportHealth, OtlpSignal, TelemetrySettings

SCOPE = "itsjustintv_desktop"

# The SDK logs every failed batch, some with a traceback and some with what the environment holds. ExportHealth says it.
logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)


class ExporterSession(requests.Session):
    """The system's trust store, our own proxies, no .netrc, and the last answer remembered.

    The SDK exports in threads of its own, so not through core/net/client, which lives on the engine's loop.
    `last_status` is None while the last request got no answer.
    """

    def __init__(self, proxy: Proxy | None) -> None:
        super().__init__()
        self.last_status: int | None = None
        # A .netrc would put its own Authorization over that of [telemetry] headers.
        self.trust_env = False
        if proxy is not None:
            self.proxies = dict.fromkeys(("http", "https"), proxy.with_password)
        self.mount("https://", _Adapter())

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        self.last_status = None
        response = super().request(method, url, *args, **options)
        self.last_status = response.status_code
        return response


class _Adapter(HTTPAdapter):
    """Verifies against the system's store unless OTEL_EXPORTER_OTLP_CERTIFICATE names a file of its own."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=client_context())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=client_context())

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)
        if verify is True:
            conn.ca_certs = conn.ca_cert_dir = None  # requests' own bundle


class GivenIds(IdGenerator):
    """Hands out the ids that were set for the span now being made; one thread makes all spans."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class Exporter:
    """Everything that was opened for one plan. Making it blocks (imports, files, certificates): do it in a thread."""

    def __init__(self, plan: TelemetrySettings, trouble: ExportHealth) -> None:
        """Raises whatever the SDK and its exporters raise for settings they cannot use."""
        make = _http if plan.protocol == "http" else _grpc
        resource = _resource(plan)
        self.ids = GivenIds()
        self._closers: list[Callable[[], Any]] = []
        self._exporters: list[SpanExporter | MetricExporter] = []
        # All that can fail comes before the first thread is started.
        senders = {signal: make(plan, signal) for signal in plan.endpoints}
        self.tracers = TracerProvider(resource=resource, id_generator=self.ids, shutdown_on_exit=False)
        readers = []
        self.sends_traces = "traces" in plan.endpoints
        if self.sends_traces:
            spans = _Spans(senders["traces"], trouble)
            self._exporters.append(spans)
            self.tracers.add_span_processor(BatchSpanProcessor(spans))
            self._closers.append(self.tracers.shutdown)
        if "metrics" in plan.endpoints:
            values = _Metrics(senders["metrics"], trouble)
            self._exporters.append(values)
            readers.append(PeriodicExportingMetricReader(values, export_interval_millis=plan.interval * 1000.0))
        self.meters = MeterProvider(
            readers, resource=resource, exemplar_filter=AlwaysOffExemplarFilter(), shutdown_on_exit=False
        )
        if readers:
            self._closers.append(self.meters.shutdown)

    def sampled(self, trace_id: int) -> bool:
        """Whether this trace is one of those sent. The same for all its spans, and after a restart."""
        decision = self.tracers.sampler.should_sample(Context(), trace_id, "").decision
        return decision is not Decision.DROP

    def close(self, seconds: float) -> None:
        """Send what is left, for at most `seconds`; then break off. Blocks: call it in a thread of its own.

        The SDK would wait half a minute for a collector that hangs. Its threads are daemons: left alone they end
        with the request under way, and hold up no process that ends.
        """
        deadline = time.monotonic() + seconds
        closing = [threading.Thread(target=_quietly, args=(close,), daemon=True) for close in self._closers]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(max(0.0, deadline - time.monotonic()))
        for exporter in self._exporters:
            threading.Thread(target=_quietly, args=(exporter.shutdown,), daemon=True).start()


def _quietly(close: Callable[[], Any]) -> None:
    try:
        close()
    except Exception as error:  # noqa: BLE001 - what cannot be sent any more is nobody's loss
        logging.getLogger(__name__).debug("telemetry was broken off: %s", type(error).__name__)


class _Spans(SpanExporter):
    """Tells ExportHealth how each export went."""

    def __init__(self, inner: _Sender, trouble: ExportHealth) -> None:
        self._inner = inner
        self._trouble = trouble
        self._closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._closed:
            return SpanExportResult.FAILURE
        well = self._inner.send("traces", spans, self._trouble, SpanExportResult.SUCCESS, lambda: self._closed)
        return SpanExportResult.SUCCESS if well else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        if not self._closed:
            self._closed = True
            self._inner.exporter.shutdown()


class _Metrics(MetricExporter):
    """Tells ExportHealth how each export went."""

    def __init__(self, inner: _Sender, trouble: ExportHealth) -> None:
        super().__init__(inner.exporter._preferred_temporality, inner.exporter._preferred_aggregation)  # noqa: SLF001 - the reader asks the outer one
        self._inner = inner
        self._trouble = trouble
        self._closed = False

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        if self._closed:
            return MetricExportResult.FAILURE
        well = self._inner.send(
            "metrics", metrics_data, self._trouble, MetricExportResult.SUCCESS, lambda: self._closed
        )
        return MetricExportResult.SUCCESS if well else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        if not self._closed:
            self._closed = True
            self._inner.exporter.shutdown()


class _Sender:
    """One of OTLP's exporters, and the last status it was answered with over HTTP."""

    def __init__(self, exporter: Any, status: Callable[[], int | None] = lambda: None) -> None:
        self.exporter = exporter
        self._status = status

    def send(
        self, signal: OtlpSignal, data: Any, trouble: ExportHealth, success: object, closed: Callable[[], bool]
    ) -> bool:
        try:
            well = self.exporter.export(data) is success
        except Exception:  # noqa: BLE001 - an exporter's fault must not end its thread
            well = False
        if well:
            trouble.worked(signal)
        elif not closed():
            trouble.failed(signal, self._status())
        return well


def _http(plan: TelemetrySettings, signal: OtlpSignal) -> _Sender:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    session = ExporterSession(plan.proxies.get(signal))
    kind: Any = OTLPSpanExporter if signal == "traces" else OTLPMetricExporter
    exporter = kind(endpoint=plan.endpoints[signal], headers=dict(plan.headers), timeout=plan.timeout, session=session)
    return _Sender(exporter, lambda: session.last_status)


def _grpc(plan: TelemetrySettings, signal: OtlpSignal) -> _Sender:
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    endpoint = plan.endpoints[signal]
    kind: Any = OTLPSpanExporter if signal == "traces" else OTLPMetricExporter
    insecure = {"http": True, "https": False}.get(endpoint.partition("://")[0])
    headers = {**_environment_headers(signal), **plan.headers}
    proxy = plan.proxies.get(signal)
    # grpc would read the variables by itself.
    options = ("grpc.http_proxy", proxy.with_password) if proxy is not None else ("grpc.enable_http_proxy", 0)
    exporter = kind(
        endpoint=endpoint,
        insecure=insecure,
        headers=headers or None,
        timeout=plan.timeout,
        channel_options=(options,),
    )
    return _Sender(exporter)


def _environment_headers(signal: OtlpSignal) -> Mapping[str, str]:
    """The exporter for gRPC would not look at them once it is given some; the one for HTTP puts them together."""
    from opentelemetry.util.re import parse_env_headers

    names = (f"OTEL_EXPORTER_OTLP_{signal.upper()}_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    return parse_env_headers(next((os.environ[name] for name in names if os.environ.get(name)), ""), liberal=True)


def _resource(plan: TelemetrySettings) -> Resource:
    """The config over the environment over our own name and version."""
    given = OTELResourceDetector().detect().attributes
    chosen: dict[str, str] = {}
    if plan.service_name is not None:
        chosen["service.name"] = plan.service_name
    if plan.service_version is not None or "service.version" not in given:
        chosen["service.version"] = plan.service_version or __version__
    return Resource.create(chosen)
