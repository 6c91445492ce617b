"""What the oracle refuses, by the code that the API says it with."""

from typing import Literal, TypeAlias

from graphql import GraphQLError

Code: TypeAlias = Literal[
    "BAD_USER_INPUT",
    "INVALID_ID",
    "INVALID_CURSOR",
    "PAGE_TOO_LARGE",
    "GRAPHQL_VALIDATION_FAILED",
    "FORBIDDEN",
    "ENUM_VALUE_UNKNOWN",
]
DENIED: Code = "FORBIDDEN"


def wrong(reason: str, code: Code = "BAD_USER_INPUT") -> GraphQLError:
    return GraphQLError(reason, extensions={"code": code})
