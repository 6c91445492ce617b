"""A request that ends before anything is executed: its HTTP status and its errors."""

from collections.abc import Mapping, Sequence

from graphql import GraphQLError

from loaders.errors import Code


class Refusal(Exception):
    """`well_formed` GraphQL requests are answered with 200 to clients that accept only `application/json`.

    That is what GraphQL over HTTP asks for: such a client reads the body only when the status is 200.
    """

    def __init__(
        self,
        status: int,
        errors: Sequence[tuple[GraphQLError, Code]],
        *,
        well_formed: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(errors[0][0].message)
        self.status = status
        self.errors = errors
        self.well_formed = well_formed
        self.headers = headers or {}


def refuse(
    status: int,
    code: Code,
    message: str,
    *,
    well_formed: bool = False,
    headers: Mapping[str, str] | None = None,
    **extensions: str | int,
) -> Refusal:
    """The refusal of a whole request for one reason. `extensions` join the code in the error."""
    error = GraphQLError(message, extensions=dict(extensions))
    return Refusal(status, [(error, code)], well_formed=well_formed, headers=headers)
