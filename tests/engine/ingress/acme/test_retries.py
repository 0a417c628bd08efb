from __future__ import annotations

from itsjustintv_desktop.engine.ingress.acme.issue import Retries
from tests.support.clock import FakeClock


def waits(retries: Retries, code: str, *, urgent: bool, count: int = 6) -> list[float]:
    return [retries.failed(code, urgent=urgent, retry_after=None) for _ in range(count)]


def about(found: list[float], wanted: list[float]) -> bool:
    return all(0.79 * want <= wait <= 1.21 * want for wait, want in zip(found, wanted, strict=True))


def test_the_pauses_grow_tenfold() -> None:
    assert about(waits(Retries(FakeClock()), "x", urgent=False), [60, 600, 6000, 60000, 86400, 86400])


def test_with_little_life_left_it_is_at_most_an_hour() -> None:
    assert about(waits(Retries(FakeClock()), "x", urgent=True), [60, 600, 3600, 3600, 3600, 3600])


def test_trouble_on_this_machine_is_looked_at_more_often() -> None:
    for code in ("disk", "http_port", "not_serving"):
        assert about(waits(Retries(FakeClock()), code, urgent=True), [60, 600, 600, 600, 600, 600])


def test_success_begins_with_the_first_pause_again() -> None:
    retries = Retries(FakeClock())
    waits(retries, "port_closed", urgent=False)
    retries.succeeded()
    assert not retries.rehearse
    assert retries.wait == 0
    assert about(waits(retries, "x", urgent=False, count=1), [60])


def test_only_refusals_lead_to_a_rehearsal() -> None:
    retries = Retries(FakeClock())
    waits(retries, "authority_down", urgent=False)
    assert not retries.rehearse
    waits(retries, "wrong_dns", urgent=False, count=1)
    assert not retries.rehearse
    waits(retries, "wrong_dns", urgent=False, count=1)
    assert retries.rehearse


def test_the_authority_s_word_counts_more_than_a_wish() -> None:
    clock = FakeClock()
    retries = Retries(clock)
    assert retries.failed("rate_limited", urgent=True, retry_after=9000.0) == 9000.0
    retries.hurry(changed=True)
    assert retries.wait == 9000.0
    clock.advance(9000.0)
    assert retries.wait == 0


def test_a_wish_is_granted_once_a_minute() -> None:
    clock = FakeClock()
    retries = Retries(clock)
    retries.began()
    waits(retries, "wrong_dns", urgent=False, count=4)
    clock.advance(20.0)
    retries.hurry(changed=False)
    assert retries.wait == 40.0
    retries.hurry(changed=True)
    assert retries.wait == 0


def test_a_certificate_just_issued_is_not_replaced_whatever_the_clock_says() -> None:
    retries = Retries(FakeClock())
    retries.succeeded(quiet=86400.0)
    assert retries.wait == 86400.0
