"""Limits on the values of variables: conditions and order terms travel there past the document's count of tokens."""

from collections.abc import Mapping

from gateway.limits.refusal import at_most
from gateway.settings import Limits


def check_variables(variables: Mapping[str, object], limits: Limits) -> None:
    """Raises `DocumentTooComplex`. graphql-core coerces the items of a list one by one, so they are bounded too."""
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
