"""Sense in ClickHouse: telemetry and the audit log (reference/axion-sense-data-model.txt, "ClickHouse schema").

For description only: deploy/clickhouse/init.sql makes the tables, with the same columns, and a test compares the two.
`organization_id` is on every row, beyond the reference, so that a tenant's rows are found without a join.
"""

from geoalchemy2 import Geometry
from sqlalchemy import ARRAY, JSON, BigInteger, Boolean, Column, DateTime, Double, Integer, MetaData, Table, Text, Uuid

from loaders.tables.clickhouse.types import H3

METADATA = MetaData()

INSTANT = DateTime(timezone=True)

TRACKS = Table(
    "tracks",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="Key of the track (UUIDv7), the same as in Postgres."),
    Column("organization_id", BigInteger, nullable=False, comment="Organization the track belongs to."),
    Column("user_id", BigInteger, nullable=False, comment="User who drove."),
    Column("started_at", INSTANT, nullable=False, comment="When the recording began (UTC, to the millisecond)."),
    Column("finished_at", INSTANT, nullable=False, comment="When the recording ended (UTC, to the millisecond)."),
    Column(
        "route",
        Geometry("LINESTRING", srid=4326, spatial_index=False),
        nullable=False,
        comment="Route that was driven: points of longitude and latitude in degrees (WGS 84).",
    ),
    Column("device_model", Text, nullable=False, comment="Model of the recording device; empty if unknown."),
    Column("device_os", Text, nullable=False, comment="Operating system of the device; empty if unknown."),
    Column("distance_m", Double, nullable=False, comment="Length of the route in metres."),
    Column("duration_s", Double, nullable=False, comment="Length of the recording in seconds."),
    Column("frame_count", Integer, nullable=False, comment="Number of frames recorded."),
    Column("h3_indices", ARRAY(H3), nullable=False, comment="H3 cells of resolution 9 that the route passes through."),
    Column("is_map_matched", Boolean, nullable=False, comment="Whether the route was matched to the road network."),
    comment="Recorded tracks, one row each: route, device and figures.",
)

FRAMES = Table(
    "frames",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="Key of the frame (UUIDv7)."),
    Column("track_id", Uuid, nullable=False, comment="Track the frame belongs to."),
    Column("organization_id", BigInteger, nullable=False, comment="Organization the frame belongs to."),
    Column("user_id", BigInteger, nullable=False, comment="User who drove."),
    Column("captured_at", INSTANT, nullable=False, comment="When the frame was taken (UTC, to the millisecond)."),
    Column("lat", Double, nullable=False, comment="Latitude in degrees (WGS 84), -90 to 90."),
    Column("lon", Double, nullable=False, comment="Longitude in degrees (WGS 84), -180 to 180."),
    Column("altitude", Double, comment="Altitude in metres; null if unknown."),
    Column("azimuth", Double, comment="Heading in degrees clockwise from north, 0 to 360; null if unknown."),
    Column("speed", Double, comment="Speed over ground in metres per second; null if unknown."),
    Column("accuracy", Double, comment="Accuracy of the position in metres; null if unknown."),
    Column("h3_index_res9", H3, nullable=False, comment="H3 cell of resolution 9 the frame lies in."),
    Column("h3_index_res12", H3, nullable=False, comment="H3 cell of resolution 12 the frame lies in."),
    Column("is_uploaded", Boolean, nullable=False, comment="Whether the picture is in S3."),
    comment="Frames of tracks: where and when each picture was taken.",
)

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="Key of the entry (UUIDv7)."),
    Column(
        "organization_id",
        BigInteger,
        nullable=False,
        comment="Organization that the action belongs to; 0 for the platform.",
    ),
    Column("created_at", INSTANT, nullable=False, comment="When the action happened (UTC, to the millisecond)."),
    Column(
        "actor",
        Text,
        nullable=False,
        comment="Subject that acted, in OpenFGA's form `user:{externalAuthId}`; empty if nobody was signed in.",
    ),
    Column("action", Text, nullable=False, comment="Name of the action, such as `denied` or `api_key.created`."),
    Column(
        "resource",
        Text,
        nullable=False,
        comment="What the action was about: an object in OpenFGA's form `type:id`, or a field of the API.",
    ),
    Column(
        "request_id",
        Text,
        nullable=False,
        comment="Id of the request in which it happened, as in the answer's header `X-Request-Id` and in the log.",
    ),
    Column("context", JSON, nullable=False, comment="Details of the action, as an object."),
    comment="Audit log, written once: who did what, to what and in which request.",
)
