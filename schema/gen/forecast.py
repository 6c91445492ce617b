"""Estimates of what a query would scan."""

import strawberry

from resolvers.gen.forecast import Forecast
from schema.scalars import BigInt, bigint


@strawberry.type(description="What a query would scan, as the engine estimates it. The query is not run.")
class GenScanEstimate:
    rows: BigInt | None = strawberry.field(description="Rows; null if the engine does not estimate them.")
    bytes: BigInt | None = strawberry.field(description="Stored bytes; null if the engine does not estimate them.")
    reason: str | None = strawberry.field(description="Why both are null.")


def shown_estimate(found: Forecast) -> GenScanEstimate:
    return GenScanEstimate(
        rows=None if found.rows is None else bigint(found.rows),
        bytes=None if found.bytes is None else bigint(found.bytes),
        reason=found.reason,
    )
