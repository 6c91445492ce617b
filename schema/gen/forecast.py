"""What a query would read, told before it reads."""

import strawberry

from resolvers.gen.forecast import Forecast
from schema.scalars import BigInt, bigint


@strawberry.type(description="What a query would read, by the engine's own word. Asking reads nothing.")
class GenScanEstimate:
    rows: BigInt | None = strawberry.field(description="Rows; null where the engine does not tell.")
    bytes: BigInt | None = strawberry.field(description="Stored bytes; null where the engine does not tell.")
    reason: str | None = strawberry.field(description="Why both are null.")


def shown_estimate(found: Forecast) -> GenScanEstimate:
    return GenScanEstimate(
        rows=None if found.rows is None else bigint(found.rows),
        bytes=None if found.bytes is None else bigint(found.bytes),
        reason=found.reason,
    )
