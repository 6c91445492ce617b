"""What every limit raises: the limit, what was found, and what is allowed."""


class DocumentTooComplex(Exception):
    """`found` is exact up to `CAP` and a lower bound beyond it, since fragments can multiply exponentially."""

    CAP = 1_000_000

    def __init__(self, limit: str, found: int, maximum: int, *, advice: str = "split it or ask for less") -> None:
        self.limit = limit
        self.found = min(found, self.CAP)
        self.maximum = maximum
        more = " or more" if found >= self.CAP else ""
        super().__init__(f"The document has {limit} {self.found}{more}, but at most {maximum} is allowed: {advice}.")


def at_most(maximum: int, found: int, limit: str, *, advice: str = "split it or ask for less") -> None:
    """Raises `DocumentTooComplex` when `found` exceeds `maximum`. `advice` is the next step in the message."""
    if found > maximum:
        raise DocumentTooComplex(limit, found, maximum, advice=advice)
