from __future__ import annotations

import asyncio
from collections import Counter

from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.enrichment import Batcher


async def test_a_full_answer_does_not_wake_all_at_once() -> None:
    """A hundred that go on in one turn of the loop hold up everything else in it."""
    loop = asyncio.get_running_loop()
    turn = 0
    woke: Counter[int] = Counter()

    def count() -> None:
        nonlocal turn
        turn += 1
        loop.call_soon(count)

    async def squares(keys: list[int]) -> dict[int, int]:
        return {key: key * key for key in keys}

    tasks = Tasks()
    batcher: Batcher[int, int] = Batcher("squares", squares, tasks)

    async def ask(key: int) -> int | None:
        value = await batcher.get(key, timeout=5.0)
        woke[turn] += 1
        return value

    loop.call_soon(count)
    assert await asyncio.gather(*(ask(key) for key in range(100))) == [key * key for key in range(100)]
    assert max(woke.values()) <= 10
    await tasks.stop()
