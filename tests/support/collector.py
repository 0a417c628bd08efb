"""Collectors of OpenTelemetry on loopback, one for each protocol: they decode what arrives and keep it raw, too."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.waiting import until

PROTOCOLS = ("http", "grpc")


class Collected:
    """All that arrived so far. `status`: what the one for HTTP answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.raw: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.resources: list[dict[str, Any]] = []
        self.spans: list[Span] = []
        self.metrics: dict[str, Metric] = {}
        """The last one of each name."""

    def config(self, protocol: str, more: str = "") -> str:
        """[telemetry] that leads here."""
        return f'[telemetry]\nenabled = true\nprotocol = "{protocol}"\nendpoint = "{self.url}"\n{more}\n'

    def trace(self, request: ExportTraceServiceRequest) -> None:
        for some in request.resource_spans:
            self.resources.append(attributes(some.resource))
            for scope in some.scope_spans:
                self.spans += scope.spans

    def measured(self, request: ExportMetricsServiceRequest) -> None:
        for some in request.resource_metrics:
            self.resources.append(attributes(some.resource))
            for scope in some.scope_metrics:
                self.metrics |= {metric.name: metric for metric in scope.metrics}

    def named(self, name: str) -> list[Span]:
        """Spans of that name, by the time they ended."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.end_time_unix_nano)

    async def wait(self, name: str, count: int = 1) -> list[Span]:
        """Wait for that many spans of a name."""
        found: list[Span] = await until(
            lambda: some if len(some := self.named(name)) >= count else None,
            what=f"{count} spans {name!r} of {[span.name for span in self.spans]}",
        )
        return found

    def points(self, name: str) -> list[tuple[dict[str, Any], float]]:
        """(attributes, value) of each series of a metric as it came last; a histogram's value is its count."""
        metric = self.metrics.get(name)
        if metric is None:
            return []
        kind = metric.WhichOneof("data")
        data = getattr(metric, str(kind)).data_points
        if kind == "histogram":
            return [(attributes(point), float(point.count)) for point in data]
        return [(attributes(point), float(getattr(point, point.WhichOneof("value")))) for point in data]

    def value(self, name: str, **wanted: Any) -> float:
        """The sum of a metric's series that have these attributes ("." written as "__")."""
        chosen = {key.replace("__", "."): value for key, value in wanted.items()}
        return sum(value for found, value in self.points(name) if chosen.items() <= found.items())


def attributes(thing: Any) -> dict[str, Any]:
    """Attributes of a span, a point or a resource as plain values."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in thing.attributes}


@asynccontextmanager
async def collector(protocol: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Collected]:
    """One that listens on a free port; `tls` for HTTP only."""
    async with _http(tls) if protocol == "http" else _grpc() as collected:
        yield collected


@asynccontextmanager
async def _http(tls: ssl.SSLContext | None) -> AsyncIterator[Collected]:
    async def handle(request: web.BaseRequest) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        collected.headers.append(request.headers)
        if collected.status != 200:
            return web.Response(status=collected.status)
        collected.raw.append(body)
        if request.path == "/v1/traces":
            collected.trace(ExportTraceServiceRequest.FromString(body))
        elif request.path == "/v1/metrics":
            collected.measured(ExportMetricsServiceRequest.FromString(body))
        else:
            return web.Response(status=404)
        return web.Response(body=b"", content_type="application/x-protobuf")

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    collected = Collected(f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield collected
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _grpc() -> AsyncIterator[Collected]:
    def service(name: str, request: Any, response: Any, take: Callable[[Any], None]) -> Any:
        async def export(body: bytes, context: Any) -> Any:
            collected.headers.append({key: str(value) for key, value in context.invocation_metadata()})
            collected.raw.append(body)
            take(request.FromString(body))
            return response()

        handler = grpc.unary_unary_rpc_method_handler(
            export, response_serializer=lambda message: message.SerializeToString()
        )
        return grpc.method_handlers_generic_handler(f"opentelemetry.proto.collector.{name}", {"Export": handler})

    server = grpc.aio.server()
    bound = server.add_insecure_port("127.0.0.1:0")
    collected = Collected(f"http://127.0.0.1:{bound}")
    server.add_generic_rpc_handlers(
        (
            service(
                "trace.v1.TraceService", ExportTraceServiceRequest, ExportTraceServiceResponse, collected.trace
            ),
            service(
                "metrics.v1.MetricsService", ExportMetricsServiceRequest, ExportMetricsServiceResponse,
                collected.measured,
            ),
        )
    )  # fmt: skip
    await server.start()
    try:
        yield collected
    finally:
        await server.stop(0.1)
