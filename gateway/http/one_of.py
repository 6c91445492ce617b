"""Validates variables within OneOf input objects.

graphql-core 3.3 looks for them only where the object is neither in a list nor non-null, and so misses those of
`[Order!]`; strawberry's own rule fails where a fragment stands before its operation, and at a variable that is not
defined.
"""

from typing import Any

from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    ValidationRule,
    get_named_type,
    is_input_object_type,
    is_non_null_type,
    type_from_ast,
)


class OneOfVariablesRule(ValidationRule):
    """A variable for a field of a OneOf input object is non-null (GraphQL specification, "All Variable Usages Are
    Allowed"). What graphql-core finds is left to it.
    """

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        defined = {each.variable.name.value: each for each in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            parent = usage.parent_type
            definition = defined.get(usage.node.name.value)
            if definition is None or parent is None or is_input_object_type(parent):
                continue
            one_of = get_named_type(parent)
            type_ = type_from_ast(self.context.schema, definition.type)
            if is_input_object_type(one_of) and one_of.is_one_of and not is_non_null_type(type_):
                message = (
                    f"Variable '${usage.node.name.value}' is of type '{type_}' but must be non-nullable to be used for "
                    f"OneOf Input Object '{one_of}'."
                )
                self.report_error(GraphQLError(message, [definition, usage.node]))
