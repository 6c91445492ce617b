"""Parses the parameters of a GraphQL request from a JSON body or a query string."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

from gateway.http.exact_json import NumberRefused, exact_json
from gateway.http.refusal import Refusal, refuse
from loaders.errors import Code

_MAX_PARAMETERS = 20


@dataclass(slots=True)  # not frozen, as `Incoming`
class GraphQLRequest:
    query: str | None
    operation_name: str | None
    variables: Mapping[str, Any] | None
    extensions: Mapping[str, Any] | None
    document_id: str | None = None

    @property
    def wants_stores(self) -> bool:
        """`"extensions": {"stores": true}` asks for the operation's ledger, as the header `X-Axion-Stores: 1` does."""
        return self.extensions is not None and self.extensions.get("stores") is True

    @property
    def idempotency_key(self) -> str | None:
        """`"extensions": {"idempotencyKey": "..."}`, for transports without headers: as `Idempotency-Key`."""
        return None if self.extensions is None else self.extensions.get("idempotencyKey")

    @property
    def asks_as_apollo(self) -> bool:
        """The document by `extensions.persistedQuery`, and not by `documentId`."""
        return self.extensions is not None and self.extensions.get("persistedQuery") is not None


def from_body(body: bytes) -> GraphQLRequest:
    """Raises `Refusal` 400 unless the body is a JSON object of the right shape."""
    try:
        parameters = exact_json(body)
    except NumberRefused as error:
        raise _invalid(f"The request body cannot be read: {error.msg}") from None
    except json.JSONDecodeError as error:
        raise _invalid(
            f"The request body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    if isinstance(parameters, list):
        raise _invalid("Batches are not supported: send each operation as its own request, over one connection.")
    return from_parameters(parameters)


def from_query_string(query_string: bytes) -> GraphQLRequest:
    """Raises `Refusal` 400. `variables` and `extensions` are JSON texts."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except (UnicodeDecodeError, ValueError):
        raise _invalid(f"The query string cannot be read, or has more than {_MAX_PARAMETERS} parameters.") from None
    parameters: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                parameters[name] = exact_json(parameters[name].encode())
            except NumberRefused as error:
                raise _invalid(f"The parameter {name} cannot be read: {error.msg}") from None
            except json.JSONDecodeError as error:
                raise _invalid(f"The parameter {name} is not JSON: {error.msg}.") from None
        else:
            parameters[name] = None
    return from_parameters(parameters)


def from_parameters(parameters: object) -> GraphQLRequest:
    """Raises `Refusal` 400 when a parameter is missing or has the wrong type. Unknown parameters are ignored."""
    if not _is_object(parameters):
        raise _invalid('The request must be a JSON object such as {"query": "{ __typename }"}.')
    query = parameters.get("query")
    if not isinstance(query, str | None):
        raise _invalid("The parameter query must be a text that holds a GraphQL document.")
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _invalid("The parameter operationName must be a text or null.")
    extensions = _map(parameters, "extensions")
    if extensions is not None and not isinstance(extensions.get("idempotencyKey"), str | None):
        raise _invalid("extensions.idempotencyKey must be a text.")
    document_id = _document_id(parameters, extensions)
    if not query and document_id is None:
        raise _invalid("The parameter query must hold a GraphQL document, or documentId name a trusted one.")
    return GraphQLRequest(query or None, name or None, _map(parameters, "variables"), extensions, document_id)


def _document_id(parameters: Mapping[str, Any], extensions: Mapping[str, Any] | None) -> str | None:
    """`documentId`, or where clients of Apollo, urql and Relay put it: `extensions.persistedQuery.sha256Hash`."""
    persisted = None if extensions is None else extensions.get("persistedQuery")
    if not (persisted is None or _is_object(persisted)):
        raise _invalid("extensions.persistedQuery must be an object.")
    given = parameters.get("documentId")
    document_id = given if given is not None or persisted is None else persisted.get("sha256Hash")
    if not isinstance(document_id, str | None):
        raise _invalid("The id of a document must be a text.")
    return document_id or None


def _map(parameters: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = parameters.get(name)
    if value is None:
        return None
    if not _is_object(value):
        raise _invalid(f"The parameter {name} must be a JSON object or null.")
    return value


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _invalid(message: str) -> Refusal:
    return refuse(400, Code.REQUEST_INVALID, message)
