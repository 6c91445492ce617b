"""Models of database `axion_gen`."""

from loaders.tables.axion_gen import (
    agents,
    catalog,
    curation,
    dashboards,
    external,
    favorites,
    identity,
    outbox,
    profile_schedules,
    profiles,
    revocations,
    role_assignments,
)
from loaders.tables.axion_gen.base import AxionGen

__all__ = [
    "AxionGen",
    "agents",
    "catalog",
    "curation",
    "dashboards",
    "external",
    "favorites",
    "identity",
    "outbox",
    "profile_schedules",
    "profiles",
    "revocations",
    "role_assignments",
]
