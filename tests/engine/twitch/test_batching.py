from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from itsjustintv_desktop.engine.core.errors import TwitchRefusedError, TwitchUnreachableError
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.enrichment import Batcher


class Recorder:
    """Answers with the key's square; keys above 1,000 are unknown. Waits while `gate` is closed."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.times: list[float] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, keys: list[int]) -> dict[int, int]:
        self.calls.append(keys)
        self.times.append(asyncio.get_running_loop().time())
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {key: key * key for key in keys if key <= 1000}


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    group = Tasks()
    yield group
    await group.stop()


@pytest.fixture
async def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def batcher(recorder: Recorder, tasks: Tasks) -> Batcher[int, int]:
    return Batcher("test", recorder, tasks)


async def test_many_keys_become_few_full_calls(batcher: Batcher[int, int], recorder: Recorder) -> None:
    answers = await asyncio.gather(*(batcher.get(key, timeout=5) for key in range(1000)))
    assert answers == [key * key for key in range(1000)]
    assert [len(keys) for keys in recorder.calls] == [100] * 10


async def test_a_thousand_keys_within_one_second_cost_a_dozen_calls(
    batcher: Batcher[int, int], recorder: Recorder
) -> None:
    async def later(key: int) -> int | None:
        await asyncio.sleep(key / 1000)
        return await batcher.get(key, timeout=5)

    assert await asyncio.gather(*map(later, range(1000))) == [key * key for key in range(1000)]
    assert len(recorder.calls) <= 12


async def test_a_lone_key_goes_out_quickly_and_the_next_waits_for_company(
    batcher: Batcher[int, int], recorder: Recorder
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await batcher.get(3, timeout=5) == 9
    assert recorder.times[0] - began < 0.2
    assert await asyncio.gather(*(batcher.get(key, timeout=5) for key in (4, 5))) == [16, 25]
    assert recorder.calls == [[3], [4, 5]]
    assert recorder.times[1] - recorder.times[0] >= 0.24


async def test_the_same_key_is_asked_for_once(batcher: Batcher[int, int], recorder: Recorder) -> None:
    recorder.gate.clear()
    early = [asyncio.ensure_future(batcher.get(7, timeout=5)) for _ in range(3)]
    while not recorder.calls:
        await asyncio.sleep(0.01)
    late = asyncio.ensure_future(batcher.get(7, timeout=5))
    await asyncio.sleep(0)
    recorder.gate.set()
    assert await asyncio.gather(*early, late) == [49] * 4
    assert recorder.calls == [[7]]


async def test_a_key_without_an_answer_is_none(batcher: Batcher[int, int]) -> None:
    assert await batcher.get(1001, timeout=5) is None


async def test_a_failed_call_fails_its_keys_alone(batcher: Batcher[int, int], recorder: Recorder) -> None:
    recorder.error = TwitchRefusedError("no", status=400)
    for outcome in await asyncio.gather(*(batcher.get(key, timeout=5) for key in (1, 2)), return_exceptions=True):
        assert outcome is recorder.error
    recorder.error = None
    assert await batcher.get(1, timeout=5) == 1


@pytest.mark.expected_errors("task failed")
@pytest.mark.expected_errors("task failed")
async def test_a_bug_in_the_call_leaves_nobody_waiting(tasks: Tasks, recorder: Recorder) -> None:
    recorder.error = ZeroDivisionError()
    with pytest.raises(TwitchUnreachableError):
        await Batcher("test", recorder, tasks).get(1, timeout=5)


async def test_one_who_gives_up_changes_nothing_for_the_others(batcher: Batcher[int, int], recorder: Recorder) -> None:
    recorder.gate.clear()
    impatient = asyncio.ensure_future(batcher.get(1, timeout=0.05))
    cancelled = asyncio.ensure_future(batcher.get(1, timeout=5))
    patient = [asyncio.ensure_future(batcher.get(key, timeout=5)) for key in (1, 2)]
    while not recorder.calls:
        await asyncio.sleep(0.01)
    cancelled.cancel()
    with pytest.raises(TwitchUnreachableError, match="in time"):
        await impatient
    recorder.gate.set()
    assert await asyncio.gather(*patient) == [1, 4]
    assert cancelled.cancelled()


async def test_a_failure_nobody_waits_for_any_more_stays_quiet(
    batcher: Batcher[int, int], recorder: Recorder, tasks: Tasks
) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    recorder.error = TwitchRefusedError("no", status=400)
    recorder.gate.clear()
    with pytest.raises(TwitchUnreachableError):
        await batcher.get(1, timeout=0.05)
    recorder.gate.set()
    while len(tasks):
        await asyncio.sleep(0.01)
    recorder.error = None  # its traceback holds the future
    gc.collect()
    assert complaints == []


async def test_closing_and_stopping_leave_nobody_waiting(
    batcher: Batcher[int, int], recorder: Recorder, tasks: Tasks
) -> None:
    recorder.gate.clear()
    flying = asyncio.ensure_future(batcher.get(1, timeout=5))
    while not recorder.calls:
        await asyncio.sleep(0.01)
    waiting = asyncio.ensure_future(batcher.get(2, timeout=5))
    await asyncio.sleep(0)
    batcher.close()
    await tasks.stop()
    for outcome in await asyncio.gather(flying, waiting, return_exceptions=True):
        assert isinstance(outcome, TwitchUnreachableError)
    assert recorder.calls == [[1]]


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
