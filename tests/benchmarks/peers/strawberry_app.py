"""`python -m tests.benchmarks.peers.strawberry_app PORT`: strawberry's own ASGI app with its caches on.

Its schema is as small as one can be, which is in its favour.
"""

import sys

import strawberry
import uvicorn
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache


@strawberry.type
class Query:
    hello: str = "hello"


def app() -> "GraphQL[object, object]":
    schema = strawberry.Schema(
        Query, extensions=[lambda: ParserCache(maxsize=128), lambda: ValidationCache(maxsize=128)]
    )
    return GraphQL(schema, graphql_ide=None)


if __name__ == "__main__":
    uvicorn.run(
        app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
