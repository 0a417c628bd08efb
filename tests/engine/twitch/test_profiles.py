from __future__ import annotations

import asyncio

from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.helix import User
from itsjustintv_desktop.engine.twitch.profiles import Profile, Profiles
from tests.engine.twitch.rig import JumpingClock, MemoryStore

IMAGE = Image(url="https://x/y.png", sha256="ab" * 32, mime_type="image/png", width=300, height=300)


async def saved(tasks: Tasks) -> None:
    while len(tasks):
        await asyncio.sleep(0)


async def test_what_was_learnt_survives_a_restart() -> None:
    store, clock, tasks = MemoryStore(), JumpingClock(), Tasks()
    profiles = Profiles(store, tasks=tasks, clock=clock)
    user = User(id="1", login="a", display_name="A", description="Hi", profile_image_url=IMAGE.url)
    profiles.learn(user)
    profiles.update("1", image=IMAGE, followers=5, followers_at=clock.now())
    known = profiles.get("1")
    assert (known.login, known.description, known.image_url, known.followers) == ("a", "Hi", IMAGE.url, 5)
    await saved(tasks)
    again = Profiles(store, tasks=tasks, clock=clock)
    await again.load()
    assert again.get("1") == known
    assert again.images() == {IMAGE.sha256}
    assert again.get("2") == Profile(user_id="2")


async def test_many_changes_are_saved_together() -> None:
    store, tasks = MemoryStore(), Tasks()
    writes: list[int] = []
    save = store.save_profiles

    async def counted(rows: object) -> None:
        writes.append(len(list(rows)))  # type: ignore[call-overload]
        await save(rows)  # type: ignore[arg-type]

    store.save_profiles = counted  # type: ignore[method-assign, assignment]
    profiles = Profiles(store, tasks=tasks, clock=JumpingClock())
    for number in range(450):
        profiles.update(str(number), followers=1)
        profiles.update(str(number), followers=2)
    await saved(tasks)
    assert writes == [200, 200, 50]


async def test_a_change_while_saving_is_saved_too() -> None:
    store, tasks = MemoryStore(), Tasks()
    profiles = Profiles(store, tasks=tasks, clock=JumpingClock())
    save = store.save_profiles

    async def slow(rows: object) -> None:
        if "2" not in store.profiles:
            profiles.update("2", followers=2)
        await save(rows)  # type: ignore[arg-type]

    store.save_profiles = slow  # type: ignore[method-assign, assignment]
    profiles.update("1", followers=1)
    await saved(tasks)
    assert set(store.profiles) == {"1", "2"}


async def test_a_ledger_that_cannot_write_gets_it_later() -> None:
    store, tasks = MemoryStore(), Tasks()
    store.broken = LedgerUnavailableError("The disk is full.")
    profiles = Profiles(store, tasks=tasks, clock=JumpingClock())
    await profiles.load()
    profiles.update("1", followers=1)
    await saved(tasks)
    store.broken = None
    profiles.update("2", followers=2)
    await saved(tasks)
    assert set(store.profiles) == {"1", "2"}


async def test_a_save_that_is_cancelled_is_made_up_for_while_closing() -> None:
    store, tasks = MemoryStore(), Tasks()
    profiles = Profiles(store, tasks=tasks, clock=JumpingClock())
    save, begun = store.save_profiles, asyncio.Event()

    async def stuck(rows: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    store.save_profiles = stuck  # type: ignore[method-assign, assignment]
    profiles.update("1", followers=1)
    await begun.wait()
    await tasks.stop()
    store.save_profiles = save  # type: ignore[method-assign]
    assert await profiles.save()
    assert set(store.profiles) == {"1"}


async def test_a_damaged_entry_is_left_out() -> None:
    store = MemoryStore()
    store.profiles = {"1": b"{", "2": b'{"user_id":"2","followers":7}', "3": b"\xff"}
    profiles = Profiles(store, tasks=Tasks(), clock=JumpingClock())
    await profiles.load()
    assert profiles.get("2").followers == 7
    assert profiles.get("1") == Profile(user_id="1")


def test_fresh_for_a_day_and_never_from_the_future() -> None:
    clock = JumpingClock()
    profiles = Profiles(MemoryStore(), tasks=Tasks(), clock=clock)
    assert profiles.fresh(clock.now() - 86399)
    assert not profiles.fresh(clock.now() - 86401)
    assert not profiles.fresh(clock.now() + 60)
    assert not profiles.fresh(0.0)
