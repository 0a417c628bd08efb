"""Turns what the engine's parts tell into spans and measurements. Imported only when it is used."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Histogram, Observation
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from itsjustintv_desktop.engine.core.models import FINAL_STATES, DeliveryState, Outcome, StreamEvent
from itsjustintv_desktop.engine.instrumentation import Taken, TraceIds, announcing, of_attempt, traceparent
from itsjustintv_desktop.engine.monitoring.telemetry import metrics
from itsjustintv_desktop.engine.monitoring.telemetry.exporter import SCOPE, Exporter
from itsjustintv_desktop.engine.monitoring.telemetry.metrics import Metric
from itsjustintv_desktop.engine.storage.ledger.records import Claimed, EventRecord, Finish

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.monitoring.telemetry.readings import Values

Attributes = dict[str, str | int | bool]

_OPEN = Context()
"""No span is under way: ours are made when they are over, with their times."""


class Recorder:
    """Implements Observer. Methods are called on the loop, gauges are read in the SDK's thread."""

    def __init__(self, export: Exporter, *, api_url: str, reloads: Counter[tuple[str, ...]]) -> None:
        """`reloads` is counted by its owner: it goes on when this is replaced."""
        self._export = export
        self._tracer = export.tracers.get_tracer(SCOPE)
        self._meter = export.meters.get_meter(SCOPE)
        self._api = urlsplit(api_url)
        self._readings: Mapping[str, Values] = {}
        self._received: Counter[tuple[str, ...]] = Counter()
        self._settled: Counter[tuple[str, ...]] = Counter()
        self._ended: Counter[tuple[str, ...]] = Counter()
        self._answers = self._histogram(metrics.ANSWERS)
        self._helix = self._histogram(metrics.HELIX)
        self._announcing = self._histogram(metrics.ANNOUNCING)
        self._attempts = self._histogram(metrics.ATTEMPTS)
        self._latency = self._histogram(metrics.LATENCY)
        self._counter(metrics.RECEIVED, self._received)
        self._counter(metrics.SETTLED, self._settled)
        self._counter(metrics.ENDED, self._ended)
        self._counter(metrics.RELOADS, reloads)
        for gauge in (each for each in metrics.METRICS if each.kind == "gauge"):
            self._meter.create_observable_gauge(gauge.name, [self._reader(gauge)], gauge.unit, gauge.description)

    def show(self, readings: Mapping[str, Values]) -> None:
        """What the gauges shall show from now on."""
        self._readings = readings

    def answered(
        self, status: int, scheme: str, event: StreamEvent | None, outcome: Taken, *, ended: float, seconds: float
    ) -> None:
        self._answers.record(seconds, _answer(status, scheme))
        if event is None:
            return  # a challenge, or nobody knows whose: strangers write no traces
        self._received[event.source, event.kind, outcome] += 1
        attributes = _answer(status, scheme) | {"url.path": "/twitch"}
        self._receive("POST /twitch", SpanKind.SERVER, event, outcome, attributes, ended, seconds)

    def received(self, event: StreamEvent, outcome: Taken, *, ended: float, seconds: float) -> None:
        self._received[event.source, event.kind, outcome] += 1
        self._receive("receive", SpanKind.CONSUMER, event, outcome, {}, ended, seconds)

    def settled(
        self, record: EventRecord, state: str, reason: str | None, *, destinations: int, ended: float, seconds: float
    ) -> None:
        event = record.event
        self._settled[event.source, state, reason or ""] += 1
        if state == "announced":
            self._announcing.record(max(0.0, ended - event.received_at), {"itsjustintv.source": event.source})
        ids = TraceIds(event.source, event.message_id, record.id, event.received_at)
        again = record.state != "accepted"  # sent anyway: its first end has the announcement's own id
        attributes: Attributes = {
            "itsjustintv.event.id": record.id,
            "itsjustintv.event.kind": event.kind,
            "itsjustintv.event.state": state,
            "itsjustintv.destinations": destinations,
            "itsjustintv.test": event.test,
        }
        if reason:
            attributes["itsjustintv.reason"] = reason
        parent = ids.announcement if again else ids.root if ids.has_root else None
        span_id = _any_id() if again else ids.announcement
        self._span("announce", SpanKind.INTERNAL, ids.trace_id, span_id, parent, attributes, ended, seconds)

    def asked(
        self, method: str, path: str, status: int | None, error: str | None, *, ended: float, seconds: float
    ) -> None:
        attributes: Attributes = {
            "http.request.method": method,
            "url.template": path,
            "server.address": self._api.hostname or "",
            "server.port": self._api.port or 443,
        }
        fault = error or (str(status) if status is not None and status >= 400 else None)
        if status is not None:
            attributes["http.response.status_code"] = status
        if fault is not None:
            attributes["error.type"] = fault
        self._helix.record(seconds, attributes)
        current = announcing()
        if current is not None:
            trace_id, parent = current.ids.trace_id, current.ids.announcement
            name = f"{method} {path}"
            self._span(name, SpanKind.CLIENT, trace_id, _any_id(), parent, attributes, ended, seconds, fault)

    def traceparent(self, claimed: Claimed) -> str | None:
        return traceparent(claimed, self._export.sampled) if self._export.sends_traces else None

    def attempted(self, claimed: Claimed, finish: Finish, *, ended: float, seconds: float) -> None:
        if finish.state in FINAL_STATES:
            self._ended[claimed.destination, finish.state.value] += 1
        result = finish.result
        if result is None and finish.state is DeliveryState.PENDING:
            return  # held back: nothing was tried
        ids, span_id = of_attempt(claimed)
        attributes: Attributes = {
            "itsjustintv.destination": claimed.destination,
            "itsjustintv.streamer": claimed.streamer,
            "itsjustintv.event.id": claimed.event_id,
            "itsjustintv.delivery.id": claimed.id,
            "itsjustintv.delivery.state": finish.state.value,
            "itsjustintv.test": claimed.test,
        }
        fault: str | None = None
        name = "attempt"
        if result is None:
            name, span_id = "not sent", _any_id()
        else:
            measured: Attributes = {
                "itsjustintv.destination": claimed.destination,
                "itsjustintv.outcome": result.outcome.value,
            }
            if result.status is not None:
                measured["http.response.status_code"] = result.status
            self._attempts.record(result.duration, measured)
            attributes |= measured | {"itsjustintv.attempt": claimed.attempt, "webhook.id": claimed.webhook_id}
            if result.outcome is not Outcome.DELIVERED:
                fault = str(result.status) if result.status is not None else "no_answer"
                attributes["error.type"] = fault
        if finish.state is DeliveryState.DELIVERED:
            age = max(0.0, ended - claimed.born_at)
            self._latency.record(age, {"itsjustintv.destination": claimed.destination})
        self._span(
            name, SpanKind.CLIENT, ids.trace_id, span_id, ids.announcement, attributes, ended, seconds, fault
        )  # fmt: skip

    def given_up(self, destination: str | None, count: int) -> None:
        self._ended[destination or "", DeliveryState.DEAD.value] += count

    def _receive(
        self, name: str, kind: SpanKind, event: StreamEvent, outcome: Taken, attributes: Attributes,
        ended: float, seconds: float,
    ) -> None:  # fmt: skip
        ids = TraceIds(event.source, event.message_id, 0, event.received_at)
        attributes |= {
            "itsjustintv.source": event.source,
            "itsjustintv.event.kind": event.kind,
            "itsjustintv.message.id": event.message_id or "",
            "itsjustintv.outcome": outcome,
        }
        first = outcome == "new" and ids.has_root
        span_id, parent = (ids.root, None) if first else (_any_id(), ids.root)
        fault = "not stored" if outcome == "failed" else None
        self._span(name, kind, ids.trace_id, span_id, parent, attributes, ended, seconds, fault)

    def _span(
        self, name: str, kind: SpanKind, trace_id: int, span_id: int, parent: int | None, attributes: Attributes,
        ended: float, seconds: float, fault: str | None = None,
    ) -> None:  # fmt: skip
        ids, export = self._export.ids, self._export
        ids.trace_id, ids.span_id = trace_id, span_id
        context = _OPEN
        if parent is not None:
            flags = TraceFlags(TraceFlags.SAMPLED if export.sampled(trace_id) else TraceFlags.DEFAULT)
            above = SpanContext(trace_id, parent, is_remote=True, trace_flags=flags)
            context = set_span_in_context(NonRecordingSpan(above), _OPEN)
        began = round((ended - max(0.0, seconds)) * 1e9)
        span = self._tracer.start_span(name, context, kind, attributes, start_time=began)
        if fault is not None:
            span.set_status(Status(StatusCode.ERROR, fault))
        span.end(round(ended * 1e9))

    def _histogram(self, metric: Metric) -> Histogram:
        return self._meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
        )

    def _counter(self, metric: Metric, counts: Counter[tuple[str, ...]]) -> None:
        """Counting a Counter costs the loop next to nothing; it is read when metrics are sent."""
        self._meter.create_observable_counter(
            metric.name, [lambda _: _observations(metric, dict(counts))], metric.unit, metric.description
        )

    def _reader(self, metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def read(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(value, attributes) for value, attributes in self._readings.get(metric.name, ())]

        return read


def _observations(metric: Metric, counts: Mapping[tuple[str, ...], int]) -> list[Observation]:
    """Attributes in the order of the metric's; an empty one is left out."""
    return [
        Observation(count, {name: value for name, value in zip(metric.attributes, key, strict=True) if value})
        for key, count in counts.items()
    ]


@cache
def _answer(status: int, scheme: str) -> Attributes:
    """Of a POST to /twitch. Shared: not to be changed."""
    attributes: Attributes = {
        "http.request.method": "POST",
        "http.route": "/twitch",
        "http.response.status_code": status,
        "url.scheme": scheme,
    }
    return attributes | {"error.type": str(status)} if status >= 500 else attributes


def _any_id() -> int:
    return random.getrandbits(64) or 1
