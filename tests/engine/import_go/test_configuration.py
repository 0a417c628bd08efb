"""The Go service's config.toml: as it is where we have none, else only what is missing; nothing of ours is changed."""

from __future__ import annotations

import stat
import sys
import tomllib
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.core.errors import ConfigError
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.import_go.report import Part, State
from tests.engine.import_go.gofolder import ALICE_URL, CONFIG, ENVIRON, GLOBAL_URL, GoFolder

NAME = "config.toml"
OURS = """# Mine. Hands off.
[secrets]
store = "passphrase"

[twitch]
client_id = "mine"
transport = "conduit"

[destinations.chat]
url = "https://chat.example/in"

[streamers.alice]   # the other alice
login = "alice"
destinations = ["chat"]
"""


def notes(part: Part) -> str:
    return "\n".join(part.notes)


async def test_it_becomes_ours_as_it_is_comments_and_all(go: GoFolder) -> None:
    part = await go.part(NAME)
    assert (part.state, part.taken) == (State.DONE, 1)
    assert go.paths.config.read_text(encoding="utf-8").strip() == CONFIG.strip()
    if sys.platform != "win32":
        assert stat.S_IMODE(go.paths.config.stat().st_mode) == 0o600
    config = load(go.paths.config, {}).config
    assert set(config.streamers) == {"alice", "bob"}
    assert config.streamers["alice"].target_webhook_url == ALICE_URL


async def test_what_the_same_file_means_here_is_said(go: GoFolder) -> None:
    said = notes(await go.part(NAME))
    for key in ("listen_addr", "max_attempts", "initial_delay", "max_delay", "max_lines"):
        assert f"{key} is not written" in said
    assert "4 secrets stand in the file in the clear" in said
    assert "the-client-secret" not in said


async def test_what_the_owner_wrote_is_kept_and_not_remarked(go: GoFolder) -> None:
    written = (
        '[server]\nListen_Addr = "0.0.0.0"\n[retry]\nmax_attempts = 3\ninitial_delay = "1s"\nmax_delay = "5m"\n'
        '[output]\nmax_lines = 1000\nfile_path = "/srv/go/output.json"\n'
    )
    go.config(written)
    said = notes(await go.part(NAME))
    assert "is not written" not in said
    assert "max_attempts = 3 stays" in said
    assert "[output] file_path is an absolute path" in said
    config = load(go.paths.config, {}).config
    assert (config.server.listen_addr, config.retry.max_attempts, config.output.max_lines) == ("0.0.0.0", 3, 1000)


async def test_with_tls_on_the_listening_address_is_the_same_on_both_sides(go: GoFolder) -> None:
    go.config('[server.tls]\nenabled = true\ndomains = ["me.example"]\n[twitch]\nclient_id = "x"\n')
    assert "listen_addr" not in notes(await go.part(NAME))


async def test_again_nothing_is_written(go: GoFolder) -> None:
    await go.move()
    before = go.paths.config.stat().st_mtime_ns
    part = await go.part(NAME)
    assert (part.state, part.taken, part.already) == (State.DONE, 0, 1)
    assert go.paths.config.stat().st_mtime_ns == before


async def test_ours_gets_what_it_lacks_and_keeps_what_it_has(go: GoFolder) -> None:
    go.ours(OURS)
    part = await go.part(NAME)
    text = go.paths.config.read_text(encoding="utf-8")
    assert text.startswith(OURS.rstrip()), "not a byte of it is changed"
    data = tomllib.loads(text)
    assert data["streamers"]["alice"] == {"login": "alice", "destinations": ["chat"]}
    assert data["streamers"]["bob"] == {"login": "bob"}
    assert data["global_webhook"]["url"] == GLOBAL_URL
    assert data["twitch"] == {"client_id": "mine", "transport": "conduit"}
    assert (part.taken, part.left_out) == (2, 1)
    assert "[streamers.alice] is left out: yours says something else" in notes(part)
    assert "[twitch] client_id, client_secret" in notes(part)
    assert "the-client-secret" not in notes(part)
    assert go.paths.config.with_name("config.toml.bak").read_text(encoding="utf-8") == OURS
    again = await go.part(NAME)
    assert again.taken == 0
    assert go.paths.config.read_text(encoding="utf-8") == text


async def test_an_application_is_taken_where_ours_names_none(go: GoFolder) -> None:
    go.ours('[secrets]\nstore = "passphrase"\n[twitch]\npoll_interval = "1m"\n')
    part = await go.part(NAME)
    twitch = load(go.paths.config, {}).config.twitch
    assert (twitch.client_id, twitch.webhook_secret) == ("the-client-id", "the-webhook-secret")
    assert twitch.poll_interval == 60
    assert part.taken == 4
    assert "application of the Go service" in notes(part)


async def test_a_channel_that_ours_has_under_another_key_is_not_watched_twice(go: GoFolder) -> None:
    go.ours('[secrets]\nstore = "passphrase"\n[streamers.me]\nuser_id = "100"\n')
    part = await go.part(NAME)
    assert set(load(go.paths.config, {}).config.streamers) == {"me", "bob"}
    assert "yours has this channel as me" in notes(part)


