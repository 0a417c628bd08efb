"""One trace an event, from the POST to the last attempt, as a collector gets it over real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from itsjustintv_desktop.engine.core.models import StreamEvent
from tests.support.collector import PROTOCOLS, Collected, attributes, collector
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.waiting import until

QUICK_RETRY = '[retry]\ninitial_delay = "1s"\njitter = 0.0\n'


async def fail_once_and_deliver(running: Running, collected: Collected, *, restart: bool) -> None:
    running.simulator.faults.set_receiver("main", status=503, times=1)
    await running.simulator.go_live("alice")

    async def tried() -> bool:
        one = await running.deliveries()
        return bool(one) and one[0].attempts > 0

    await until(tried)
    if restart:
        await collected.wait("attempt")
        await running.restart()
    await running.simulator.receiver.wait_for(1, "main")
    await running.settled()


def children(collected: Collected, parent: Span) -> list[Span]:
    return [span for span in collected.spans if span.parent_span_id == parent.span_id]


@pytest.mark.parametrize("restart", [False, True], ids=["one run", "a restart between the attempts"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_one_trace_leads_from_the_post_to_the_last_attempt(tmp_path: Path, protocol: str, restart: bool) -> None:
    async with (
        collector(protocol) as collected,
        running_engine(tmp_path, collected.config(protocol) + QUICK_RETRY + ONE_STREAMER) as running,
    ):
        await fail_once_and_deliver(running, collected, restart=restart)
        first, second = await collected.wait("attempt", 2)
        (post,) = await collected.wait("POST /twitch")
        (announce,) = await collected.wait("announce")
        asked = [span for span in collected.spans if span.name.startswith("GET /")]

        assert {span.name for span in asked} >= {"GET /channels", "GET /streams"}
        assert {span.trace_id for span in [post, announce, first, second, *asked]} == {post.trace_id}
        assert len({span.span_id for span in collected.spans}) == len(collected.spans)
        assert post.parent_span_id == b""
        assert children(collected, post) == [announce]
        assert {span.span_id for span in children(collected, announce)} == {
            span.span_id for span in [first, second, *asked]
        }
        assert post.kind == Span.SPAN_KIND_SERVER
        assert post.start_time_unix_nano <= announce.start_time_unix_nano <= first.start_time_unix_nano
        assert first.end_time_unix_nano <= second.start_time_unix_nano
        assert announce.start_time_unix_nano < announce.end_time_unix_nano

        said = attributes(post)
        assert (said["http.response.status_code"], said["itsjustintv.outcome"]) == (204, "new")
        assert said["itsjustintv.event.kind"] == "stream.online"
        assert attributes(announce)["itsjustintv.event.state"] == "announced"
        assert attributes(announce)["itsjustintv.destinations"] == 1
        failed, delivered = attributes(first), attributes(second)
        assert failed["itsjustintv.destination"] == delivered["itsjustintv.destination"] == "main"
        assert (failed["itsjustintv.attempt"], delivered["itsjustintv.attempt"]) == (1, 2)
        assert (failed["itsjustintv.outcome"], delivered["itsjustintv.outcome"]) == ("retry", "delivered")
        assert (failed["http.response.status_code"], delivered["http.response.status_code"]) == (503, 204)
        assert failed["error.type"] == "503"
        assert first.status.code == Status.STATUS_CODE_ERROR
        assert second.status.code != Status.STATUS_CODE_ERROR


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_is_left_is_sent_when_the_engine_stops(
    tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "60000")
    async with (
        collector(protocol) as collected,
        running_engine(tmp_path, collected.config(protocol) + ONE_STREAMER) as running,
    ):
        await until(lambda: running.engine.telemetry.active)
        await running.simulator.go_live("alice")
        await running.settled()
        assert collected.raw == []
        await running.stop()
        assert collected.named("attempt")
        assert collected.value("itsjustintv.events.received") == 1


async def test_the_same_message_again_joins_the_trace_of_the_first(tmp_path: Path) -> None:
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + ONE_STREAMER) as running,
    ):
        running.simulator.faults.duplicates = 1
        await running.simulator.go_live("alice")
        await running.settled()
        await collected.wait("POST /twitch", 2)
        posts = {attributes(span)["itsjustintv.outcome"]: span for span in collected.named("POST /twitch")}
        assert posts["new"].trace_id == posts["known"].trace_id
        assert posts["known"].parent_span_id == posts["new"].span_id


async def test_an_event_that_came_without_a_post_has_a_root_as_well(tmp_path: Path) -> None:
    """As over a conduit."""
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + ONE_STREAMER, subscribe=False) as running,
    ):
        user_id = running.simulator.state.get("alice").user_id
        await running.engine.intake.submit(
            StreamEvent(
                source="twitch",
                kind="stream.online",
                message_id="over-a-socket",
                received_at=running.clock.now(),
                broadcaster_id=user_id,
                broadcaster_login="alice",
                stream_id="77",
                test=True,
            )
        )
        await running.settled()
        (attempt,) = await collected.wait("attempt")
        (receive,) = await collected.wait("receive")
        (announce,) = await collected.wait("announce")
        assert receive.kind == Span.SPAN_KIND_CONSUMER
        assert receive.parent_span_id == b""
        assert announce.parent_span_id == receive.span_id
        assert attempt.trace_id == receive.trace_id


async def test_an_event_found_by_asking_begins_with_its_announcement(tmp_path: Path) -> None:
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + ONE_STREAMER, subscribe=False, start=False) as running,
    ):
        await running.simulator.go_live("alice", notify=False)
        await running.start()
        (attempt,) = await collected.wait("attempt")
        (announce,) = await collected.wait("announce")
        assert announce.parent_span_id == b""
        assert attempt.parent_span_id == announce.span_id
        assert attempt.trace_id == announce.trace_id


async def test_strangers_write_no_traces(tmp_path: Path) -> None:
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + ONE_STREAMER) as running,
    ):
        (held,) = [one for one in running.simulator.eventsub.subscriptions if one.type == "stream.online"]
        await running.simulator.send(held, {}, message_id="bad", signature="sha256=00")
        await until(lambda: collected.value("http.server.request.duration", http__response__status_code=403))
        assert collected.named("POST /twitch") == []


async def test_an_event_sent_anyway_stays_in_its_trace(tmp_path: Path) -> None:
    config = ONE_STREAMER.replace('login = "alice"', 'login = "alice"\ntag_filter = ["never"]')
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + config) as running,
    ):
        await running.simulator.go_live("alice")
        await running.settled()
        (suppressed,) = await collected.wait("announce")
        assert attributes(suppressed)["itsjustintv.reason"] == "filtered"
        await running.engine.pipeline.send_anyway(attributes(suppressed)["itsjustintv.event.id"])
        (attempt,) = await collected.wait("attempt")
        _, again = await collected.wait("announce", 2)
        assert again.parent_span_id == attempt.parent_span_id == suppressed.span_id
        assert again.span_id != suppressed.span_id


@pytest.mark.parametrize("restart", [False, True], ids=["one run", "a restart between the attempts"])
async def test_a_receiver_of_ours_is_told_the_trace_and_the_span_of_each_attempt(tmp_path: Path, restart: bool) -> None:
    more = '[destinations.other]\nurl = "RECEIVER/other"\nformat = "discord"\n'
    config = ONE_STREAMER.replace('["main"]', '["main", "other"]') + more
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + QUICK_RETRY + config) as running,
    ):
        await fail_once_and_deliver(running, collected, restart=restart)
        received = running.simulator.receiver
        await collected.wait("attempt", 3)
        spans = [span for span in collected.spans if span.name == "attempt"]
        told = {
            f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
            for span in spans
            if attributes(span)["itsjustintv.destination"] == "main"
        }
        assert len(told) == 2
        assert {request.headers["traceparent"] for request in received.received("main")} == told
        (other,) = received.received("other")
        assert "traceparent" not in other.headers


@pytest.mark.parametrize(
    ("head", "environ"),
    [("", {}), ("[telemetry]\nenabled = true\n", {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"})],
)
async def test_without_traces_nothing_is_told(tmp_path: Path, head: str, environ: dict[str, str]) -> None:
    async with running_engine(tmp_path, head + ONE_STREAMER, environ=environ) as running:
        await running.simulator.go_live("alice")
        (request,) = await running.simulator.receiver.wait_for(1, "main")
        assert "traceparent" not in request.headers


async def test_a_trace_of_the_owners_wins(tmp_path: Path) -> None:
    own = f"00-{'a' * 32}-{'b' * 16}-00"
    config = ONE_STREAMER.replace("[streamers", f'headers = {{ "Traceparent" = "{own}" }}\n[streamers')
    async with collector("http") as collected, running_engine(tmp_path, collected.config("http") + config) as running:
        await running.simulator.go_live("alice")
        (request,) = await running.simulator.receiver.wait_for(1, "main")
        assert request.headers["traceparent"] == own
