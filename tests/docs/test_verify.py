"""Receivers that verify us, as docs/payload.md shows them: each is run over deliveries that the engine really made."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.models import Outcome
from itsjustintv_desktop.engine.delivery.attempt import Sender
from tests.engine.delivery.servers import receiver, status
from tests.keyring_session import require_program

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
DRIVERS = Path(__file__).parent / "drivers"
PAGE = (ROOT / "docs" / "payload.md").read_text(encoding="utf-8")
LANGUAGES = {"python": "py", "js": "mjs", "go": "go", "php": "php"}
"""As the page names them at its fences: the end of the file's name."""
CONSTANT_TIME = {"python": "compare_digest", "js": "timingSafeEqual", "go": "hmac.Equal", "php": "hash_equals"}

SECRET = "a secret that both sides know \u00e4\u20ac"
KEY = "whsec_" + base64.b64encode(bytes(range(200, 232))).decode()
BODY = '{"streamer_login":"ada","stream":{"title":"caf\u00e9 \u65e5\u672c"},"test":true}\n'.encode()
NOW = 1_700_000_000
TOLERANCE = 300
Case = dict[str, Any]


class _Clock(SystemClock):
    def now(self) -> float:
        return NOW + 0.4


async def delivered(secret: str, signature: Literal["x-hub", "standard-webhooks"]) -> dict[str, str]:
    """The headers of a POST that the program's own sender made, names in lower case."""
    sender = Sender(_Clock())
    try:
        async with receiver(status(204)) as made:
            result = await sender.post(
                Destination(name="d", signature=signature, timeout=20.0),
                url=made.url(), secret=secret, webhook_id="evt_1", body=BODY,
            )  # fmt: skip
    finally:
        await sender.close()
    assert result.outcome is Outcome.DELIVERED
    assert made.requests[0].body == BODY
    return {name.lower(): value for name, value in made.requests[0].headers.items()}


def case(kind: str, secret: str, headers: dict[str, str], body: bytes = BODY, now: int = NOW, **other: str) -> Case:
    """`other` are headers to send instead, `_` for `-`; "" leaves one out."""
    changed = headers | {name.replace("_", "-"): value for name, value in other.items()}
    kept = {name: value for name, value in changed.items() if value}
    return {"kind": kind, "secret": secret, "headers": kept, "body": base64.b64encode(body).decode(), "now": now}


async def cases() -> tuple[list[Case], list[Case]]:
    """Those that are genuine, and those that are not."""
    hub = await delivered(SECRET, "x-hub")
    plain = await delivered(SECRET, "standard-webhooks")
    keyed = await delivered(KEY, "standard-webhooks")
    right = keyed["webhook-signature"]
    hexed = hub["x-hub-signature-256"]
    assert right.startswith("v1,")
    assert hexed.startswith("sha256=")
    genuine = [
        case("x-hub", SECRET, hub),
        case("standard", SECRET, plain),
        case("standard", KEY, keyed),
        case("standard", KEY.rstrip("="), keyed),
        case("standard", KEY, keyed, now=NOW + TOLERANCE),
        case("standard", KEY, keyed, now=NOW - TOLERANCE),
        case("standard", KEY, keyed, webhook_signature=f"v1,{'A' * 43}= {right}"),
    ]
    forged = [
        case("x-hub", f"{SECRET}.", hub),
        case("x-hub", SECRET, hub, BODY + b" "),
        case("x-hub", SECRET, hub, BODY.replace(b"true", b"fals")),
        case("x-hub", SECRET, hub, x_hub_signature_256=""),
        case("x-hub", SECRET, hub, x_hub_signature_256=hexed.removeprefix("sha256=")),
        case("x-hub", SECRET, hub, x_hub_signature_256="sha256="),
        case("x-hub", SECRET, hub, x_hub_signature_256=hexed[:-1]),
        case("x-hub", SECRET, hub, x_hub_signature_256="\u00e4" * len(hexed)),
        case("standard", SECRET, keyed),
        case("standard", KEY[:-3] + "AA=", keyed),
        case("standard", KEY, keyed, BODY + b" "),
        case("standard", KEY, keyed, b""),
        case("standard", KEY, keyed, now=NOW + TOLERANCE + 1),
        case("standard", KEY, keyed, now=NOW - TOLERANCE - 1),
        case("standard", KEY, keyed, now=NOW + 86400),
        # An old one, sent again with a time of today: the time is signed, too.
        case("standard", KEY, keyed, now=NOW + 86400, webhook_timestamp=str(NOW + 86400)),
        case("standard", KEY, keyed, webhook_id="evt_2"),
        case("standard", KEY, keyed, webhook_id=""),
        case("standard", KEY, keyed, webhook_timestamp=""),
        case("standard", KEY, keyed, webhook_timestamp="yesterday"),
        case("standard", KEY, keyed, webhook_timestamp=f"{NOW}.0"),
        case("standard", KEY, keyed, webhook_timestamp="9" * 30),
        case("standard", KEY, keyed, webhook_signature=""),
        case("standard", KEY, keyed, webhook_signature="v1,"),
        case("standard", KEY, keyed, webhook_signature=right.replace("v1,", "v2,")),
        case("standard", KEY, keyed, webhook_signature=right.replace("v1,", "v1a,")),
        case("standard", KEY, keyed, webhook_signature=right[:-1]),
        case("standard", KEY, keyed, webhook_signature="\u00e4" * len(right)),
    ]
    return genuine, forged + unset(hub, keyed)


