"""The executor without anything kept, and the plan with everything kept: they must answer alike."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

from gateway.http.answer import executed
from gateway.http.coordinates import Coordinates
from gateway.http.execution import execute
from gateway.http.operations import Operations
from gateway.http.request import GraphQLRequest
from gateway.lifespan import Runtime
from gateway.settings import Limits
from loaders import prepared
from loaders.bounded_cache import BoundedCache
from loaders.prepared import Prepared
from loaders.read import Read
from resolvers.context import Context
from resolvers.subject import ANONYMOUS, Subject
from schema.build import build, graphql_schema

Variables = Mapping[str, Any] | None
SUBJECTS = {
    "admin": Subject("demo|admin", user_id=1),
    "analyst": Subject("demo|analyst", user_id=2),
    "stranger": Subject("demo|stranger", user_id=3),
}
"""Who has signed in; `nobody` has not."""


def _subject(user: str | Subject) -> Subject:
    if isinstance(user, Subject):
        return user
    return ANONYMOUS if user == "nobody" else SUBJECTS[user]


class Ways:
    def __init__(self, runtime: Runtime, limits: Limits) -> None:
        self._runtime = runtime
        self._schema = graphql_schema(build())
        self.operations = Operations(self._schema, limits)

    def context(self, user: str | Subject) -> Context:
        return self._runtime.new_context(_subject(user), "request", None)

    async def executed(self, document: str, variables: Variables = None, user: str | Subject = "admin") -> str:
        """By graphql-core's executor, every statement compiled anew."""
        kept = prepared._prepared
        prepared._prepared = BoundedCache[Read, Prepared](0)
        try:
            context = self.context(user)
            operation = self.operations.prepare(_request(document, variables))
            result = execute(self._schema, operation, variables, context)
            if inspect.isawaitable(result):
                result = await result
            return _shown(executed(result, context, Coordinates(self._schema, operation), with_stores=False).encode())
        finally:
            prepared._prepared = kept

    async def planned(self, document: str, variables: Variables = None, user: str | Subject = "admin") -> str:
        """As a request is answered. What has no plan fails the test."""
        assert self.has_plan(document, variables, user), document
        return await self.answered(document, variables, user)

    async def answered(self, document: str, variables: Variables = None, user: str | Subject = "admin") -> str:
        """As a request is answered, with or without a plan."""
        return await self.answered_in(document, self.context(user), variables)

    async def answered_in(self, document: str, context: Context, variables: Variables = None) -> str:
        """As `answered`, in a context of the caller's."""
        request = _request(document, variables)
        answer = self.operations.run(self.operations.prepare(request), request, context)
        if inspect.isawaitable(answer):
            answer = await answer
        return _shown(answer.encode())

    def has_plan(self, document: str, variables: Variables = None, user: str | Subject = "admin") -> bool:
        operation = self.operations.prepare(_request(document, variables))
        running = self.operations._planned.run(operation, variables, self.context(user))
        if running is None:
            return False
        assert inspect.iscoroutine(running)
        running.close()
        return True


def _request(document: str, variables: Variables) -> GraphQLRequest:
    return GraphQLRequest(document, None, variables, None)


def _shown(body: bytes) -> str:
    """With the order of all keys, and the errors, which come in the order of their failing, in that of their paths."""
    shown = json.loads(body)
    if "errors" in shown:
        shown["errors"].sort(key=lambda error: json.dumps(error.get("path")))
    return json.dumps(shown, indent=1)
