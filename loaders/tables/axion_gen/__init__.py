"""Models of database `axion_gen`."""

from loaders.tables.axion_gen import catalog, dashboards, identity
from loaders.tables.axion_gen.base import AxionGen

__all__ = ["AxionGen", "catalog", "dashboards", "identity"]
