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
    assert limit_of(sa.Column("c", type_)) == limit
