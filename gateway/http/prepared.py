"""The operation a request asks for, where its caller may ask for it."""

from gateway.http.authentication import Authenticated
from gateway.http.documents import Operation
from gateway.http.operations import Operations
from gateway.http.refusal import Refusal
from gateway.http.request import GraphQLRequest
from loaders.errors import DENIALS
from resolvers.context import Denials


def prepared(
    operations: Operations,
    request: GraphQLRequest,
    authenticated: Authenticated,
    *,
    request_id: str,
    denials: Denials | None,
) -> Operation:
    """As `Operations.prepare`; a denial is noted."""
    try:
        return operations.prepare(request, anonymous=authenticated.subject.is_anonymous)
    except Refusal as refusal:
        for _, code in refusal.errors:
            if code in DENIALS and denials is not None:
                denials.denied("", request_id, "field:Query.__schema", code)
        raise
