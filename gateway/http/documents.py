"""Parses, limits and validates documents, and caches them by their text within a bound."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from sys import getsizeof

import orjson
from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    OperationType,
    VariablesInAllowedPositionRule,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from gateway.http.incremental import answered_at_once, comes_in_parts, incremental
from gateway.http.one_of import OneOfVariablesRule
from gateway.http.refusal import Refusal, refuse
from gateway.limits.check import check_document, check_text
from gateway.limits.overlaps import merged
from gateway.limits.refusal import DocumentTooComplex
from gateway.limits.variables import check_variables
from gateway.limits.weight import INTROSPECTION
from gateway.settings import Limits
from loaders.errors import Code
from schema.mapping.collect import fragments_of
from schema.mapping.deferred import defers_reads

_OF_VARIABLES = (
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    VariablesInAllowedPositionRule,
    OneOfVariablesRule,
)
"""They walk all that an operation reaches once more, so they see only documents that are valid without them."""
_RULES = (
    *(rule for rule in specified_rules if rule not in _OF_VARIABLES),
    MaybeNullValidationRule,
)
_SUGGESTING_TOKENS = 500
"""Suggestions compare a wrong name with every name there is: they are for documents as people write them."""
_MAX_ERRORS = 10
_CACHED_KB = 100_000
"""The cache's size: a token's share of a parsed document is about 1 kB, and its text is kept beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document. `name` selects it there; `None` if it is the only one and has no name.

    - `introspects`: it selects `__schema` or `__type`, perhaps among other fields.
    - `constant`: the complete answer, for an operation that selects nothing but `__typename`, as probes do.
    - `document`: without `@defer` and `@stream`. `in_parts` is the document with them, if it has any, for clients that
      accept an answer in parts.
    - `defers_reads`: whole reads of tables are deferred, so that the operation has to be executed rather than planned.
    """

    document: DocumentNode
    node: OperationDefinitionNode
    name: str | None
    introspects: bool
    constant: bytes | None = None
    in_parts: DocumentNode | None = None
    defers_reads: bool = False

    @property
    def kind(self) -> OperationType:
        return self.node.operation


@dataclass(frozen=True, slots=True)
class _Document:
    operations: Mapping[str | None, Operation]
    kb: int


class Documents:
    """Prepares documents for one schema. Refused documents are not cached."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, suggests: bool = True) -> None:
        """`suggests`: whether validation errors may suggest names that are similar to a wrong one."""
        self._schema = schema
        self._limits = limits
        self._suggests = suggests
        self._documents: OrderedDict[str, _Document] = OrderedDict()
        self._kb = 0

    def prepare(
        self, text: str, operation_name: str | None, variables: Mapping[str, object] | None = None
    ) -> Operation:
        """Raises `Refusal` for a syntax error, an exceeded limit, an invalid document, or a missing operation."""
        if variables:
            try:
                check_variables(variables, self._limits)
            except DocumentTooComplex as error:
                raise _too_complex(error) from None
        document = self._documents.get(text)
        if document is None:
            document = self._read(text)
            self._keep(text, document)
        else:
            self._documents.move_to_end(text)
        return _select(document, operation_name)

    def _keep(self, text: str, document: _Document) -> None:
        self._documents[text] = document
        self._kb += document.kb
        while self._kb > _CACHED_KB and len(self._documents) > 1:
            _, oldest = self._documents.popitem(last=False)
            self._kb -= oldest.kb

    def _read(self, text: str) -> _Document:
        try:
            tokens = check_text(text, self._limits)
            parsed = parse(text)
            check_document(parsed, self._limits)
            errors = self._errors(parsed, _RULES, tokens)
            if not errors and "$" in text:
                errors = self._errors(parsed, _OF_VARIABLES, tokens)
        except DocumentTooComplex as error:
            raise _too_complex(error) from None
        except GraphQLSyntaxError as error:
            raise Refusal(400, [(error, Code.GRAPHQL_PARSE_FAILED)], well_formed=True) from None
        except GraphQLError as error:
            errors = [error]
        if errors:
            coded = [(error, Code.GRAPHQL_VALIDATION_FAILED) for error in errors]
            raise Refusal(400, coded, well_formed=True)
        given = parsed if ("defer" in text or "stream" in text) and incremental(parsed) else None
        document = parsed if given is None else answered_at_once(parsed)
        operations = self._operations(document)
        if given is not None and comes_in_parts(given):
            operations = [self._in_parts(operation, given) for operation in operations]
        kb = getsizeof(text) // 1_000 + (tokens if given is None else 2 * tokens)
        return _Document({each.name: each for each in operations}, kb)

    def _operations(self, document: DocumentNode) -> list[Operation]:
        fragments = fragments_of(document)
        return [
            Operation(document, node, _name(node), _introspects(node, fragments), self._constant(node))
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        ]

    def _constant(self, operation: OperationDefinitionNode) -> bytes | None:
        selections = operation.selection_set.selections
        fields = [each for each in selections if isinstance(each, FieldNode) and each.name.value == "__typename"]
        directives = operation.directives or any(each.directives for each in fields)
        plain = len(fields) == len(selections) and not directives and not operation.variable_definitions
        if operation.operation is not OperationType.QUERY or not plain or self._schema.query_type is None:
            return None
        name = self._schema.query_type.name
        return orjson.dumps({"data": {(each.alias or each.name).value: name for each in fields}})

    def _in_parts(self, operation: Operation, given: DocumentNode) -> Operation:
        if operation.introspects or operation.kind is OperationType.SUBSCRIPTION:
            return operation
        (node,) = (
            node
            for node in given.definitions
            if isinstance(node, OperationDefinitionNode) and _name(node) == operation.name
        )
        defers = defers_reads(self._schema, node, fragments_of(given))
        return replace(operation, in_parts=given, defers_reads=defers)

    def _errors(
        self, parsed: DocumentNode, rules: Collection[type[ASTValidationRule]], tokens: int
    ) -> list[GraphQLError]:
        """At most `_MAX_ERRORS` and one more, by which graphql-core tells that it stopped."""
        hide = not self._suggests or tokens > _SUGGESTING_TOKENS
        return validate(self._schema, parsed, rules, max_errors=_MAX_ERRORS, hide_suggestions=hide)


def _too_complex(error: DocumentTooComplex) -> Refusal:
    details = {"limit": error.limit, "found": error.found, "maximum": error.maximum}
    shown = GraphQLError(str(error), extensions=details)
    return Refusal(400, [(shown, Code.DOCUMENT_TOO_COMPLEX)], well_formed=True)


def _introspects(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether a query selects `__schema` or `__type`; other operations cannot."""
    if operation.operation is not OperationType.QUERY:
        return False
    fields = merged([operation.selection_set], fragments)[0].values()
    return any(node.name.value in INTROSPECTION for nodes in fields for node in nodes)


def _name(node: OperationDefinitionNode) -> str | None:
    return None if node.name is None else node.name.value


def _select(document: _Document, name: str | None) -> Operation:
    if name is None and len(document.operations) == 1:
        return next(iter(document.operations.values()))
    if name is not None and name in document.operations:
        return document.operations[name]
    if not document.operations:
        message = "The document holds no operation: add a query, a mutation or a subscription."
    elif name is None:
        message = "The document holds several operations: name one of them in operationName."
    else:
        message = "The document holds no operation of the name in operationName."
    raise refuse(400, Code.REQUEST_INVALID, message, well_formed=True)
