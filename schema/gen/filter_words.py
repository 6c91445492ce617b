"""The kinds and operators of filters, of dashboards and of remote tables alike."""

from loaders.tables.axion_gen.dashboards import FILTER_KINDS, OPERATORS
from schema.mapping.enums import enum_of_words

GenFilterKind = enum_of_words(
    FILTER_KINDS,
    "GenFilterKind",
    "The kind of value that a filter takes.",
    {
        "text": "Text.",
        "number": "A number.",
        "boolean": "True or false.",
        "date": "A date.",
        "time_range": "A pair of instants: the first is included, the second excluded.",
        "select": "One or more of the column's values.",
    },
)
GenFilterOperator = enum_of_words(
    OPERATORS,
    "GenFilterOperator",
    "How a filter compares a column with its value.",
    {
        "eq": "Equal to.",
        "ne": "Not equal to. Nulls do not match.",
        "in": "Equal to one of a list.",
        "notIn": "Equal to none of a list. Nulls do not match.",
        "lt": "Less than.",
        "lte": "At most.",
        "gt": "Greater than.",
        "gte": "At least.",
        "between": "Between two values, both included; a `TIME_RANGE` excludes the second. A null end is open.",
        "isNull": "True: is null. False: is not null.",
        "like": "Matches an SQL LIKE pattern.",
        "ilike": "As `LIKE`, ignoring case.",
        "startsWith": "Starts with this text, taken literally.",
    },
)
