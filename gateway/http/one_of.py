"""Validates variables within OneOf input objects.

graphql-core 3.3 looks for them only where the object is neither in a list nor non-null, and so misses those of
`[Order!]`; strawberry's own rule fails where a fragment stands before its operation, and at a variable that is not
defined.
"""

from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    ObjectFieldNode,
    OperationDefinitionNode,
    ValidationContext,
    ValidationRule,
    VariableNode,
    get_named_type,
    is_input_object_type,
    is_non_null_type,
    type_from_ast,
)


class OneOfVariablesRule(ValidationRule):
    """A variable for a field of a OneOf input object is non-null (GraphQL specification, "All Variable Usages Are
    Allowed"). What graphql-core finds is left to it.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._one_of: dict[int, GraphQLInputObjectType] = {}  # by the variable's place in the AST
        self._operations: list[OperationDefinitionNode] = []

    def enter_object_field(self, field: ObjectFieldNode, *_: Any) -> None:
        """Where the type of a variable is asked, it cannot be told from an item of a list of such objects."""
        parent = self.context.get_parent_input_type()
        if not isinstance(field.value, VariableNode) or parent is None or is_input_object_type(parent):
            return
        one_of = get_named_type(parent)
        if is_input_object_type(one_of) and one_of.is_one_of:
            self._one_of[id(field.value)] = one_of

    def enter_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        self._operations.append(operation)

    def leave_document(self, *_: Any) -> None:
        """Only now all fragments have been seen."""
        for operation in self._operations if self._one_of else ():
            self._check(operation)

    def _check(self, operation: OperationDefinitionNode) -> None:
        defined = {each.variable.name.value: each for each in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            one_of = self._one_of.get(id(usage.node))
            definition = defined.get(usage.node.name.value)
            if one_of is None or definition is None:
                continue
            type_ = type_from_ast(self.context.schema, definition.type)
            if not is_non_null_type(type_):
                message = (
                    f"Variable '${usage.node.name.value}' is of type '{type_}' but must be non-nullable to be used for "
                    f"OneOf Input Object '{one_of}'."
                )
                self.report_error(GraphQLError(message, [definition, usage.node]))
