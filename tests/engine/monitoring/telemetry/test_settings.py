"""Ids, where it all goes, and what is said of a collector that is away."""

from __future__ import annotations

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Telemetry
from itsjustintv_desktop.engine.instrumentation import Instrumentation, TraceIds, announcing_for, begin_announcing
from itsjustintv_desktop.engine.monitoring.telemetry.settings import SAY_EVERY, ExportHealth, telemetry_settings
from tests.support.clock import FakeClock


@given(st.text(), st.text(), st.integers(), st.floats(allow_nan=False))
def test_ids_are_the_same_whenever_they_are_worked_out(source: str, message: str, row: int, at: float) -> None:
    """By whom and when does not matter: where there is a message id, row and time do not count."""
    one, again = TraceIds(source, message), TraceIds(source, message, row, at)
    assert one.trace_id == again.trace_id
    assert one.span_id("attempt", "wh", 1) == again.span_id("attempt", "wh", 1)
    assert 0 < one.trace_id < 1 << 128
    assert 0 < one.root < 1 << 64
    assert len({one.root, one.announcement, one.span_id("attempt", "wh", 1), one.span_id("attempt", "wh", 2)}) == 4


def test_two_events_of_one_message_are_two_announcements_in_one_trace() -> None:
    one, two = TraceIds("twitch", "m", 1), TraceIds("twitch", "m", 2)
    assert (one.trace_id, one.root) == (two.trace_id, two.root)
    assert one.announcement != two.announcement


@given(st.text(), st.text())
def test_other_messages_have_other_traces(one: str, other: str) -> None:
    assert (TraceIds("twitch", one).trace_id == TraceIds("twitch", other).trace_id) is (one == other)


def test_without_a_message_id_the_row_names_the_trace() -> None:
    found = TraceIds("twitch", None, 7, 1.5)
    assert not found.has_root
    assert found.trace_id == TraceIds("twitch", None, 7, 1.5).trace_id
    assert len({found.trace_id, TraceIds("twitch", None, 8, 1.5).trace_id, TraceIds("x", None, 7, 1.5).trace_id}) == 3


async def test_how_long_an_announcement_took_is_known_to_its_own_task_only() -> None:
    assert announcing_for(1, 10.0) == 0.0
    begin_announcing(1, TraceIds("twitch", "m"), 4.0)
    assert announcing_for(1, 10.0) == 6.0
    assert announcing_for(2, 10.0) == 0.0


def test_off_unless_it_is_switched_on() -> None:
    assert telemetry_settings(Telemetry(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}) is None
    assert telemetry_settings(Telemetry(enabled=True), {"OTEL_SDK_DISABLED": "True"}) is None
    assert Instrumentation().observer is None


ON = Telemetry(enabled=True)


@pytest.mark.parametrize(
    ("settings", "environ", "protocol", "endpoints"),
    [
        (ON, {}, "http", ["http://localhost:4318/v1/traces", "http://localhost:4318/v1/metrics"]),
        (Telemetry(enabled=True, protocol="grpc"), {}, "grpc", ["http://localhost:4317"] * 2),
        (Telemetry(enabled=True, endpoint="http://c/otel/"), {}, "http",
         ["http://c/otel/v1/traces", "http://c/otel/v1/metrics"]),
        (Telemetry(enabled=True, endpoint="http://c/v1/traces"), {}, "http",
         ["http://c/v1/traces", "http://c/v1/metrics"]),
        (ON, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e"}, "http", ["http://e/v1/traces", "http://e/v1/metrics"]),
        (ON, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/own"}, "http",
         ["http://t/own", "http://e/v1/metrics"]),
        (ON, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc", ["http://localhost:4317"] * 2),
        (Telemetry(enabled=True, endpoint="http://c"), {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http",
         ["http://c/v1/traces", "http://c/v1/metrics"]),
        (ON, {"OTEL_METRICS_EXPORTER": "none"}, "http", ["http://localhost:4318/v1/traces"]),
    ],
)  # fmt: skip
def test_where_it_goes(settings: Telemetry, environ: dict[str, str], protocol: str, endpoints: list[str]) -> None:
    made = telemetry_settings(settings, environ)
    assert made is not None
    assert (made.protocol, list(made.endpoints.values())) == (protocol, endpoints)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1500", 1.5), ("", 60.0), ("soon", 60.0), ("-1", 60.0), ("0", 60.0), ("inf", 60.0)]
)
def test_the_interval_of_metrics(text: str, seconds: float) -> None:
    made = telemetry_settings(ON, {"OTEL_METRIC_EXPORT_INTERVAL": text})
    assert made is not None
    assert made.interval == seconds


def test_headers_are_not_shown() -> None:
    made = telemetry_settings(Telemetry(enabled=True, headers={"X-Key": "very-secret"}), {})
    assert made is not None
    assert made.headers == {"x-key": "very-secret"}
    assert "very-secret" not in repr(made)


def test_trouble_is_said_at_once_then_now_and_then_and_when_it_is_over() -> None:
    clock = FakeClock()
    with structlog.testing.capture_logs() as logged:
        trouble = ExportHealth(clock)
        trouble.worked("traces")
        for _ in range(100):
            trouble.failed("traces")
            trouble.failed("metrics", 401)
        assert len(logged) == 1
        clock.advance(SAY_EVERY)
        trouble.failed("metrics", 401)
        assert len(logged) == 2
        assert "headers" in logged[1]["reason"]
        trouble.worked("traces")
        assert trouble.reason
        trouble.worked("metrics")
        assert trouble.reason == ""
        for _ in range(100):  # one that comes and goes is no reason to fill the log
            trouble.failed("traces", 500)
            trouble.worked("traces")
    assert [line["event"] for line in logged] == [
        "telemetry does not arrive",
        "telemetry does not arrive",
        "telemetry arrives again",
    ]
