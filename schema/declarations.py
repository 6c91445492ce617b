"""Every declared type, in the order of the SDL's domains. A new noun is added here."""

from schema import job
from schema.accounts import api_key
from schema.accounts import user as account
from schema.aura import rag_chunk, workspace
from schema.gen import (
    curation_override,
    dashboard,
    dashboard_control,
    dashboard_group,
    dashboard_widget,
    data_source,
    dataset,
    dataset_group,
    dataset_map,
    discovery_checkpoint,
    favorite,
    profile,
    role,
    role_assignment,
    table_filter,
    tooltip_template,
    user,
    user_role,
)
from schema.sense import audit_entry, frame, frame_batch, hold, organization, track, track_log

__all__ = [
    "account",
    "api_key",
    "audit_entry",
    "curation_override",
    "dashboard",
    "dashboard_control",
    "dashboard_group",
    "dashboard_widget",
    "data_source",
    "dataset",
    "dataset_group",
    "dataset_map",
    "discovery_checkpoint",
    "favorite",
    "frame",
    "frame_batch",
    "hold",
    "job",
    "organization",
    "profile",
    "rag_chunk",
    "role",
    "role_assignment",
    "table_filter",
    "tooltip_template",
    "track",
    "track_log",
    "user",
    "user_role",
    "workspace",
]
