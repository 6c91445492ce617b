"""In which order rows come, and which page of them."""

from dataclasses import dataclass

from loaders.read.expression import Expression, Value


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Nulls sort as largest: last ascending, first descending, unless `nulls_first` says otherwise."""

    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A keyset page. `after` and `before` hold one value per order term (already decoded from the cursor).

    `limit` rows at most from the start, or from the end when `backward`. `limit=None` is unbounded (Arrow, exports).
    """

    limit: int | None = None
    backward: bool = False
    after: tuple[Value, ...] | None = None
    before: tuple[Value, ...] | None = None
