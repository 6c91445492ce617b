from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.description import ColumnType, Kind
from loaders.encode import base64url
from loaders.encode.cursor import CursorForm, StoreText, decode_cursor, encode_cursor, list_mark
from loaders.errors import InvalidCursor

ID = UUID("018cc251-f400-7000-8000-0123456789ab")
MARK = list_mark("tracks by speed")


def _form(*kinds: Kind) -> CursorForm:
    return CursorForm(MARK, tuple(ColumnType(kind) for kind in kinds))


def _written(array: str) -> str:
    return base64url.encode(array.replace("MARK", MARK).encode())


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.BOOLEAN, "true", True),
        (Kind.INTEGER, "-1", -1),
        (Kind.BIGINT, "18446744073709551615", 2**64 - 1),
        (Kind.FLOAT, "0.1", 0.1),
        (Kind.FLOAT, "-inf", float("-inf")),
        (Kind.NUMERIC, "1.2500", Decimal("1.2500")),
        (Kind.TEXT, "null", "null"),
        (Kind.TEXT, "not \udcff utf-8", "not \udcff utf-8"),
        (Kind.UUID, str(ID), ID),
        (Kind.DATE, "2024-02-29", date(2024, 2, 29)),
        (Kind.TIMESTAMP, "2024-01-01T00:00:00.5+00:00", datetime(2024, 1, 1, 0, 0, 0, 500_000, UTC)),
        (Kind.TIMESTAMP, "2024-01-01T00:00:00.123456789+00:00", "2024-01-01T00:00:00.123456789+00:00"),
        (Kind.H3, "8928308280fffff", 0x8928308280FFFFF),
        (Kind.TEXT, None, None),
    ],
)
def test_values_of_every_kind(kind: Kind, text: str | None, value: object) -> None:
    assert decode_cursor(encode_cursor([text], MARK), _form(kind)) == (value,)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.FLOAT, "NaN"),
        (Kind.NUMERIC, "NaN"),
        (Kind.NUMERIC, "-Infinity"),
        (Kind.NUMERIC, "1" + "0" * 200),
        (Kind.DATE, "infinity"),
        (Kind.DATE, "0044-03-15 BC"),
        (Kind.TIMESTAMP, "-infinity"),
        (Kind.TIMESTAMP, "10000-01-01T00:00:00+00:00"),
        (Kind.TIMESTAMP, "0044-03-15T12:00:00.25+00:00 BC"),
    ],
)
def test_what_python_has_no_value_for_stays_text(kind: Kind, text: str) -> None:
    (value,) = decode_cursor(encode_cursor([text], MARK), _form(kind))
    assert isinstance(value, StoreText)
    assert value == text


@given(terms=st.lists(st.none() | st.text(), max_size=4))
def test_what_is_encoded_is_decoded(terms: list[str | None]) -> None:
    assert decode_cursor(encode_cursor(terms, MARK), _form(*[Kind.TEXT] * len(terms))) == tuple(terms)


@pytest.mark.parametrize(
    ("cursor", "kind"),
    [
        ("", Kind.TEXT),
        ("not base64!", Kind.TEXT),
        (_written("[1]"), Kind.TEXT),
        (_written('["MARK",1]'), Kind.TEXT),
        (_written('["MARK","a","b"]'), Kind.TEXT),
        (_written('["MARK"]'), Kind.TEXT),
        (_written('["a"]'), Kind.TEXT),
        (_written('[1,"a"]'), Kind.TEXT),
        (_written('[["MARK"],"a"]'), Kind.TEXT),
        (_written("[]"), Kind.TEXT),
        (_written('"MARK"'), Kind.TEXT),
        (_written('{"MARK":"a"}'), Kind.TEXT),
        (base64url.encode(b"\xff"), Kind.TEXT),
        (base64url.encode(b"[" * 40_000), Kind.TEXT),
        (_written('["MARK",NaN]'), Kind.FLOAT),
        *(
            (encode_cursor([text], MARK), kind)
            for kind, text in [
                (Kind.FLOAT, "nan"),
                (Kind.FLOAT, "x"),
                (Kind.INTEGER, "1.0"),
                (Kind.INTEGER, " 1"),
                (Kind.INTEGER, "1_0"),
                (Kind.BIGINT, "99999999999999999999"),
                (Kind.BIGINT, "9" * 5000),
                (Kind.BOOLEAN, "True"),
                (Kind.NUMERIC, "nan"),
                (Kind.FLOAT, "Nan"),
                (Kind.TIMESTAMP, "Infinity"),
                (Kind.TIMESTAMP, "2024-13-01T00:00:00+00:00"),
                (Kind.TIMESTAMP, "10000-01-01T24:00:00+00:00"),
                (Kind.NUMERIC, "1e999999999"),
                (Kind.UUID, "{018cc251-f400-7000-8000-0123456789ab}"),
                (Kind.TEXT, "\ud800"),
                (Kind.DATE, "yesterday"),
                (Kind.TIMESTAMP, "2024-01-01"),
                (Kind.TIMESTAMP, "2024-01-01T00:00:00'; DROP TABLE x"),
                (Kind.H3, "xyz"),
                (Kind.JSON, "{}"),
            ]
        ),
    ],
)
def test_anything_else_is_refused(cursor: str, kind: Kind) -> None:
    with pytest.raises(InvalidCursor, match="malformed"):
        decode_cursor(cursor, _form(kind))


def test_too_long_a_value_is_told() -> None:
    with pytest.raises(InvalidCursor, match="ordered by is too long"):
        decode_cursor(encode_cursor(["a" * 70_000], MARK), _form(Kind.TEXT))


def test_a_cursor_of_another_list_is_told_from_a_malformed_one() -> None:
    cursor = encode_cursor(["7"], list_mark("tracks by time"))
    with pytest.raises(InvalidCursor, match="another list or of another `orderBy`"):
        decode_cursor(cursor, _form(Kind.INTEGER))
