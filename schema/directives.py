"""What `@defer` and `@stream` do here, in the SDL: graphql-core's own descriptions know nothing of compiled reads.

And where directives may stand, in words that clients know: graphql-core lets `@deprecated` stand at directives, too, as
the specification's draft has it, and graphql-codegen, of graphql-js 16, cannot read a schema that says so.
"""

from graphql import DirectiveLocation, GraphQLDirective, GraphQLSchema

_DESCRIPTIONS = {
    "defer": (
        "The fragment may come in a later part, for clients that accept `multipart/mixed`. Whole reads that are "
        "deferred at the root or in a namespace do, and so do fields of remote warehouses; within a read of tables, "
        "which is one statement, the fragment comes with the read."
    ),
    "stream": (
        "The rest of the list may come in later parts, for clients that accept `multipart/mixed`. The tables of a "
        "dataset do; `nodes` and `edges` of a connection come with one statement, and at once."
    ),
}


def describe_directives(schema: GraphQLSchema) -> None:
    """Before the schema is used: its directives are replaced by described copies."""
    schema.directives = tuple(_described(directive) for directive in schema.directives)


def _described(directive: GraphQLDirective) -> GraphQLDirective:
    known = tuple(place for place in directive.locations if place is not DirectiveLocation.DIRECTIVE_DEFINITION)
    description = _DESCRIPTIONS.get(directive.name, directive.description)
    return GraphQLDirective(**(directive.to_kwargs() | {"description": description, "locations": known}))
