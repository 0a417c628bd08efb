"""On, over and off while it runs; nothing loaded while it is off; a collector that is away costs nothing."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from itsjustintv_desktop.engine.config.schema import Telemetry
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.monitoring.telemetry import telemetry as telemetry_module
from itsjustintv_desktop.engine.monitoring.telemetry.settings import TelemetrySettings
from tests.support.collector import PROTOCOLS, attributes, collector
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until

ROOT = Path(__file__).parents[4]

_WHOLE_ENGINE = """
import asyncio, pathlib, sys
from itsjustintv_desktop.engine import logs
from tests.support.engine import ONE_STREAMER, running_engine
logs.configure("error")
async def main():
    async with running_engine(pathlib.Path(sys.argv[1]), sys.argv[2] + ONE_STREAMER) as running:
        await running.simulator.go_live("alice")
        await running.settled()
        print(len(running.simulator.receiver.accepted("main")), running.engine.telemetry.active)
asyncio.run(main())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"opentelemetry", "grpc", "google", "requests"}))
"""


@pytest.mark.parametrize("how", ["not set", "the SDK is disabled", "no exporter wanted"])
def test_nothing_is_imported_while_it_is_off(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = "" if how == "not set" else "[telemetry]\nenabled = true\n"
    if how == "the SDK is disabled":
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    elif how == "no exporter wanted":
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    done = subprocess.run(
        [sys.executable, "-c", _WHOLE_ENGINE, str(tmp_path), config],
        cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["1 True", "[]"]


async def test_http_does_not_load_grpc(tmp_path: Path) -> None:
    async with collector("http") as collected:
        config = collected.config("http")
        code = _WHOLE_ENGINE.replace("asyncio.run(main())", "asyncio.run(main())\nassert 'grpc' not in sys.modules")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(tmp_path), config, cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await asyncio.wait_for(process.communicate(), 50)
        assert process.returncode == 0, errors
        assert collected.named("attempt")


async def test_it_is_switched_on_over_and_off_while_the_engine_runs(tmp_path: Path) -> None:
    async with (
        collector("http") as one,
        collector("grpc") as other,
        running_engine(tmp_path, ONE_STREAMER, logins=("alice", "bob")) as running,
    ):
        telemetry = running.engine.telemetry
        assert telemetry.instrumentation.observer is None

        async def live(login: str) -> None:
            await running.simulator.go_live(login)
            await running.settled()
            await running.simulator.go_offline(login, notify=False)

        telemetry.apply(Telemetry(enabled=True, endpoint=one.url))
        await live("alice")  # at once: what happens while the SDK is loaded is told afterwards
        await one.wait("attempt")
        telemetry.apply(Telemetry(enabled=True, endpoint=other.url, protocol="grpc"))
        await until(lambda: telemetry.active)
        await live("bob")
        await other.wait("POST /twitch")
        assert len(one.named("POST /twitch")) == 1
        telemetry.apply(Telemetry())
        await until(lambda: telemetry.active)
        assert telemetry.instrumentation.observer is None
        await live("alice")
        await running.stop()
        assert len(one.named("POST /twitch")) + len(other.named("POST /twitch")) == 2


async def test_what_happened_before_the_sdk_was_loaded_is_told_even_if_the_engine_stops_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = telemetry_module.Telemetry._make

    def slowly(self: telemetry_module.Telemetry, wanted: TelemetrySettings) -> object:
        time.sleep(0.5)  # in a thread, as loading takes
        return make(self, wanted)

    monkeypatch.setattr(telemetry_module.Telemetry, "_make", slowly)
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + ONE_STREAMER) as running,
    ):
        await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1, "main")
        assert not running.engine.telemetry.active
        await running.stop()
        (post,), (attempt,) = collected.named("POST /twitch"), collected.named("attempt")
        assert post.trace_id == attempt.trace_id
        assert any(span.name == "GET /streams" for span in collected.spans)


async def test_what_cannot_be_set_up_is_said_and_the_engine_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "zip")  # grpc's exporter raises for it
    config = '[telemetry]\nenabled = true\nprotocol = "grpc"\n' + ONE_STREAMER
    async with running_engine(tmp_path, config) as running:
        telemetry = running.engine.telemetry
        await until(lambda: telemetry.active)
        health = telemetry.health()
        status, reason = health.level, health.reason
        assert (status, "OTEL_*" in reason) == ("waiting", True)
        assert telemetry.instrumentation.observer is None
        await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1, "main")


@contextmanager
def dead(how: str) -> Iterator[str]:
    """The address of a collector that refuses every connection, or takes it and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if how == "hangs":
            listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("how", ["refuses", "hangs"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_dead_collector_holds_nothing_up(tmp_path: Path, protocol: str, how: str) -> None:
    with dead(how) as url:
        settings = f'[telemetry]\nenabled = true\nendpoint = "{url}"\nprotocol = "{protocol}"\n'
        async with running_engine(tmp_path, settings + ONE_STREAMER) as running:
            await until(lambda: running.engine.telemetry.active)
            await running.simulator.go_live("alice")
            await running.simulator.receiver.wait_for(1, "main")
            began = time.monotonic()
            await running.stop()
            assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_dead_collector_is_said_once(
    tmp_path: Path, protocol: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    logins = [f"channel{number}" for number in range(30)]
    streamers = "".join(f'[streamers.{one}]\nlogin = "{one}"\ndestinations = ["main"]\n' for one in logins)
    config = ONE_STREAMER.partition("[streamers")[0] + streamers
    with dead("refuses") as url, structlog.testing.capture_logs() as logged:
        settings = f'[telemetry]\nenabled = true\nendpoint = "{url}"\nprotocol = "{protocol}"\n'
        async with running_engine(tmp_path, settings + config, logins=logins) as running:
            await until(lambda: running.engine.telemetry.active)
            for login in logins:
                await running.simulator.go_live(login)
            await running.simulator.receiver.wait_for(len(logins), "main")
            telemetry = running.engine.telemetry
            await until(lambda: telemetry.health().level == "waiting", timeout=20.0)
            assert "[telemetry] endpoint" in telemetry.health().reason
            assert telemetry._export is not None
            for _ in range(5):  # ten exports more, at least, come to nothing
                await asyncio.to_thread(telemetry._export.tracers.force_flush)
                await asyncio.to_thread(telemetry._export.meters.force_flush)
    said = [line for line in logged if line["event"] == "telemetry does not arrive"]
    assert len(said) == 1
    assert [line for line in logged if line["log_level"] in {"error", "critical"}] == []
    printed = "".join(capfd.readouterr())
    assert "Traceback" not in printed
    assert "opentelemetry" not in printed


async def test_the_queue_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    with dead("hangs") as url:
        config = f'[telemetry]\nenabled = true\nendpoint = "{url}"\n' + ONE_STREAMER
        async with running_engine(tmp_path, config) as running:
            telemetry = running.engine.telemetry
            await until(lambda: telemetry.active)
            (held, *_) = running.simulator.eventsub.subscriptions
            for number in range(100):
                sent = await running.simulator.send(held, _event(number), message_id=f"m{number}")
                assert sent.ok
            assert telemetry._export is not None
            (processor,) = telemetry._export.tracers._active_span_processor._span_processors
            assert len(processor._batch_processor._queue) == 20  # type: ignore[attr-defined]


async def test_a_collector_that_refuses_us_is_named_and_one_that_is_back_is_used(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logged:
        async with (
            collector("http") as collected,
            running_engine(tmp_path, collected.config("http") + ONE_STREAMER, start=False) as running,
        ):
            collected.status = 401
            await running.start()
            telemetry = running.engine.telemetry
            await until(lambda: "headers" in telemetry.health().reason)
            collected.status = 200
            await until(lambda: telemetry.health() == Status())
            assert collected.metrics
    words = [line["event"] for line in logged if line["event"].startswith("telemetry")]
    assert words == ["telemetry does not arrive", "telemetry arrives again"]


def _event(number: int) -> dict[str, str]:
    """Of a channel that nobody watches."""
    user = {"broadcaster_user_id": "1", "broadcaster_user_login": "x", "broadcaster_user_name": "x"}
    return {**user, "id": str(number), "type": "live", "started_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_no_secret_is_sent_and_the_collector_gets_its_headers(tmp_path: Path, protocol: str) -> None:
    secrets = ["s3cret-of-the-path", "query-s3cret", "hook-secret-value-1", "header-secret-value-2", "collector-key-3"]
    config = f"""
[twitch]
webhook_secret = "webhook-secret-value-4"
[destinations.main]
url = "RECEIVER/{secrets[0]}?token={secrets[1]}"
secret = "{secrets[2]}"
headers = {{ "X-Api-Key" = "{secrets[3]}" }}
[destinations.gone]
url = "http://127.0.0.1:9/{secrets[0]}"
[streamers.alice]
login = "alice"
destinations = ["main", "gone"]
"""
    with structlog.testing.capture_logs() as logged:
        async with collector(protocol) as collected:
            settings = collected.config(protocol, f'headers = {{ "Authorization" = "Bearer {secrets[4]}" }}')
            async with running_engine(tmp_path, settings + config, secret=None) as running:
                secrets += [
                    "webhook-secret-value-4",
                    running.simulator.client_secret,
                ]
                await running.simulator.go_live("alice")
                await running.settled()
                secrets.append((await running.engine.twitch.tokens.get())[1])
                await collected.wait("attempt", 2)
            sent = b"".join(collected.raw)
            title = running.simulator.state.get("alice").title
    assert b"itsjustintv" in sent
    assert title.encode() not in sent, "a payload's content was sent"
    for secret in secrets:
        assert secret.encode() not in sent, secret
        assert secret not in str(logged), secret
    lowered = [{name.lower(): value for name, value in headers.items()} for headers in collected.headers]
    assert {headers["authorization"] for headers in lowered} == {f"Bearer {secrets[4]}"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_standard_variables_work(tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with collector(protocol) as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" if protocol == "grpc" else "http/protobuf")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=seven")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=shed,service.version=9")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "named-by-environment")
        config = '[telemetry]\nenabled = true\nheaders = { "x-own" = "8" }\n' + ONE_STREAMER
        async with running_engine(tmp_path, config) as running:
            await running.simulator.go_live("alice")
            await collected.wait("attempt")
            (resource,) = {tuple(sorted(each.items())) for each in collected.resources if "service.name" in each}
            said = dict(resource)
            assert said["service.name"] == "named-by-environment"
            assert (said["deployment.environment"], said["service.version"]) == ("shed", "9")
            assert {(each["x-tenant"], each["x-own"]) for each in collected.headers} == {("seven", "8")}


async def test_the_config_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "named-by-environment")
    async with collector("http") as collected:
        settings = collected.config("http", 'service_name = "mine"\nservice_version = "3"')
        async with running_engine(tmp_path, settings + ONE_STREAMER) as running:
            await running.simulator.go_live("alice")
            (span,) = await collected.wait("attempt")
            assert attributes(span)["itsjustintv.streamer"] == "alice"
            assert {(each["service.name"], each["service.version"]) for each in collected.resources} == {("mine", "3")}
