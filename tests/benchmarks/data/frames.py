"""5 million frames of 1,000 tracks in ClickHouse, all of one organization."""

from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger

FRAMES, TRACKS = 5_000_000, 1_000

_FILL = f"""
INSERT INTO frames
WITH (SELECT groupArray(id) FROM (SELECT generateUUIDv7() AS id FROM numbers({TRACKS}))) AS tracks
SELECT generateUUIDv7(), tracks[1 + intDiv(number, {FRAMES // TRACKS})], {{organization:Int64}}, 1,
       toDateTime64('2026-06-01 00:00:00', 3, 'UTC') + number / 10,
       -80 + (number % 160000) / 1000, -170 + (number % 340000) / 1000,
       number % 3000, (number % 3600) / 10, (number % 400) / 10, NULL,
       617700169958293503 + number % 1000, 631243922056054783 + number % 1000, false
FROM numbers({FRAMES})
"""


async def load_frames(clickhouse: ClickHouse, *, organization: int) -> str:
    """Fills the table once: a stack that holds the rows is left as it is."""
    counted = await clickhouse.query("SELECT count() AS frames FROM frames", {}, ledger=Ledger())
    if counted.to_pylist() == [{"frames": FRAMES}]:
        return f"{FRAMES} frames are there"
    await clickhouse.command("TRUNCATE TABLE frames", ledger=Ledger())
    await clickhouse.command(_FILL, {"organization": organization}, ledger=Ledger())
    await clickhouse.command("OPTIMIZE TABLE frames FINAL", ledger=Ledger())
    return f"{FRAMES} frames"