def unset(hub: dict[str, str], keyed: dict[str, str]) -> list[Case]:
    """Signed right with a secret that is empty, as one is that a receiver reads from a variable nobody set."""
    hashed = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    signed = hmac.new(b"", f"{keyed['webhook-id']}.{NOW}.".encode() + BODY, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(signed).decode()
    return [
        case("x-hub", "", hub, x_hub_signature_256=f"sha256={hashed}"),
        *(case("standard", secret, keyed, webhook_signature=signature) for secret in ("", "whsec_", "whsec_=")),
    ]


def command(language: str) -> Sequence[str]:
    """What runs the driver; skips, saying what to install."""
    if language == "python":
        return [sys.executable, "driver.py"]
    if language == "js":
        return [require_program("node", "nodejs"), "driver.mjs"]
    if language == "php":
        return [require_program("php", "php-cli"), "-d", "error_reporting=E_ALL", "driver.php"]
    if compiler := shutil.which("go"):
        return [compiler, "run", "verify.go", "driver.go"]
    return [require_program("yaegi", "yaegi"), "run", "-noautoimport", "verify"]  # an interpreter of Go, 5 MB


def answers(language: str, folder: Path, cases: list[Case]) -> list[bool]:
    """What the page's own code says of each case."""
    ending = LANGUAGES[language]
    words = command(language)
    environment = {**os.environ, "PYTHONUTF8": "1", "GO111MODULE": "off", "GOCACHE": str(folder / "cache")}
    environment["GOPATH"] = str(folder)
    folder = folder / "src" / "verify"
    folder.mkdir(parents=True)
    (folder / f"verify.{ending}").write_text(snippet(language), encoding="utf-8")
    shutil.copy(DRIVERS / f"driver.{ending}", folder)
    run = subprocess.run(
        words, input=json.dumps(cases), capture_output=True, text=True, encoding="utf-8", cwd=folder, check=False,
        timeout=50, env=environment,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    found: list[bool] = json.loads(run.stdout)
    return found


def snippet(language: str) -> str:
    found: list[str] = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE)
    assert len(found) == 1, f"the page shows one piece of {language}"
    return found[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_file(language: str) -> None:
    file = EXAMPLES / f"verify.{LANGUAGES[language]}"
    assert snippet(language) == file.read_text(encoding="utf-8")
    assert f"(examples/{file.name})" in PAGE


@pytest.mark.parametrize("language", LANGUAGES)
async def test_deliveries_of_ours_pass_and_all_others_are_refused(language: str, tmp_path: Path) -> None:
    genuine, forged = await cases()
    told = answers(language, tmp_path, genuine + forged)
    wrong = [one for one, answer in zip(genuine + forged, told, strict=True) if answer is not (one in genuine)]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_signatures_are_compared_in_constant_time(language: str) -> None:
    code = snippet(language)
    assert CONSTANT_TIME[language] in code
    assert not re.search(r"(?:given|header|right)\s*={2,3}|={2,3}\s*\$?(?:given|header|right)\b", code)


def test_the_page_says_how_repeats_are_known() -> None:
    assert re.search(r"(?s)## Repeats.*`webhook-id`.*`stream\.id`", PAGE)
