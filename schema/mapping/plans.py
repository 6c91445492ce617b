"""Caches plans of operations that consist of reads of tables only. A plan is built once for all values of the
variables.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import structlog
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    coerce_input_value,
    get_nullable_type,
    is_leaf_type,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values

from loaders.bounded_cache import BoundedCache
from loaders.errors import AxionError
from loaders.parameters import fill
from loaders.read import Value
from loaders.weight import weight
from resolvers.cost import check_compared
from resolvers.planned import PlannedRead
from schema.mapping.collect import Document, fragments_of
from schema.mapping.compared import Uses, uses
from schema.mapping.compose import Composed, Place, Uncomposable, compose
from schema.mapping.object import policies
from schema.mapping.variables import Derived, Opaque, Recorder, skeleton, wrapped

_log = structlog.get_logger(__name__)

_CACHED = 40_000
"""Bound of all that is kept, in fields of reads (loaders/weight.py)."""
_TOKENS = 2
"""So many tokens of a document, which what is kept of its operations keeps alive, weigh as much as a field."""
_SMALL = 8
"""So many values or parts of a skeleton do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`texts` are the JSON before, between and after the answers of `reads`. Slots are numbered across all reads."""

    texts: tuple[str, ...]
    places: tuple[Place, ...]
    reads: tuple[PlannedRead, ...]
    values: tuple[Derived, ...]

    def text(self, answers: Sequence[str | None]) -> str:
        """The JSON of `data`. An absent object or a failed read is null."""
        parts = [self.texts[0]]
        for answer, text in zip(answers, self.texts[1:], strict=True):
            parts += ["null" if answer is None else answer, text]
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Unplanned:
    """Marks an operation that the executor has to answer."""


@dataclass(frozen=True, slots=True)
class _Operation:
    """What every request of an operation needs. `pinned` estimates the memory that its AST keeps alive, in fields."""

    types: Mapping[str, GraphQLInputType]
    uses: Uses
    pinned: int


@dataclass(frozen=True, slots=True)
class _Fork:
    """A node of the tree of plans: the next question. The child for an answer is stored under `number` and the
    answer.
    """

    question: Derived
    number: int


class Plans:
    """Plans of operations, keyed by everything that building them may look at (schema/mapping/variables.py).

    The cache is a tree. Under an operation and the skeleton of its variables stands either the plan or the first
    question to decide; under each answer stands the next one. A plan cannot depend on anything that building does not
    look at. When a plan of an operation with variables is made, it is checked that filling in the values of the
    request gives the same reads as building them from the values directly.
    """

    def __init__(self, schema: GraphQLSchema, bound: int = _CACHED) -> None:
        self._schema = schema
        self._tree: BoundedCache[Hashable, _Fork | Plan | Unplanned] = BoundedCache(bound // 2)
        self._operations: BoundedCache[Hashable, _Operation] = BoundedCache(bound // 2)
        self._numbers = count()

    @property
    def weight(self) -> int:
        return self._tree.weight + self._operations.weight

    def find(
        self,
        key: Hashable,
        document: DocumentNode,
        node: OperationDefinitionNode,
        variables: dict[str, Any],
        max_page: int,
    ) -> tuple[Plan, list[Value]] | None:
        """The plan of the operation and the values to run it with. `key` identifies the operation; `variables` are
        coerced.

        `None` if the executor has to answer: there is no plan, or the values are wrong, and the executor reports the
        errors.
        """
        operation = self._operation(key, document, node)
        try:
            check_compared(operation.uses.size(variables))
            place: Hashable = (key, max_page, skeleton(variables, operation.types))
            found = self._tree.get(place)
            root = place
            while isinstance(found, _Fork):
                place = (found.number, found.question.of(variables))
                found = self._tree.get(place)
            if found is None:
                found = self._make(root, operation, document, node, variables, max_page)
            return (found, [value.of(variables) for value in found.values]) if isinstance(found, Plan) else None
        except AxionError:
            return None

    def coerced(
        self, key: Hashable, document: DocumentNode, node: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """The variables as graphql-core coerces them; `None` if it would report errors."""
        if not node.variable_definitions:
            return {}
        types = self._operation(key, document, node).types
        if all(name in variables and is_leaf_type(get_nullable_type(type_)) for name, type_ in types.items()):
            # Given scalars need neither defaults nor a look at their depth, which cost more than their coercion.
            values = {name: coerce_input_value(variables[name], type_) for name, type_ in types.items()}
            return None if any(value is Undefined for value in values.values()) else values
        found = get_variable_values(self._schema, node.variable_definitions, dict(variables), max_errors=1)
        return found.coerced if isinstance(found, VariableValues) else None

    def _operation(self, key: Hashable, document: DocumentNode, node: OperationDefinitionNode) -> _Operation:
        found = self._operations.get(key)
        if found is None:
            definitions = node.variable_definitions or ()
            types = {
                each.variable.name.value: cast(Any, type_from_ast(self._schema, each.type)) for each in definitions
            }
            found = _Operation(types, uses(node, fragments_of(document)), _pinned(node))
            self._operations.keep(key, found, 1 + len(types) + found.pinned)
        return found

    def _make(
        self,
        root: Hashable,
        operation: _Operation,
        document: DocumentNode,
        node: OperationDefinitionNode,
        variables: dict[str, Any],
        max_page: int,
    ) -> Plan | Unplanned:
        fragments = fragments_of(document)

        def composed(values: dict[str, Any]) -> Composed:
            around = Document(self._schema, fragments, VariableValues({}, values))
            return compose(around, node, max_page=max_page)

        recorder = Recorder(variables)
        made: Plan | Unplanned
        try:
            made = _planned(composed(wrapped(variables, operation.types, recorder)), recorder)
            if operation.types and not _agrees(made, composed(variables), variables):
                _log.error("plan_differs", operation=node.name and node.name.value)
                made = Unplanned()
        except (
            Uncomposable,
            Opaque,
            GraphQLError,
        ):  # graphql-core's: a literal whose scalar reads a variable within it
            made = Unplanned()
        self._keep(root, recorder, made, operation.pinned)
        return made

    def _keep(self, root: Hashable, recorder: Recorder, made: Plan | Unplanned, pinned: int) -> None:
        """Keys are flat, so that a plan under many decisions is found as fast as one under few."""
        place, weighs = root, pinned + len(recorder.variables) + _parts(root) // _SMALL
        for question, answer in recorder.decided:
            fork = self._tree.get(place)
            if not isinstance(fork, _Fork):
                fork = _Fork(question, next(self._numbers))
                self._tree.keep(place, fork, 1 + weighs)
            place, weighs = (fork.number, answer), 0
        if isinstance(made, Plan):
            weighs += pinned + sum(weight(read.read) for read in made.reads) + len(made.values) // _SMALL
        self._tree.keep(place, made, 1 + weighs)


def _pinned(node: OperationDefinitionNode) -> int:
    """The memory that any AST node keeps alive, in fields: tokens are a linked list over the whole document."""
    token = None if node.loc is None else node.loc.start_token
    while token is not None and token.prev is not None:
        token = token.prev
    tokens = 0
    while token is not None:
        tokens, token = tokens + 1, token.next
    return tokens // _TOKENS


def _parts(skeleton: Hashable) -> int:
    return sum(map(_parts, skeleton)) + 1 if isinstance(skeleton, tuple) else 1


def _planned(composed: Composed, recorder: Recorder) -> Plan:
    guards = policies()
    reads = tuple(PlannedRead(read, guards, len(recorder.taken)) for read in composed.reads)
    return Plan(tuple(composed.texts), tuple(composed.places), reads, tuple(recorder.taken))


def _agrees(plan: Plan, composed: Composed, variables: Mapping[str, Any]) -> bool:
    values = [value.of(variables) for value in plan.values]
    reads = [fill(read.read, values) for read in plan.reads]
    return (list(plan.texts), list(plan.places), reads) == (composed.texts, composed.places, composed.reads)
