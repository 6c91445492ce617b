from loaders.tables.axion_gen import curation
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one
from schema.mapping.enums import enum_of_words

GenMetricKind = enum_of_words(
    curation.METRIC_KINDS,
    "GenMetricKind",
    "How a metric is defined.",
    {
        "simple": "One measure of the rows of a table.",
        "ratio": "One metric divided by another.",
        "derived": "Arithmetic on other metrics.",
        "cumulative": "A metric accumulated over time.",
    },
)


@table_type(curation.SemanticMetric, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenSemanticMetric:
    """A version of a semantic metric of a dataset. `isCurrent` marks the current one."""

    name = column()
    version = column()
    is_current = column()
    title = column()
    description = column()
    unit = column()
    kind = column("How it is defined.", enum=GenMetricKind)
    table_name = column()
    grain = column()
    time_column = column()
    dimensions = column()
    definition = column()
    author_subject = column()
    created_at = column()
    author = to_one(
        "GenUser",
        local="author_subject",
        remote="external_auth_id",
        description="The user who wrote this version, if you may see them.",
    )
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the metric.")
