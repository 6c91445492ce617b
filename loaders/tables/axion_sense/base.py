"""The declarative base of database `axion_sense`."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from loaders.tables.columns import NAMES, TYPES


class AxionSense(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = TYPES
