"""The `Read`: one relational read as a value, from the GraphQL selection to the statement of a store.

Frozen and hashable all the way down. Stations map `Read -> Read` (guard, plan) or `Read -> statement` (compile); nobody
edits one in place. Keys of output objects are the response keys of the document (aliases applied), in document order.
"""

from loaders.read.aggregate import Aggregate, AggregateFunction, Figures, GroupOrder, Having, Measure, figure
from loaders.read.expression import (
    Bucket,
    Col,
    CosineSimilarity,
    Digest,
    Expression,
    JsonPath,
    Masked,
    Slot,
    Unit,
    Value,
    WeekStart,
    Words,
)
from loaders.read.joined import Joined
from loaders.read.order import CountOf, OrderBy, Page, SortKey, Through
from loaders.read.output import Computed, Literal, NodeId
from loaders.read.predicate import Among, And, Compare, Exists, Join, Never, Not, Op, Or, Predicate, is_never
from loaders.read.tree import (
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Field,
    Nodes,
    Output,
    PageInfo,
    PageInfoPart,
    Read,
    Related,
    TotalCount,
)

__all__ = [
    "Aggregate",
    "AggregateFunction",
    "Among",
    "And",
    "Bucket",
    "Col",
    "Compare",
    "Computed",
    "Connection",
    "ConnectionPart",
    "CosineSimilarity",
    "CountOf",
    "Digest",
    "EdgePart",
    "Edges",
    "Exists",
    "Expression",
    "Field",
    "Figures",
    "GroupOrder",
    "Having",
    "Join",
    "Joined",
    "JsonPath",
    "Literal",
    "Masked",
    "Measure",
    "Never",
    "NodeId",
    "Nodes",
    "Not",
    "Op",
    "Or",
    "OrderBy",
    "Output",
    "Page",
    "PageInfo",
    "PageInfoPart",
    "Predicate",
    "Read",
    "Related",
    "Slot",
    "SortKey",
    "Through",
    "TotalCount",
    "Unit",
    "Value",
    "WeekStart",
    "Words",
    "figure",
    "is_never",
]
