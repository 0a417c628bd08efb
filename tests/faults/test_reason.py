"""Why a receiver refused stands where a person or a program looks for it, and no secret that it echoes beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.commands.output import delivery_json
from itsjustintv_desktop.engine.core.models import DeliveryState
from tests.engine.delivery import servers
from tests.support.engine import running_engine
from tests.support.waiting import until

_TOKEN = "aVerySecretToken0123456789"
_CONFIG = """
[twitch]
restart_window = "0s"
[destinations.main]
url = "ADDRESS"
[streamers.alice]
login = "alice"
destinations = ["main"]
"""


@pytest.mark.fault(
    "destinations: a refusal with its reason in the body", seen='`deliveries list` and `doctor`: "it wrote: no_service"'
)
async def test_the_reason_of_a_refusal(tmp_path: Path) -> None:
    refusal = servers.status(410, body=f"no_service\nat /services/{_TOKEN}".encode())
    async with (
        servers.receiver(refusal) as made,
        running_engine(tmp_path, _CONFIG.replace("ADDRESS", made.url(f"/services/{_TOKEN}")), secret=None) as running,
    ):
        with capture_logs() as lines:
            await running.simulator.go_live("alice")

            async def tried() -> bool:
                found = await running.deliveries()
                return bool(found) and found[0].attempts > 0 and found[0].state is not DeliveryState.SENDING

            await until(tried, what="it was tried")
            await until(lambda: [line for line in lines if line["event"] == "delivery"], what="it is in the log")
        (view,) = await running.deliveries()
        checks = (await running.engine.api.diagnostics.doctor()).checks
        shown = {
            "json": json.dumps(delivery_json(view)["last_error"]),
            "log": next(line["reason"] for line in lines if line["event"] == "delivery"),
            "doctor": next(check.message for check in checks if check.name == "destination main"),
        }
        for where, text in shown.items():
            assert "it wrote: no_service" in text, where
            assert _TOKEN not in text, where
