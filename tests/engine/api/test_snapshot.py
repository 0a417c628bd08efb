"""Everything a screen shows at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.engine.api.masking import MASK, masked_address
from tests.support.counting import calls_made, jobs_of
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until

CONFIG = """
[destinations.main]
url = "RECEIVER/main?key=secret-path"
secret = "signing-secret"
[destinations.kept]
url = "@keyring"
secret = "@keyring"
[destinations.off]
url = "https://off.example/hook?token=query-secret"
enabled = false
[streamers.alice]
login = "alice"
destinations = ["main", "off"]
tag_filter = ["English"]
additional_tags = ["Speedrun"]
[streamers.bob]
login = "bob"
enabled = false
[streamers.nobody]
login = "nobody"
"""


async def test_it_tells_all_there_is(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONFIG, logins=("alice", "bob"), secret=None) as running:
        engine = running.engine
        await engine.secrets.set_destination("kept", url="https://discord.com/api/webhooks/1/vault-secret", secret="x")
        running.simulator.state.get("alice").tags = ("English",)
        await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1)
        await running.settled()
        await until(lambda: engine.twitch.directory.unknown and engine.reach.catch_up.live_now)
        found = await engine.snapshot()
        assert (found.address, found.version) == (engine.address, "0.1.0")
        assert found.at >= found.started_at > found.at - 60
        assert (found.way.kind, found.config.state, found.paused) == ("none", "ok", None)
        assert [(each.login, each.stream_id != "") for each in found.live] == [("alice", True)]
        alice, bob, nobody = found.streamers
        assert (alice.key, alice.login, alice.live, alice.enabled) == ("alice", "alice", True, True)
        assert alice.user_id == running.simulator.state.get("alice").user_id
        assert (alice.tag_filter, alice.additional_tags) == (("English",), ("Speedrun",))
        assert alice.destinations == ("main", "off")
        assert alice.picture is not None
        assert (bob.enabled, bob.live, bob.subscription) == (False, False, None)
        assert (nobody.status.level, "nobody" in nobody.status.reason) == ("failing", True)
        main, kept, off = found.destinations
        assert main.address == f"{running.simulator.url}/{MASK}"
        assert (main.state, main.url_in_vault, main.has_secret, main.secret_in_vault) == ("closed", False, True, False)
        assert (kept.address, kept.url_in_vault, kept.secret_in_vault) == (f"https://discord.com/{MASK}", True, True)
        assert kept.format == "discord"
        assert (off.state, off.enabled, off.address) == ("off", False, f"https://off.example/{MASK}")
        assert (found.deliveries.of("delivered"), found.deliveries.of("pending")) == (1, 0)
        assert found.status.level == "attention"
        assert "streamer nobody" in {each.code for each in found.status.problems}


async def test_nothing_secret_is_in_it_and_it_cannot_be_changed(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONFIG, secret=None) as running:
        await running.engine.secrets.set_destination("kept", url="https://x.example/vault-secret", secret="kept-secret")
        found = await running.engine.snapshot()
        text = msgspec.json.encode(found).decode()
        for secret in ("secret-path", "signing-secret", "query-secret", "vault-secret", "kept-secret"):
            assert secret not in text
        with pytest.raises(AttributeError):
            found.version = "2"  # type: ignore[misc]
        hash((found.streamers, found.destinations, found.deliveries, found.status, found.way))


async def test_what_waits_is_counted_by_destination(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.simulator.faults.set_receiver("main", status=503)
        await running.simulator.go_live("alice")
        await until(lambda: running.simulator.receiver.all)

        async def waits() -> Snapshot | None:
            found = await running.engine.snapshot()
            return found if found.deliveries.of("pending") else None

        found: Snapshot = await until(waits)
        (main,) = found.destinations
        assert main.waiting == 1
        assert main.next_due is not None
        assert main.next_due > found.at
        assert (found.deliveries.next_due, found.deliveries.oldest_due) == (main.next_due, main.next_due)


async def test_it_is_cheap(tmp_path: Path) -> None:
    """A screen takes one again and again: a few looks into the ledger, and a few calls for each streamer."""
    cost: dict[int, tuple[int, int]] = {}
    for number in (200, 1000):
        tables = (f'[streamers.s{n}]\nuser_id = "{5000 + n}"\ndestinations = ["main"]\n' for n in range(number))
        async with running_engine(tmp_path / str(number), ONE_STREAMER + "".join(tables), listen=False) as running:
            assert len((await running.engine.snapshot()).streamers) == number + 1
            found = []
            for _ in range(3):  # other parts may look into the ledger meanwhile
                with jobs_of(running.engine.ledger) as jobs, calls_made() as calls:
                    await running.engine.snapshot()
                found.append((len(jobs.pieces), calls.together))
        cost[number] = min(found)
    assert cost[200][0] == cost[1000][0] <= 3
    assert cost[1000][1] - cost[200][1] < 800 * 100


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("https://discord.com/api/webhooks/1/token", f"https://discord.com/{MASK}"),
        ("https://user:password@host.example:8443/?key=1", f"https://host.example:8443/{MASK}"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000/hook", f"http://[::1]:9000/{MASK}"),
        ("https://host.example/#fragment", f"https://host.example/{MASK}"),
        ("token-without-a-scheme", MASK),
        ("https://[broken/token", MASK),
        ("https://host.example:port/token", MASK),
    ],
)
def test_of_an_address_the_host_is_shown(url: str, shown: str) -> None:
    assert masked_address(url) == shown


def test_the_names_given_out_are_there_and_loaded_late() -> None:
    import itsjustintv_desktop.engine as surface

    for name in surface.__all__:
        value: Any = getattr(surface, name)
        assert value is not None
