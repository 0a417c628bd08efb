"""Messages signed by Twitch's own command-line tool, at the time they were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.clock import parse_rfc3339
from tests.support import rawhttp
from tests.support.public import PublicRig
from tests.support.reference import REFERENCE

_FOLDER = REFERENCE / "vectors"
_FILES = sorted(_FOLDER.glob("*.json"))

pytestmark = pytest.mark.skipif(not _FILES, reason="the captured messages are not beside this repository")


async def _post(port: PublicRig, vector: dict[str, Any], *, late: float = 0.0) -> rawhttp.Answer:
    headers = vector["headers"]
    sent_at = parse_rfc3339(headers["Twitch-Eventsub-Message-Timestamp"])
    port.clock.jump(sent_at + late - port.now())
    port.secrets = (vector["secret"].encode(),)
    kept = [(name, value) for name, value in headers.items() if name not in {"Host", "Content-Length"}]
    return await port.ask(rawhttp.request("POST", "/twitch", kept, vector["body"].encode()))


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
async def test_it_is_answered_as_twitch_wants(port: PublicRig, file: Path) -> None:
    vector = json.loads(file.read_text(encoding="utf-8"))
    answer = await _post(port, vector)
    body = json.loads(vector["body"])
    if not vector["hmac_ok"]:
        assert answer.status == 403
        assert await port.stored() == []
    elif "challenge" in body:
        assert (answer.status, answer.body) == (200, body["challenge"].encode())
        assert await port.stored() == []
    else:
        assert answer.status == 204
        (record,) = await port.stored()
        assert record.event.kind == body["subscription"]["type"]
        assert record.event.broadcaster_id == body["event"]["broadcaster_user_id"]
        assert record.event.stream_id == body["event"].get("id", "")


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
async def test_eleven_minutes_later_it_is_refused(port: PublicRig, file: Path) -> None:
    answer = await _post(port, json.loads(file.read_text(encoding="utf-8")), late=660)
    assert answer.status == 403
    assert await port.stored() == []
