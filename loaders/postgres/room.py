"""An answer that is too large fails in Postgres: the driver would hold all of it before anybody could look at it.

The bound is a setting of the session, `SETTING`, so that one statement serves every bound; to look at it takes some
10 us. No expression of Postgres raises by itself: `repeat` does (SQLSTATE 54000) for more than any value may have, as
Postgres does where an answer is too large for itself.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.postgres.json_text import Text
from loaders.postgres.rows import Source

SETTING = "axion.answer_bytes"
_MADE, _TEXT, _PLACE = "made", "text", "place"
_ANSWER = f"{_MADE}.{_TEXT}"
_FENCE = sa.literal_column("0", sa.Integer)
"""An `OFFSET`, so that the text is made once and not in every place that names it."""


def _unless(bytes_: str) -> sa.ColumnClause[str]:
    """As text, since it is the same in every statement and SQLAlchemy would take a tenth of a statement's time for
    it.
    """
    beyond = f"{bytes_} > current_setting('{SETTING}')::bigint"
    return sa.literal_column(f"CASE WHEN {beyond} THEN repeat({_ANSWER}, 2147483647) ELSE {_ANSWER} END", sa.Text)


_FITTING = _unless(f"octet_length({_ANSWER})")
_FITTING_TOGETHER = _unless(f"sum(octet_length({_ANSWER})) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)")


def fitting(text: Text) -> sa.Select[Any]:
    """One row: the text."""
    return sa.select(_FITTING).select_from(sa.select(text.label(_TEXT)).offset(_FENCE).subquery(_MADE))


def fitting_together(place: ColumnElement[Any], text: Text, source: Source) -> sa.Select[Any]:
    """A row of (place, text) for each of the source; it fails at the one with which they are too large together."""
    made = sa.select(place.label(_PLACE), text.label(_TEXT)).select_from(source).offset(_FENCE).subquery(_MADE)
    return sa.select(made.c[_PLACE], _FITTING_TOGETHER).select_from(made)
