"""What a role may be assigned to."""

from enum import Enum

from schema.mapping.enums import described_enum


class ResourceType(Enum):
    SYSTEM = "system"
    DATASOURCE = "datasource"
    DATASET = "dataset"
    TABLE = "table"


GenResourceType = described_enum(
    ResourceType,
    "GenResourceType",
    "What a role can be assigned to.",
    {
        ResourceType.SYSTEM: "Everything: all data sources, datasets and tables.",
        ResourceType.DATASOURCE: "A data source and everything below it.",
        ResourceType.DATASET: "A dataset and its tables.",
        ResourceType.TABLE: "One table of a dataset.",
    },
)
