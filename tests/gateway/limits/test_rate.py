"""Requests per second and bursts, under a clock that the tests control."""

import pytest

from gateway.limits import rate
from gateway.limits.rate import RateLimit, address_of


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def passed(limit: RateLimit, caller: str, times: int) -> int:
    return sum(limit.wait(caller) == 0 for _ in range(times))


def test_no_limit() -> None:
    limit = RateLimit(None, 1)
    assert passed(limit, "a", 10_000) == 10_000


@pytest.mark.parametrize("burst", [1, 2, 10])
def test_a_burst_then_an_even_rate(burst: int) -> None:
    clock = Clock()
    limit = RateLimit(4, burst, clock=clock)
    assert passed(limit, "a", 100) == burst
    assert limit.wait("a") == pytest.approx(0.25)
    clock.now += 0.25
    assert passed(limit, "a", 100) == 1
    clock.now += 0.5
    assert passed(limit, "a", 100) == min(burst, 2)
    clock.now += 3_600
    assert passed(limit, "a", 100) == burst


def test_waiting_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit(1, 1, clock=clock)
    for _ in range(1_000):
        limit.wait("a")
    clock.now += 1
    assert limit.wait("a") == 0


def test_callers_do_not_share() -> None:
    limit = RateLimit(1, 3, clock=Clock())
    assert [passed(limit, caller, 10) for caller in "abc"] == [3, 3, 3]


def test_the_silent_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "_MAX_CALLERS", 10)
    clock = Clock()
    limit = RateLimit(1, 2, clock=clock)
    for number in range(100):
        limit.wait(str(number))
        assert len(limit._even) <= 10
    clock.now += 60
    for _ in range(10):
        limit.wait("a")
        clock.now += 1
    assert set(limit._even) == {"a"}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("a name", "a name"),
        (None, ""),
    ],
)
def test_addresses(host: str | None, address: str) -> None:
    assert address_of(host) == address
