"""The ASGI application: the routes of the gateway and its middleware."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import strawberry
from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from gateway.auth.demo_issuer import DEMO_USERS, demo_issuer_routes
from gateway.http.graphiql import Explorer
from gateway.http.graphql import GraphQL
from gateway.http.health import Readiness, live
from gateway.http.request_log import RequestLog
from gateway.http.tiles import Tiles
from gateway.lifespan import Opened, Runtime, open_runtime
from gateway.metrics import metrics
from gateway.settings import Settings


class _State(TypedDict):
    runtime: Runtime


def create_app(
    settings: Settings, schema: strawberry.Schema | None = None, *, opened: Opened = open_runtime
) -> Starlette:
    """Serves the gateway's own schema unless another is given. `opened` opens what requests need for the life of the
    process.
    """
    demo_routes = demo_issuer_routes(settings)
    explorer = Explorer(tuple(DEMO_USERS) if demo_routes else ())
    endpoint = GraphQL(_graphql_schema(schema), settings, explorer)

    @asynccontextmanager
    async def lifespan(_: _Gateway) -> AsyncIterator[_State]:
        async with opened(settings) as runtime:
            yield {"runtime": runtime}

    routes: list[BaseRoute] = [
        *explorer.routes(),
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", Readiness().ready, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
        Route("/tiles/{dataset}/{table:path}/{map}.pmtiles", Tiles(settings.limits), methods=["GET", "HEAD"]),
        Route("/", _root, methods=["GET"]),
        *demo_routes,
    ]
    return _Gateway(endpoint, routes, settings.http.allowed_origins, lifespan)


class _Gateway(Starlette):
    """Answers GraphQL's path before routing, since Starlette's stack takes a third of the time of the cheapest
    request.
    """

    def __init__(
        self, endpoint: GraphQL, routes: list[BaseRoute], origins: tuple[str, ...], lifespan: Lifespan["_Gateway"]
    ) -> None:
        around = [Middleware(RequestLog), *_cors(origins)]
        super().__init__(routes=routes, middleware=around, lifespan=lifespan, exception_handlers={404: _not_found})
        self._graphql: ASGIApp = endpoint
        for each in reversed(around):
            self._graphql = each.cls(self._graphql, *each.args, **each.kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and scope["path"] == "/graphql":
            await self._graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _graphql_schema(schema: strawberry.Schema | None) -> GraphQLSchema:
    from schema.build import build, graphql_schema

    return graphql_schema(build() if schema is None else schema)


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    """Without origins in the settings, pages of other sites can neither read answers nor send requests that need a
    preflight.

    Pages of the origins may send any header: clients and tracers add their own (`apollographql-client-name`,
    `traceparent`, `baggage`), and callers are known by a token that no browser sends by itself.
    """
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
            expose_headers=[
                "x-request-id",
                "retry-after",
                "www-authenticate",
                "etag",
                "content-range",
                "accept-ranges",
            ],
        )
    ]


async def _root(_: Request) -> Response:
    return RedirectResponse("/graphiql")


async def _not_found(_: Request, __: Exception) -> Response:
    return JSONResponse({"message": "Nothing is here. The API is at /graphql, its explorer at /graphiql."}, 404)