async def test_a_config_with_windows_line_ends_keeps_them(go: GoFolder) -> None:
    go.paths.config.parent.mkdir(parents=True, exist_ok=True)
    go.paths.config.write_bytes(b'[secrets]\r\nstore = "passphrase"\r\n')
    part = await go.part(NAME)
    content = go.paths.config.read_bytes()
    assert part.taken > 1
    assert content.count(b"\r\n") == content.count(b"\n") > 5


async def test_streamers_in_the_platforms_table_are_found(go: GoFolder) -> None:
    go.config('[streamers.twitch."some one"]\nlogin = "someone"\nwebhook_url = "https://one.example/"\nodd = 1\n')
    go.ours('[secrets]\nstore = "passphrase"\n')
    await go.move()
    config = load(go.paths.config, {}).config
    assert config.streamers["some one"].target_webhook_url == "https://one.example/"
    assert "odd" not in go.paths.config.read_text(encoding="utf-8")


async def test_a_layout_that_cannot_be_added_to_is_left_alone_and_said(go: GoFolder) -> None:
    text = 'streamers = { alice = { login = "alice" } }\n[secrets]\nstore = "passphrase"\n'
    go.ours(text)
    part = await go.part(NAME)
    assert part.state is State.FAILED
    assert "by hand" in notes(part) or "Nothing can be added" in notes(part)
    assert go.paths.config.read_text(encoding="utf-8") == text


async def test_our_own_config_is_the_go_services_file(go: GoFolder) -> None:
    """ITSJUSTINTV_CONFIG means the same to both programs."""
    go.paths = Paths(go.root / NAME, go.paths.data)
    part = await go.part(NAME, move_secrets=True)
    assert (part.state, part.taken) == (State.LEFT, 0)


@pytest.mark.parametrize("content", [b"[twitch\n", b"\xff\xfe[\x00", b"\xe9", b'[retry]\nmax_delay = "soon"\n'])
async def test_one_that_cannot_be_used_stops_the_import_where_we_have_none(go: GoFolder, content: bytes) -> None:
    (go.root / NAME).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        await go.move()
    assert "--go-config" in caught.value.message
    assert not go.paths.config.exists()


async def test_one_that_cannot_be_used_is_said_where_ours_serves_for_the_rest(go: GoFolder) -> None:
    (go.root / NAME).write_bytes(b"[twitch\n")
    go.ours(OURS)
    part = await go.part(NAME)
    assert part.state is State.FAILED
    assert "line" in notes(part) or ":1:" in notes(part)
    assert go.paths.config.read_text(encoding="utf-8") == OURS


async def test_a_byte_order_mark_and_windows_line_ends(go: GoFolder) -> None:
    (go.root / NAME).write_bytes(b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode())
    assert (await go.part(NAME)).taken == 1
    assert set(load(go.paths.config, {}).config.streamers) == {"alice", "bob"}


async def test_an_empty_one_takes_nothing_over(go: GoFolder) -> None:
    go.config("")
    part = await go.part(NAME)
    assert part.state is not State.FAILED
    assert load(go.paths.config, {}).config.streamers == {}


async def test_a_thousand_streamers_are_added_in_one_go(go: GoFolder) -> None:
    go.config("".join(f'[streamers.s{number}]\nlogin = "login{number}"\n' for number in range(1000)))
    go.ours(OURS)
    part = await go.part(NAME)
    assert part.taken == 1000


async def test_secrets_go_to_the_vault_when_asked(go: GoFolder) -> None:
    moved = await go.move(move_secrets=True)
    part = moved.parts[-1]
    assert (part.name, part.state, part.taken) == ("secrets", State.DONE, 4)
    text = go.paths.config.read_text(encoding="utf-8")
    for secret in ("the-client-secret", "the-webhook-secret", "globals-path", "alices-signing-secret"):
        assert secret not in text
    again = await go.part(NAME)
    assert (again.taken, again.already, again.left_out, again.notes) == (0, 2, 0, []), "what was moved is no difference"
    assert (await go.move(move_secrets=True)).ok


async def test_secrets_that_cannot_be_moved_stay_and_it_is_said(go: GoFolder) -> None:
    go.config(CONFIG.replace('"passphrase"', '"memory"'))
    moved = await go.move(move_secrets=True)
    assert not moved.ok
    assert "config move-secrets" in notes(moved.parts[-1])
    assert "the-client-secret" in go.paths.config.read_text(encoding="utf-8")


async def test_the_environment_counts_for_what_is_used_and_is_not_written(go: GoFolder) -> None:
    environ: dict[str, Any] = {**ENVIRON, "ITSJUSTINTV_TWITCH_CLIENT_ID": "from-the-environment"}
    await go.move(environ=environ)
    assert "from-the-environment" not in go.paths.config.read_text(encoding="utf-8")


async def test_where_the_go_service_was_reached_counts_as_ours(go: GoFolder) -> None:
    """So its subscriptions are deleted once this program has its own, whatever way it is reached by."""
    await go.move()
    await go.move()
    ledger = await go.ledger()
    try:
        assert await ledger.targets() == ["webhook https://me.example/twitch"]
    finally:
        await ledger.close()


async def test_subscriptions_of_another_application_are_not_ours(go: GoFolder) -> None:
    go.ours(OURS)
    await go.move()
    ledger = await go.ledger()
    try:
        assert await ledger.targets() == []
    finally:
        await ledger.close()
