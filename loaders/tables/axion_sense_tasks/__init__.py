"""Models of database `axion_sense_tasks`."""

from loaders.tables.axion_sense_tasks import jobs
from loaders.tables.axion_sense_tasks.base import AxionSenseTasks

__all__ = ["AxionSenseTasks", "jobs"]
