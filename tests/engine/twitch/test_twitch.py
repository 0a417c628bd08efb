from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.core.errors import TwitchAuthError, TwitchError, TwitchUnreachableError
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.storage import image_cache
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import SecretStore, SecretValues
from itsjustintv_desktop.engine.twitch.twitch import Twitch
from itsjustintv_desktop.simulator.images import png
from tests.engine.storage.ledger.book import Book
from tests.support.clock import FakeClock
from tests.support.holding import holding


class House:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(wall=time.time())  # files have the machine's time
        paths = Paths(folder / "config.toml", folder)
        self.images = paths.images
        self.ledger = Ledger(paths.ledger, self.clock)
        self.book = Book(self.ledger, self.clock)
        self.tasks = Tasks()
        store = SecretStore.open("memory", vault=paths.vault, passphrase=None, clock=self.clock)
        self.parts = Twitch(
            self.ledger,
            store,
            SecretValues(store, holding()),
            paths=paths,
            endpoints=Endpoints.from_environ({}),
            config=holding(),
            busy=lambda: False,
            tasks=self.tasks,
            clock=self.clock,
            outbound=Outbound(),
        )

    def picture(self, number: int, *, old: bool = True) -> str:
        digest = image_cache.keep(self.images, png(10 + number, 10, number), "png")
        if old:
            os.utime(self.images / f"{digest}.png", (0, 0))
        return digest

    async def announced(self, picture: str, *destinations: str) -> dict[str, int]:
        event_id = await self.book.event()
        payload = msgspec.json.encode({"image": {"sha256": picture}})
        made = await self.ledger.announce(event_id, streamer="alice", payload=payload, destinations=destinations)
        return made.created

    def left(self) -> set[str]:
        return {file.stem for file in self.images.iterdir()}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.ledger.open()
    yield made
    await made.tasks.stop()
    await made.parts.close()
    await made.ledger.close()


async def test_a_picture_stays_while_a_channel_has_it_or_the_history_names_it(house: House) -> None:
    shown, waiting, worn, nobodys = (house.picture(number) for number in range(4))
    young = house.picture(4, old=False)
    await house.announced(shown)
    made = await house.announced(waiting, "main")
    for _ in range(250):  # more than a page
        await house.book.event()
    image = Image(url="https://x/y.png", sha256=worn, mime_type="image/png", width=12, height=10)
    house.parts.profiles.update("1", image=image)

    await house.parts.purge_images()
    assert house.left() == {shown, waiting, worn, young}
    assert nobodys not in house.left()

    await house.book.event()
    later = house.clock.now() + 1
    while await house.ledger.purge(later, later, later):
        pass
    await house.parts.purge_images()
    assert house.left() == {waiting, worn, young}, "what waits is part of the history however old it is"

    await house.ledger.drop(made["main"])
    while await house.ledger.purge(later, later, later):
        pass
    await house.parts.purge_images()
    assert house.left() == {worn, young}


async def test_that_twitchs_time_is_not_to_be_had_is_not_said_at_each_try(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble: list[TwitchError | None] = [TwitchUnreachableError("Twitch cannot be reached: no network.")] * 5
    trouble += [TwitchAuthError("Twitch refuses the client secret."), None, None]

    async def validate() -> None:
        if (error := trouble.pop(0)) is not None:
            raise error

    monkeypatch.setattr(house.parts.tokens, "validate", validate)
    with capture_logs() as lines:
        while trouble:
            await house.parts.measure_clock()
            house.clock.advance(2)
    assert [(each["event"], each.get("reason")) for each in lines] == [
        ("Twitch's time could not be asked for", "Twitch cannot be reached: no network."),
        ("Twitch's time could not be asked for", "Twitch refuses the client secret."),
        ("Twitch's time can be asked for again", None),
    ]


async def test_a_flood_of_messages_out_of_time_does_not_ask_twitch_once_each(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    async def validate() -> None:
        asked.append(house.clock.monotonic())

    monkeypatch.setattr(house.parts.tokens, "validate", validate)
    for _ in range(100):
        await house.parts.measure_clock()
        house.clock.advance(0.1)
    assert len(asked) in {5, 6}, "one each two seconds"


async def test_a_clock_that_was_set_is_measured_twice_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer that disagrees with those before is held back until another confirms it."""
    asked = 0

    async def validate() -> None:
        nonlocal asked
        asked += 1
        now = house.clock.now()
        house.parts.skew.observe(format_datetime(datetime.fromtimestamp(now + 900, UTC), usegmt=True), now, now)

    now = house.clock.now()
    house.parts.skew.observe(format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True), now, now)
    monkeypatch.setattr(house.parts.tokens, "validate", validate)
    await house.parts.measure_clock()
    assert asked == 2
    assert 890 < house.parts.skew.seconds < 910
