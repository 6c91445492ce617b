-- ClickHouse tables of the platform (reference/axion-sense-data-model.txt, "ClickHouse schema"), for a database that exists.
-- Applied by `axion migrate clickhouse`, statement by statement; every statement may be run again and changes nothing then.
-- A later change is a statement at the end of this file (ALTER TABLE ... ADD COLUMN IF NOT EXISTS ...), never an edit above.
--
-- THE SWITCH. AXION_CLICKHOUSE__REPLICATED=false reads every `ReplicatedMergeTree(path, replica)` below as `MergeTree`: for a
-- server without ClickHouse Keeper, and for the embedded one. True, the default, needs Keeper and the macros {shard} and
-- {replica} on every server; run it against each replica once. A table keeps the engine it was made with.
--
-- Plain MergeTree, no ReplacingMergeTree: duplicates of at-least-once delivery are replaced by the writer (DELETE by key with
-- mutations_sync = 1, then INSERT), so that reads never need FINAL.
--
-- `organization_id` is beyond the reference: with it the tenant guard is a predicate of the row, and not a join with Postgres.
-- Ids are UUIDv7. ClickHouse orders UUIDs by their second half, so never write a time window as a range of ids.

CREATE TABLE IF NOT EXISTS tracks
(
    id              UUID                    COMMENT 'Key (UUIDv7), the same as track_logs.id in Postgres.',
    organization_id Int64                   COMMENT 'organizations.id in Postgres.',
    user_id         Int64                   COMMENT 'users.id in Postgres: who drove.',
    started_at      DateTime64(3, 'UTC')    COMMENT 'Begin of the recording, to the millisecond.',
    finished_at     DateTime64(3, 'UTC')    COMMENT 'End of the recording, to the millisecond.',
    route           LineString              COMMENT 'Route that was driven: points (longitude, latitude) in degrees, WGS 84.',
    device_model    LowCardinality(String)  COMMENT 'Model of the recording device; empty if unknown.',
    device_os       LowCardinality(String)  COMMENT 'Operating system of the device; empty if unknown.',
    distance_m      Float64                 COMMENT 'Length of the route in metres.',
    duration_s      Float64                 COMMENT 'Length of the recording in seconds.',
    frame_count     Int32                   COMMENT 'Number of frames.',
    h3_indices      Array(UInt64)           COMMENT 'H3 cells of resolution 9 that the route passes through.',
    is_map_matched  Bool                    COMMENT 'Whether the route was matched to the road network.',
    CONSTRAINT id_is_uuid_v7 CHECK substring(toString(id), 15, 1) = '7',
    CONSTRAINT figures_are_not_negative CHECK distance_m >= 0 AND duration_s >= 0 AND frame_count >= 0
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(UUIDv7ToDateTime(id))
ORDER BY (id)
COMMENT 'Recorded tracks, one row each: route, device and figures.';

CREATE TABLE IF NOT EXISTS frames
(
    id              UUID                    COMMENT 'Key (UUIDv7).',
    track_id        UUID                    COMMENT 'tracks.id.',
    organization_id Int64                   COMMENT 'organizations.id in Postgres.',
    user_id         Int64                   COMMENT 'users.id in Postgres: who drove.',
    captured_at     DateTime64(3, 'UTC')    COMMENT 'When the picture was taken, to the millisecond.',
    lat             Float64                 COMMENT 'Latitude in degrees, WGS 84.',
    lon             Float64                 COMMENT 'Longitude in degrees, WGS 84.',
    altitude        Nullable(Float64)       COMMENT 'Metres; null if unknown.',
    azimuth         Nullable(Float64)       COMMENT 'Heading in degrees clockwise from north; null if unknown.',
    speed           Nullable(Float64)       COMMENT 'Metres per second over ground; null if unknown.',
    accuracy        Nullable(Float64)       COMMENT 'Accuracy of the position in metres; null if unknown.',
    h3_index_res9   UInt64                  COMMENT 'H3 cell of resolution 9: geoToH3(lat, lon, 9).',
    h3_index_res12  UInt64                  COMMENT 'H3 cell of resolution 12: geoToH3(lat, lon, 12).',
    is_uploaded     Bool                    COMMENT 'Whether the picture is in S3.',
    INDEX frames_h3_index_res9  h3_index_res9  TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX frames_h3_index_res12 h3_index_res12 TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX frames_user_id        user_id        TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT id_is_uuid_v7 CHECK substring(toString(id), 15, 1) = '7',
    CONSTRAINT position_is_on_earth CHECK lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(UUIDv7ToDateTime(id))
ORDER BY (track_id, captured_at, id)
COMMENT 'Frames of tracks: where and when each picture was taken.';

CREATE TABLE IF NOT EXISTS detections
(
    track_id        UUID                    COMMENT 'tracks.id.',
    frame_id        UUID                    COMMENT 'frames.id.',
    detector_id     LowCardinality(String)  COMMENT 'Detector and its version.',
    organization_id Int64                   COMMENT 'organizations.id in Postgres.',
    detections      Array(JSON)             COMMENT 'What was found, as the detector reported it.',
    classes         Array(String)           COMMENT 'Class of each detection, in the same order.',
    bounding_boxes  Array(Tuple(x Float32, y Float32, width Float32, height Float32))
                                            COMMENT 'Box of each detection, in the same order, in pixels from the top left.',
    INDEX detections_classes classes TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT track_id_is_uuid_v7 CHECK substring(toString(track_id), 15, 1) = '7',
    CONSTRAINT one_class_and_box_each
        CHECK length(detections) = length(classes) AND length(detections) = length(bounding_boxes)
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(UUIDv7ToDateTime(track_id))
ORDER BY (track_id, frame_id, detector_id)
COMMENT 'What detectors found in frames, one row per frame and detector.';

CREATE TABLE IF NOT EXISTS audit_log
(
    organization_id Int64                   COMMENT 'Organization that the action belongs to; 0 for the platform.',
    created_at      DateTime64(3, 'UTC')    COMMENT 'When the action happened (UTC, to the millisecond).',
    actor           String                  COMMENT 'Subject that acted, in OpenFGA''s form `user:{externalAuthId}`; empty if nobody was signed in.',
    action          LowCardinality(String)  COMMENT 'Name of the action, such as `denied` or `api_key.created`.',
    resource        String                  COMMENT 'What the action was about: an object in OpenFGA''s form `type:id`, or a field of the API.',
    request_id      String                  COMMENT 'Id of the request in which it happened, as in the answer''s header `X-Request-Id` and in the log.',
    context         JSON                    COMMENT 'Details of the action, as an object.'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(created_at)
ORDER BY (organization_id, created_at)
COMMENT 'Audit log, written once: who did what, to what and in which request.';

ALTER TABLE audit_log ADD COLUMN IF NOT EXISTS id UUID COMMENT 'Key of the entry (UUIDv7).' FIRST;

-- Tables that were made with other words.
ALTER TABLE audit_log
    COMMENT COLUMN organization_id 'Organization that the action belongs to; 0 for the platform.',
    COMMENT COLUMN created_at 'When the action happened (UTC, to the millisecond).',
    COMMENT COLUMN actor 'Subject that acted, in OpenFGA''s form `user:{externalAuthId}`; empty if nobody was signed in.',
    COMMENT COLUMN action 'Name of the action, such as `denied` or `api_key.created`.',
    COMMENT COLUMN resource 'What the action was about: an object in OpenFGA''s form `type:id`, or a field of the API.',
    COMMENT COLUMN request_id 'Id of the request in which it happened, as in the answer''s header `X-Request-Id` and in the log.',
    COMMENT COLUMN context 'Details of the action, as an object.',
    MODIFY COMMENT 'Audit log, written once: who did what, to what and in which request.';

ALTER TABLE tracks
    COMMENT COLUMN route 'Route that was driven: points (longitude, latitude) in degrees, WGS 84.',
    COMMENT COLUMN distance_m 'Length of the route in metres.',
    COMMENT COLUMN h3_indices 'H3 cells of resolution 9 that the route passes through.',
    COMMENT COLUMN is_map_matched 'Whether the route was matched to the road network.',
    MODIFY COMMENT 'Recorded tracks, one row each: route, device and figures.';

CREATE TABLE IF NOT EXISTS schema_history
(
    sha256     FixedString(64)      COMMENT 'SHA-256 of the init.sql that was applied, in hex.',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When its last statement had succeeded.'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (applied_at)
COMMENT 'Versions of this file that were applied, one row each.';
