"""Describes `@defer` and `@stream` in the SDL as they behave here: graphql-core's descriptions know no compiled reads.

It also limits directive locations to those that clients know: graphql-core allows `@deprecated` on directives, as the
specification's draft does, and graphql-codegen, which uses graphql-js 16, cannot parse a schema that says so.
"""

from graphql import DirectiveLocation, GraphQLDirective, GraphQLSchema

_DESCRIPTIONS = {
    "defer": (
        "The fragment may arrive in a later part, for clients that accept `multipart/mixed`. Root fields and fields "
        "of namespaces and of remote warehouses are deferred; below a table-backed field, whose whole selection is "
        "one statement, the fragment arrives with that field."
    ),
    "stream": (
        "The rest of the list may arrive in later parts, for clients that accept `multipart/mixed`. The tables of a "
        "dataset are streamed; `nodes` and `edges` of a connection are one statement and arrive together."
    ),
}


def describe_directives(schema: GraphQLSchema) -> None:
    """Replaces the schema's directives by described copies. Call it before the schema is used."""
    schema.directives = tuple(_described(directive) for directive in schema.directives)


def _described(directive: GraphQLDirective) -> GraphQLDirective:
    known = tuple(place for place in directive.locations if place is not DirectiveLocation.DIRECTIVE_DEFINITION)
    description = _DESCRIPTIONS.get(directive.name, directive.description)
    return GraphQLDirective(**(directive.to_kwargs() | {"description": description, "locations": known}))
