"""Limits the values of variables: they contain conditions and order terms that the number of a document's tokens does
not bound.
"""

from collections.abc import Mapping

from gateway.limits.refusal import at_most
from gateway.settings import Limits


def check_variables(variables: Mapping[str, object], limits: Limits) -> None:
    """Raises `DocumentTooComplex`. Items of lists are limited as well, because graphql-core coerces them one by one."""
    objects, items, depth = 0, 0, 0
    level: list[object] = list(variables.values())
    while level:
        nested: list[object] = []
        for value in level:
            if isinstance(value, dict):
                objects += 1
                nested += value.values()
            elif isinstance(value, list):
                items += len(value)
                nested += value
        at_most(limits.max_variable_objects, objects, "objects in variables")
        at_most(limits.max_variable_values, items, "values in lists of variables")
        at_most(limits.max_variable_depth, depth, "depth of variables")
        depth, level = depth + 1, nested
