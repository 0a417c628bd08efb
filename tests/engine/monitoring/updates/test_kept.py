"""What is kept across restarts is believed only by the keys of the build that reads it."""

from __future__ import annotations

import msgspec
import pytest
import structlog

from itsjustintv_desktop.engine.monitoring.updates import check as module
from itsjustintv_desktop.engine.monitoring.updates.signing import is_signed, tidy
from tests.engine.monitoring.updates.conftest import OWN, House
from tests.engine.monitoring.updates.test_check import shown
from tests.support.versions import Key, manifest

EVIL = "https://evil.example/"


async def forged(house: House, version: str, *, skip: bool) -> None:
    """Whoever stole the key that is pinned made up a version, and this program saw it."""
    house.publish(version, download_url=EVIL)
    await house.start()
    await house.asked()
    assert house.told == [(version, True)]
    if skip:
        await house.check.skip(version)
        await house.clock.run_until(lambda: house.told[-1] == ("", False), most=0)
    house.ear.heard.clear()


@pytest.mark.hostile
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("version", ["999999.0.0", "1.4.0"])
async def test_another_key_cures_a_forged_version(house: House, version: str, skip: bool) -> None:
    await forged(house, version, skip=skip)
    new = Key()
    house.pin(new)
    house.publish("1.4.0", new)
    with structlog.testing.capture_logs() as lines:
        check = await house.start(version="1.3.0")
    assert (check.view, check.note, house.told) == (None, None, [])
    assert [line["log_level"] for line in lines] == ["info"]
    await house.asked()
    assert check.view is not None
    assert (check.code, check.view.version) == ("newer", "1.4.0")
    assert EVIL not in check.sentence
    assert house.told == [("1.4.0", True)], "nor was it told or skipped already"
    await house.start(version="1.3.0")
    assert shown(house) == "1.4.0"


async def test_a_row_that_was_changed_is_left_out(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    row = msgspec.json.decode(await house.ledger.meta("updates") or "")
    raw = msgspec.json.decode(msgspec.json.encode(row["raw"]), type=bytes)
    row["raw"] = raw.replace(b"1.3.0", b"9.3.0")
    await house.ledger.set_meta("updates", msgspec.json.encode(row).decode())
    assert (await house.start()).view is None
    await house.asked()
    assert (house.check.code, shown(house)) == ("newer", "1.3.0")


async def test_a_row_of_once_without_signatures_is_left_out(house: House) -> None:
    evil = manifest("999999.0.0", now=house.clock.now(), download_url=EVIL)
    row = {"highest": evil, "answered_at": house.clock.now() - 60, "skipped": "1.3.0", "told": "1.3.0"}
    await house.ledger.set_meta("updates", msgspec.json.encode(row).decode())
    house.publish("1.3.0")
    assert (await house.start()).view is None
    await house.asked()
    assert (house.check.code, shown(house)) == ("newer", "1.3.0")
    assert house.told == [("1.3.0", True)]


async def test_verifying_waits_until_it_matters(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It loads 8 MB that a program which knows of nothing newer does without at its start."""
    verified: list[bytes] = []

    def noted(raw: bytes, signatures: bytes, keys: tuple[bytes, ...]) -> bool:
        verified.append(raw)
        return is_signed(raw, signatures, keys)

    house.publish(OWN)
    await house.start()
    await house.asked()
    monkeypatch.setattr(module, "is_signed", noted)
    await house.start()
    assert verified == []
    house.publish("1.2.2")
    assert (await house.asked()).code == "older", "what is kept holds against older lists all the same"
    house.publish("1.3.0")
    await house.asked()
    house.switch(on=False)
    await house.clock.run_until(lambda: house.told[-1] == ("", False), most=0)
    verified.clear()
    await house.start()
    assert (verified, house.check.view) == ([], None), "it is switched off"
    house.switch(on=True)
    await house.clock.run_until(lambda: shown(house), most=0)
    assert len(verified) == 1


async def test_without_keys_nothing_is_forgotten(house: House) -> None:
    house.publish("1.3.0")
    await house.start()
    await house.asked()
    house.pin()
    assert (await house.start()).view is None
    house.pin(house.server.key)
    await house.start()
    assert shown(house) == "1.3.0"


def test_only_what_can_be_a_signature_is_kept() -> None:
    key = Key()
    one = key.sign(b"x")
    assert tidy(b"junk\n" + one + b"A" * 60_000) == one
    assert is_signed(b"x", tidy(one + one), [key.public])
