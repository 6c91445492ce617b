import threading
import time
import uuid

import pytest

from loaders.tables.uuid7 import uuid7


def test_layout_is_rfc_9562() -> None:
    before = time.time_ns() // 1_000_000
    value = uuid7()
    after = time.time_ns() // 1_000_000
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert before <= value.int >> 80 <= after + 1


def test_strictly_rising_as_integers_text_and_bytes() -> None:
    values = [uuid7() for _ in range(20_000)]
    assert values == sorted(set(values))
    assert [str(value) for value in values] == sorted(str(value) for value in values)
    assert [value.bytes for value in values] == sorted(value.bytes for value in values)


def test_rising_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns() + 10_000_000_000
    clock = iter([now, now, now - 5_000_000_000, now - 5_000_000_000, now + 1_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    values = [uuid7() for _ in range(5)]
    assert values == sorted(set(values))
    assert values[-1].int >> 80 == (now + 1_000_000) // 1_000_000


def test_threads_never_share_one() -> None:
    found: list[list[uuid.UUID]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def make(into: list[uuid.UUID]) -> None:
        start.wait()
        into.extend(uuid7() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({value.int >> 64 for values in found for value in values}) == 20_000  # the clock parts alone are unique
    assert all(values == sorted(values) for values in found)
