"""Limits on the values of variables: conditions and order terms travel there past the document's count of tokens."""

from collections.abc import Mapping

from gateway.limits.refusal import at_most
from gateway.settings import Limits


def check_variables(variables: Mapping[str, object], limits: Limits) -> None:
    """Raises `DocumentTooComplex`. Lists of plain values, such as the operand of `in`, count by their depth alone."""
    objects, depth = 0, 0
    level: list[object] = list(variables.values())
    while level:
        nested: list[object] = []
        for value in level:
            if isinstance(value, dict):
                objects += 1
                nested += value.values()
            elif isinstance(value, list):
                nested += value
        at_most(limits.max_variable_objects, objects, "objects in variables")
        at_most(limits.max_variable_depth, depth, "depth of variables")
        depth, level = depth + 1, nested
