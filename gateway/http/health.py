"""`/health/live`: the process answers. `/health/ready`: each store by name; 503 when a required one is down."""

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Protocol, TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.lifespan import Ping
from loaders.errors import AxionError, Code

_TIMEOUT_SECONDS = 2.0
_Found: TypeAlias = tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]


class Probed(Protocol):
    """The stores that a gateway or worker cannot work without, and those without which it is degraded."""

    @property
    def required(self) -> Mapping[str, Ping]: ...

    @property
    def optional(self) -> Mapping[str, Ping]: ...


async def live(_: Request) -> Response:
    return _answer(200, {"status": "live"})


class Readiness:
    """Probes the stores for this process. Callers that arrive while a probe is running share its result."""

    def __init__(self) -> None:
        self._asking: asyncio.Future[_Found] | None = None

    async def ready(self, request: Request) -> Response:
        """`ready`, `degraded` (an optional store is down; its fields answer with errors) or `unavailable`."""
        if self._asking is None or self._asking.done():
            runtime: Probed = request.state.runtime
            self._asking = asyncio.gather(_ask(runtime.required), _ask(runtime.optional))
        required, optional = await asyncio.shield(self._asking)
        if any(store["state"] == "down" for store in required.values()):
            status = "unavailable"
        elif any(store["state"] == "down" for store in optional.values()):
            status = "degraded"
        else:
            status = "ready"
        stores = {
            **{name: {**store, "required": True} for name, store in required.items()},
            **{name: {**store, "required": False} for name, store in optional.items()},
        }
        return _answer(503 if status == "unavailable" else 200, {"status": status, "stores": stores})


async def _ask(pings: Mapping[str, Ping]) -> dict[str, dict[str, Any]]:
    answers = await asyncio.gather(*(_probe(ping) for ping in pings.values()))
    return dict(zip(pings, answers, strict=True))


async def _probe(ping: Ping) -> dict[str, Any]:
    """Probes all stores concurrently, each under the time-out."""
    started = perf_counter()
    failure: dict[str, str] = {}
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await ping()
    except TimeoutError:
        failure = {"code": Code.STORE_TIMEOUT.value, "message": f"No answer within {_TIMEOUT_SECONDS} s."}
    except AxionError as error:
        failure = {"code": error.code.value, "message": str(error)}
    ms = round((perf_counter() - started) * 1000, 1)
    return {"state": "down" if failure else "up", "ms": ms, **failure}


def _answer(status: int, body: dict[str, Any]) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(body), status, headers=headers, media_type="application/json")
