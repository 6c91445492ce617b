"""Models of database `axion_gen`."""

from loaders.tables.axion_gen import catalog, dashboards, identity, outbox, role_assignments
from loaders.tables.axion_gen.base import AxionGen

__all__ = ["AxionGen", "catalog", "dashboards", "identity", "outbox", "role_assignments"]
