"""The product's own mutations, executed in this process as a demo user: the same documents a client would send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult

from deploy.local.errors import StackError
from gateway.context import Contexts
from gateway.http.documents import Documents
from gateway.http.execution import execute
from gateway.settings import Limits
from resolvers.subject import Subject
from schema.build import build, graphql_schema


@dataclass(frozen=True, slots=True)
class Operations:
    contexts: Contexts
    subject: Subject

    async def run(self, text: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The operation's `data`. `StackError` when it answers errors."""
        schema = graphql_schema(build())
        operation = Documents(schema, Limits()).prepare(text, None)
        result = execute(schema, operation, variables, self.contexts(self.subject, "demo-data"))
        if not isinstance(result, ExecutionResult):
            result = await result
        if result.errors:
            raise StackError(f"{operation.name or operation.kind.value}: {result.errors[0].message}")
        return orjson.loads(orjson.dumps(result.data))
