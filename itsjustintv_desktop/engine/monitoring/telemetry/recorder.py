"""What is measured: every metric, what gauges show, and the spans. Imported only when telemetry is on.

Names follow OpenTelemetry's semantic conventions where there are some, else they begin with "itsjustintv.".
docs/telemetry.md lists the same (a test compares).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Literal, NamedTuple, get_args
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
from itsjustintv_desktop.engine.delivery.breaker import StateName
from itsjustintv_desktop.engine.delivery.destination_queues import DestinationQueues
from itsjustintv_desktop.engine.instrumentation import Taken, TraceIds, announcing, of_attempt, traceparent
from itsjustintv_desktop.engine.monitoring.telemetry.exporter import SCOPE, Exporter
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.records import Claimed, EventRecord, Finish

_HTTP = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SHORT = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
_LONG = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)


class Metric(NamedTuple):
    """One metric. `buckets` are the upper bounds of a histogram, in its unit."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    attributes: tuple[str, ...]
    description: str
    buckets: tuple[float, ...] = ()


ANSWERS = Metric(
    "http.server.request.duration", "histogram", "s",
    ("http.request.method", "http.route", "http.response.status_code", "url.scheme", "error.type"),
    "How long Twitch waited for the answer to a POST", _HTTP,
)  # fmt: skip
HELIX = Metric(
    "http.client.request.duration", "histogram", "s",
    ("http.request.method", "url.template", "server.address", "server.port", "http.response.status_code", "error.type"),
    "Calls to Twitch's API and how long each took", _SHORT,
)  # fmt: skip
RECEIVED = Metric(
    "itsjustintv.events.received", "counter", "{event}",
    ("itsjustintv.source", "itsjustintv.event.kind", "itsjustintv.outcome"),
    "Events that came in: new, known already, or failed to be stored",
)  # fmt: skip
SETTLED = Metric(
    "itsjustintv.events.settled", "counter", "{event}",
    ("itsjustintv.source", "itsjustintv.event.state", "itsjustintv.reason"),
    "What became of events: announced, suppressed (with the reason) or noted",
)  # fmt: skip
ANNOUNCING = Metric(
    "itsjustintv.announce.duration", "histogram", "s", ("itsjustintv.source",),
    "From an event's coming in to its announcement being ready to be sent", _SHORT,
)  # fmt: skip
ATTEMPTS = Metric(
    "itsjustintv.delivery.attempt.duration", "histogram", "s",
    ("itsjustintv.destination", "itsjustintv.outcome", "http.response.status_code"),
    "Attempts to deliver (POSTs that were made) and how long each took", _SHORT,
)  # fmt: skip
ENDED = Metric(
    "itsjustintv.deliveries.ended", "counter", "{delivery}",
    ("itsjustintv.destination", "itsjustintv.delivery.state"),
    "Deliveries that found their end: delivered, dead (failed) or expired (the stream was over)",
)  # fmt: skip
LATENCY = Metric(
    "itsjustintv.delivery.latency", "histogram", "s", ("itsjustintv.destination",),
    "From the news to its delivery, of what was delivered", _LONG,
)  # fmt: skip
WAITING = Metric("itsjustintv.deliveries.waiting", "gauge", "{delivery}", (), "Deliveries waiting to be sent")
RETRYING = Metric(
    "itsjustintv.deliveries.retrying", "gauge", "{delivery}", (), "Those of them that were tried before: retry depth"
)
OLDEST = Metric(
    "itsjustintv.deliveries.oldest_due.age", "gauge", "s", (), "How long the oldest due delivery waits already"
)
BREAKERS = Metric(
    "itsjustintv.destination.breaker", "gauge", "1",
    ("itsjustintv.destination", "itsjustintv.breaker.state"),
    "1 for the state a destination's breaker is in (closed, open, half-open, paused), 0 for the others",
)  # fmt: skip
RELOADS = Metric(
    "itsjustintv.config.reloads", "counter", "{reload}", ("itsjustintv.outcome",),
    "Changes of config.toml that were applied or rejected",
)  # fmt: skip

METRICS = (
    ANSWERS, HELIX, RECEIVED, SETTLED, ANNOUNCING, ATTEMPTS, ENDED, LATENCY, WAITING, RETRYING, OLDEST, BREAKERS,
    RELOADS,
)  # fmt: skip


Attributes = dict[str, str | int | bool]
Values = list[tuple[float, Mapping[str, str | int]]]

_PAGE = 500


async def read_gauges(ledger: Ledger, queues: DestinationQueues, now: float) -> dict[str, Values]:
    """The values of every gauge by name, read on the loop: the exporters' threads only see the last reading.

    Asks the ledger in small jobs, each of which steps back behind whatever is to be accepted. Raises LedgerError.
    """
    heads = await ledger.waiting_destinations()
    oldest = min((due for _, due in heads), default=now)
    waiting = tried = after = 0
    while True:
        page = await ledger.waiting_page(after, _PAGE)
        waiting += page.waiting
        tried += page.tried
        if page.waiting < _PAGE:
            break
        after = page.last_id
    return {
        WAITING.name: [(waiting, {})],
        RETRYING.name: [(tried, {})],
        OLDEST.name: [(max(0.0, now - oldest), {})],
        BREAKERS.name: [
            (int(state == each), {"itsjustintv.destination": name, "itsjustintv.breaker.state": each})
            for name, (state, _) in queues.states(now).items()
            for each in get_args(StateName)
        ],
    }


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
        self._answers = self._histogram(ANSWERS)
        self._helix = self._histogram(HELIX)
        self._announcing = self._histogram(ANNOUNCING)
        self._attempts = self._histogram(ATTEMPTS)
        self._latency = self._histogram(LATENCY)
        self._counter(RECEIVED, self._received)
        self._counter(SETTLED, self._settled)
        self._counter(ENDED, self._ended)
        self._counter(RELOADS, reloads)
        for gauge in (each for each in METRICS if each.kind == "gauge"):
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
