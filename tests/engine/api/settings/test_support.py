"""The report for support: everything that helps, and no secret wherever it stands."""

from __future__ import annotations

from pathlib import Path

import structlog

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine import logs, redaction
from itsjustintv_desktop.engine.api.settings.destination_drafts import DestinationDraft
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.storage.secrets import TUNNEL_AUTHTOKEN, TWITCH_CLIENT_SECRET
from tests.engine.api.settings.conftest import PASSPHRASE
from tests.support.engine import SECRET, running_engine
from tests.support.waiting import until

IN_FILE = "a-client-secret-that-the-environment-overrides"
HEADER = "Bearer a-header-value"
HOOK = "https://discord.com/api/webhooks/123/a-webhook-token-of-discord"
WITH_PASSWORD = "https://me:a-password-in-an-address@example.com/hook?key=a-query-that-is-one"
CONFIG = f"""
# client_secret = "a-secret-in-a-comment"
[twitch]
client_secret = "{IN_FILE}"
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
headers = {{ Authorization = "{HEADER}" }}
[destinations.discord]
url = "{HOOK}"
[destinations.odd]
url = "{WITH_PASSWORD}"
enabled = false
[streamers.alice]
login = "alice"
destinations = ["main"]
"""


async def test_the_report_has_what_helps_and_no_secret(tmp_path: Path) -> None:
    environ = {"ITSJUSTINTV_PASSPHRASE": PASSPHRASE, "ITSJUSTINTV_SECRETS_STORE": "passphrase"}
    async with running_engine(tmp_path, CONFIG, environ=environ) as running:
        engine = running.engine
        await engine.api.settings.secrets.keep(TUNNEL_AUTHTOKEN, "an-authtoken-in-the-vault")
        kept = DestinationDraft(
            name="kept", url="https://example.com/a-path-in-the-vault", secret="a-secret-in-the-vault"
        )
        await engine.api.settings.destinations.save("", kept)
        await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1, "main")
        await running.settled()
        token = await until(lambda: engine.twitch.tokens._token)
        webhook_secret = await until(lambda: engine.signing.primary)
        secrets = [
            IN_FILE, HEADER, "a-webhook-token-of-discord", "a-password-in-an-address",
            "a-query-that-is-one", SECRET, "an-authtoken-in-the-vault", "a-path-in-the-vault", "a-secret-in-the-vault",
            PASSPHRASE, token.access_token, webhook_secret,
            await engine.api.settings.secrets.reveal(TWITCH_CLIENT_SECRET), f"{running.simulator.url}/receiver/main",
        ]  # fmt: skip
        # Even a log that holds them all, which it must not, does not carry them out.
        support = engine.api.support
        support.lines = lambda most: [f"line {number}" for number in range(most)] + [f"oops {one}" for one in secrets]
        support.redact = lambda text: text.replace("oops", "masked")
        report = await engine.api.support.report()
        for secret in (*secrets, "a-secret-in-a-comment"):
            assert secret not in report, secret
        for part in (
            __version__,
            "Python",
            "[destinations.main]",
            "green",
            "ledger",
            "deliveries delivered: 1",
            "masked",
        ):
            assert part.lower() in report.lower(), part
        assert "line 199" in report
        assert "\nline 0\n" not in report
        assert str(Path.home()) + "/" not in report


async def test_by_itself_it_has_the_log_and_hides_what_is_known_to_be_secret(tmp_path: Path) -> None:
    logs.keep_recent()
    async with running_engine(tmp_path) as running:
        engine = running.engine
        redaction.learn("handed-over-by-a-stranger")
        engine.health.add("elsewhere", lambda: Status(Level.FAILING, "It said: handed-over-by-a-stranger."))
        structlog.get_logger("test").warning("something happened", place="here")
        report = await engine.api.support.report()
        assert "something happened place=here" in report
        assert "It said: " in report
        assert "handed-over-by-a-stranger" not in report


async def test_a_broken_config_and_no_ledger_do_not_keep_it_from_being_made(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.paths.config.write_text("broken = \n", encoding="utf-8")
        await running.engine.ledger.close()
        report = await running.engine.api.support.report()
        assert "It cannot be read." in report
        assert "== Health ==" in report
        assert SECRET not in report
