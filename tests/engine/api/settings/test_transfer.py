"""A config taken elsewhere: no secret goes with it, and all that is needed is asked for."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.api.settings.transfer import PLACEHOLDER, scrubbed
from itsjustintv_desktop.engine.config.load import examine
from itsjustintv_desktop.engine.core.errors import ConfigChangedError, ConfigError, UsageError
from tests.support.engine import HEAD, Running

HOOK = "https://discord.com/api/webhooks/1/d1sc0rd-t0ken"
SECRETS = (
    "d1sc0rd-t0ken", "s3cret-one", "s3cret-two", "t0ken-three", "s3cret-four", "s3cret-five", "s3cret-six",
    "s3cret-seven", "s3cret-eight", "s3cret-nine", "s3cret-ten",
)  # fmt: skip
FULL = f"""
# An old one: client_secret = "s3cret-nine"
[twitch]
client_id = "abc"
client_secret = "s3cret-one"
client_sceret = "s3cret-two"
[destinations."my friends"]
url = "{HOOK}"
secret = "s3cret-four"
headers = {{ Authorization = "Bearer t0ken-three", X-Colour = "s3cret-five" }}
[streamers.alice]
login = "alice"
webhook_url = "https://example.com/hook/s3cret-six"
target_webhook_secret = "s3cret-seven"
destinations = ["my friends"]
[telemetry]
endpoint = "https://me:s3cret-eight@collector.example"
[tunnel]
provider = "ngrok"
[network]
proxy = "me:s3cret-ten@proxy.example:3128"
[retry]
max_age = "2h"
"""


def test_no_secret_goes_out_wherever_it_stands() -> None:
    text = scrubbed(tomllib.loads(FULL))
    for secret in SECRETS:
        assert secret not in text
    found = examine(text, {})
    assert found.config is not None, found.problems
    assert found.config.retry.max_age == 7200.0
    assert found.config.streamers["alice"].destinations == ("my friends",)
    assert found.config.destinations["my friends"].headers == {"Authorization": PLACEHOLDER, "X-Colour": PLACEHOLDER}


def test_whatever_the_file_is_it_ends_well() -> None:
    for text in (
        "",
        "x = 1",
        "streamers = 3",
        "[streamers]\nalice = 1",
        "[twitch]\nclient_secret = 5",
        "[[streamers]]",
    ):
        assert isinstance(scrubbed(tomllib.loads(text)), str)


async def test_out_and_in_again_with_the_secrets_entered(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    with_vault.paths.config.write_text(HEAD + FULL, encoding="utf-8")
    text = await editing.transfer.export()
    with_vault.write_config("")
    await editing.documents.edit([])
    plan = await editing.transfer.plan(text)
    assert not plan.problems
    assert (plan.streamers, plan.destinations) == (1, 1)
    needed = {one.name for one in plan.needed}  # the client secret comes from the environment here
    assert needed == {
        "tunnel.authtoken", 'destinations."my friends".url',
        'destinations."my friends".secret', 'destinations."my friends".headers.Authorization',
        'destinations."my friends".headers.X-Colour', "streamers.alice.target_webhook_url",
        "streamers.alice.target_webhook_secret",
    }  # fmt: skip
    plan_text = plan.text.replace('provider = "ngrok"', 'provider = "none"')
    plan = await editing.transfer.plan(plan_text)
    address = f"{with_vault.simulator.url}/receiver/main"
    with_vault.simulator.receiver.expect("main", secret="s3cret-four")
    saved = await editing.transfer.apply(
        plan,
        {
            'destinations."my friends".url': address,
            'destinations."my friends".secret': "s3cret-four",
            'destinations."my friends".headers.Authorization': "Bearer again",
            "streamers.alice.target_webhook_url": f"{with_vault.simulator.url}/receiver/own",
        },
    )
    assert saved.state == "in_force"
    assert (await editing.secrets.reveal_destination("my friends")).url == address
    one = with_vault.engine.live.destinations["my friends"]
    assert one.headers == {"Authorization": "Bearer again"}
    assert s3cret_free(with_vault)
    result = await editing.preview.test("my friends")
    assert result.ok, result


def s3cret_free(running: Running) -> bool:
    return "s3cret" not in running.paths.config.read_text(encoding="utf-8")


async def test_what_cannot_be_taken_in_says_so_and_changes_nothing(with_vault: Running) -> None:
    editing, before = with_vault.engine.api.settings, with_vault.paths.config.read_bytes()
    plan = await editing.transfer.plan('[retry]\nmax_age = "soon"\n')
    assert plan.problems[0].line == 2
    with pytest.raises(ConfigError):
        await editing.transfer.apply(plan, {})
    good = await editing.transfer.plan('[destinations.x]\nurl = "@keyring"\n')
    with pytest.raises(UsageError):
        await editing.transfer.apply(good, {"destinations.y.url": "https://example.com"})
    assert with_vault.paths.config.read_bytes() == before
    with_vault.paths.config.write_bytes(before + b"# another\n")
    with pytest.raises(ConfigChangedError):
        await editing.transfer.apply(good, {})


async def test_the_exported_file_is_for_its_owner_alone(running: Running, tmp_path: Path) -> None:
    target = tmp_path / "exported.toml"
    await running.engine.api.settings.transfer.export_to(target)
    assert "[streamers.alice]" in target.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert target.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("secret", ["whsec_", "whsec_***", "whsec_abcde"])
async def test_a_secret_that_cannot_sign_is_not_taken_in(with_vault: Running, secret: str) -> None:
    editing, before = with_vault.engine.api.settings, with_vault.paths.config.read_bytes()
    text = '[destinations.x]\nurl = "@keyring"\nsecret = "@keyring"\nsignature = "standard-webhooks"\n'
    plan = await editing.transfer.plan(text)
    entered = {"destinations.x.url": f"{with_vault.simulator.url}/receiver/x", "destinations.x.secret": secret}
    with pytest.raises(ConfigError) as refused:
        await editing.transfer.apply(plan, entered)
    assert "whsec_" in str(refused.value.problems)
    assert with_vault.paths.config.read_bytes() == before
    assert (await with_vault.engine.secrets.destination("x")).secret is None
    good = "whsec_" + "ab" * 20
    saved = await editing.transfer.apply(plan, entered | {"destinations.x.secret": f" {good}\n"})
    assert saved.state == "in_force"
    assert (await with_vault.engine.secrets.destination("x")).secret == good


async def test_an_address_under_its_other_name_is_kept_where_it_is_looked_for(with_vault: Running) -> None:
    editing = with_vault.engine.api.settings
    plan = await editing.transfer.plan('[streamers.carol]\nlogin = "carol"\nwebhook_url = "@keyring"\n')
    assert [one.title for one in plan.needed] == ["carol: address"]
    saved = await editing.transfer.apply(plan, {"streamers.carol.webhook_url": "https://example.com/hook"})
    assert saved.state == "in_force"
    assert (await with_vault.engine.secrets.destination("carol")).url == "https://example.com/hook"
    assert (await editing.secrets.reveal_destination("carol")).url == "https://example.com/hook"
