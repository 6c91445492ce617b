"""What a column takes less than all values of its kind."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.types import TypeEngine

from loaders.tables.limits import Limit, limit_of


@pytest.mark.parametrize(
    ("type_", "limit"),
    [
        (sa.Text(), Limit()),
        (sa.String(20), Limit(characters=20)),
        (ARRAY(sa.String(20), dimensions=2), Limit(characters=20)),
        (sa.SmallInteger(), Limit(integers=range(-32_768, 32_768))),
        (ARRAY(sa.SmallInteger()), Limit(integers=range(-32_768, 32_768))),
        (sa.Integer(), Limit()),
        (sa.BigInteger(), Limit()),
        (sa.Numeric(), Limit()),
        (sa.Numeric(5, 2), Limit(whole_digits=3, scale=2)),
        (sa.Numeric(5), Limit(whole_digits=5)),
        (sa.Double(), Limit()),
        (JSONB(), Limit()),
        (UUID(), Limit()),
    ],
    ids=repr,
)
def test_limits(type_: TypeEngine[object], limit: Limit) -> None:
    assert limit_of(sa.Table("t", sa.MetaData(), sa.Column("c", type_)).c.c) == limit


def test_texts_that_rows_are_found_by_or_must_have_are_not_blank() -> None:
    columns = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("code", sa.Text(), unique=True),
        sa.Column("found", sa.Text(), index=True),
        sa.Column("must", sa.Text(), nullable=False),
        sa.Column("other_name", sa.Text()),
        sa.Column("note", sa.Text()),
    ).c
    found_by = Limit(bytes=1_024, may_be_blank=False)
    expected = {"code": found_by, "found": found_by, "must": Limit(may_be_blank=False)}
    expected |= {"other_name": Limit(may_be_blank=False), "note": Limit()}
    assert {column.name: limit_of(column) for column in columns} == expected
