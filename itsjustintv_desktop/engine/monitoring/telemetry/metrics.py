"""Every metric there is. docs/telemetry.md lists the same (a test compares).

Names follow OpenTelemetry's semantic conventions where there are some, else they begin with "itsjustintv.".
"""

from __future__ import annotations

from typing import Literal, NamedTuple

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
