"""Checks all limits of a document, the cheapest first: before validation, whose cost they bound, and before
execution.
"""

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode

from gateway.limits.introspection import check_introspection
from gateway.limits.overlaps import check_overlaps, merged
from gateway.limits.refusal import at_most
from gateway.limits.tokens import measure_tokens
from gateway.limits.weight import Weigher, Weight
from gateway.settings import Limits

_MAX_FRAGMENTS = 150
_STRINGS = 4
"""Strings and comments together may be this many times as long as the longest single one: graphql-core reads each
character individually.
"""
_IN_VARIABLES = "longer values belong in variables"
_MAX_WALKS = 1_000
"""The limit for operations times fragments, because several validation rules walk every fragment for every
operation.
"""


def check_text(text: str, limits: Limits) -> int:
    """The document's number of tokens. Raises `DocumentTooComplex` when the document is too long to be parsed."""
    at_most(limits.max_document_chars, len(text), "characters")
    tokens = measure_tokens(text, stop_after=limits.max_tokens)
    at_most(limits.max_tokens, tokens.count, "tokens")
    at_most(limits.max_string_chars, tokens.longest, "characters in one token", advice=_IN_VARIABLES)
    in_all = _STRINGS * limits.max_string_chars
    at_most(in_all, tokens.text, "characters in strings and comments", advice=_IN_VARIABLES)
    return tokens.count


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Checks each operation on its own. Fields count once for each time a fragment is spread.

    Raises `DocumentTooComplex`, and graphql-core's own validation error for a fragment that contains itself.
    """
    definitions = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    fragments = {node.name.value: node for node in definitions}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    at_most(_MAX_FRAGMENTS, len(definitions), "fragments")
    at_most(_MAX_WALKS, len(operations) * len(definitions), "operations times fragments")
    weigher = Weigher(fragments)
    for operation in operations:
        _check_weight(weigher.weigh(operation.selection_set), limits)
        at_most(limits.max_root_fields, len(merged([operation.selection_set], fragments)[0]), "root fields")
        at_most(limits.max_variables, len(operation.variable_definitions or ()), "variables")
        check_introspection(operation.selection_set, fragments)
    for fragment in definitions:  # including unused ones: validation walks them as well
        _check_weight(weigher.weigh(fragment.selection_set), limits)
    roots = [definition.selection_set for definition in (*operations, *definitions)]
    check_overlaps(roots, fragments, maximum=limits.max_overlaps)


def _check_weight(weight: Weight, limits: Limits) -> None:
    at_most(limits.max_depth, weight.depth, "depth")
    at_most(limits.max_aliases, weight.aliases, "aliases")
    at_most(limits.max_directives, weight.directives, "directives")
    at_most(limits.max_fields, weight.fields, "fields")
    at_most(2 * limits.max_fields, weight.selections, "fields and fragments")
