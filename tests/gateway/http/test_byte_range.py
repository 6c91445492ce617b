import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.byte_range import ByteRange, NotSatisfiable, asked_range, is_known, range_applies


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=90-", 90, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-1000", 0, 100),
        (" Bytes = 5 - 9 ", 5, 10),
    ],
)
def test_a_range(header: str, start: int, end: int) -> None:
    assert asked_range(header, 100) == ByteRange(start, end)
    assert ByteRange(start, end).content_range(100) == f"bytes {start}-{end - 1}/100"


@pytest.mark.parametrize("header", [None, "", "bytes", "bytes=", "bytes=-", "bytes=b-c", "bytes=9-5", "lines=1-2"])
def test_what_is_no_range_asks_for_the_whole(header: str | None) -> None:
    assert asked_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=0-1,5-6", "bytes=,"])
def test_beyond_the_end_or_several(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        asked_range(header, 100)


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,21}-\d{0,21}", fullmatch=True), st.integers(0, 2**40))
def test_never_beyond_the_object(header: str, size: int) -> None:
    try:
        found = asked_range(header, size)
    except NotSatisfiable:
        return
    assert found is None or 0 <= found.start < found.end <= size


def test_versions_a_client_has() -> None:
    assert is_known('"a", W/"b"', '"b"')
    assert is_known("*", '"b"')
    assert not is_known('"a"', '"b"')
    assert not is_known(None, '"b"')
    assert range_applies(None, '"a"')
    assert range_applies('"a"', '"a"')
    assert not range_applies('"b"', '"a"')
    assert not range_applies('W/"a"', 'W/"a"')
