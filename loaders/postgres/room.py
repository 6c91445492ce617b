"""An answer that is too large fails in Postgres: the driver would hold all of it before anybody could look at it.

The bound is a setting of the session, `SETTING`, so that one statement serves every bound; to look at it takes some
10 us. No expression of Postgres raises by itself: `repeat` does (SQLSTATE 54000) for more than any value may have, as
Postgres does where an answer is too large for itself.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.postgres.json_text import Text, constant
from loaders.postgres.rows import Source

SETTING = "axion.answer_bytes"
_BEYOND_ANY = sa.literal_column("2147483647", sa.Integer)
_TEXT = "text"
_PLACE = "place"
_FENCE = sa.literal_column("0", sa.Integer)
"""An `OFFSET`, so that the text is made once and not in every place that names it."""


def fitting(text: Text) -> sa.Select[Any]:
    """One row: the text."""
    made = sa.select(text.label(_TEXT)).offset(_FENCE).subquery()
    found = made.c[_TEXT]
    return sa.select(_unless(sa.func.octet_length(found), found)).select_from(made)


def fitting_together(place: ColumnElement[Any], text: Text, source: Source) -> sa.Select[Any]:
    """A row of (place, text) for each of the source; it fails at the one with which they are too large together."""
    made = sa.select(place.label(_PLACE), text.label(_TEXT)).select_from(source).offset(_FENCE).subquery()
    found = made.c[_TEXT]
    so_far = sa.func.sum(sa.func.octet_length(found)).over(rows=(None, 0))
    return sa.select(made.c[_PLACE], _unless(so_far, found)).select_from(made)


def _unless(bytes_: ColumnElement[Any], text: ColumnElement[Any]) -> ColumnElement[Any]:
    bound = sa.cast(sa.func.current_setting(constant(SETTING)), sa.BigInteger)
    return sa.case((bytes_ > bound, sa.func.repeat(text, _BEYOND_ANY, type_=sa.Text)), else_=text)
