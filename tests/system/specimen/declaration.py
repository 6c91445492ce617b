"""The declaration of the test-only table, as docs/add-a-table.md has it."""

from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one
from schema.mapping.enums import enum_of_words
from tests.system.specimen.model import WORDS, Specimen

SenseSpecimenStatus = enum_of_words(
    WORDS,
    "SenseSpecimenStatus",
    "What became of it.",
    {"pending": "Nothing yet.", "committed": "It is kept.", "lost": "It is gone."},
)


@table_type(Specimen, store="axion_sense", guard=Visible("organization", "can_view", "organization_id"))
class SenseSpecimen:
    """A row with a column of every kind."""

    small = column()
    big = column()
    ratio = column()
    price = column()
    name = column()
    status = column(enum=SenseSpecimenStatus)
    flag = column()
    ref = column()
    day = column()
    at = column()
    doc = column()
    tags = column()
    refs = column()
    place = column()
    way = column()
    area = column()
    organization = to_one("SenseOrganization", local="organization_id", description="Whose it is.")
