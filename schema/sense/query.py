"""Sense's root: organizations and their road data."""

import strawberry

from schema.mapping.roots import connection_root, object_root


@strawberry.type(description="Road telemetry: tracks, frames and holds of organizations.")
class SenseQuery:
    organization = object_root("SenseOrganization", "An organization by its global id.")
    organizations = connection_root("SenseOrganization", "The organizations you are a member of.")
    track_log = object_root("SenseTrackLog", "A track log by its global id.")
    track_logs = connection_root("SenseTrackLog", "Track logs: the metadata of tracks in Postgres.")
    holds = connection_root("SenseHold", "Marked places.")
    track = object_root("SenseTrack", "An ingested track by its global id.")
    tracks = connection_root("SenseTrack", "Ingested tracks, in ClickHouse.")
    audit_entries = connection_root("SenseAuditEntry", "Denied operations, and changes of permissions.")
    frames = connection_root("SenseFrame", "Frames of ingested tracks, in ClickHouse.")
