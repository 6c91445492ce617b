"""A proxy in front of BigQuery's emulator that does what no emulator does: authenticate, report bytes, and limit
queries.

It knows one service account by its public key, as Google does, and accepts tokens that the account has signed itself.
The bytes of a query are those of the tables it names.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

ACCOUNT = "gateway@axion-local.iam.gserviceaccount.com"
_JOB = re.compile(r"/(jobs|queries)/[^/]+(/cancel)?$")
_TABLE = re.compile(r"`([^`]+)`\.`([^`]+)`")


@dataclass
class Front:
    """`jobs` are the bodies of the jobs that were asked for, in order.

    `spoiled` tells of a request what is answered when it was done: a status instead, or 0 for nothing at all.
    `deaf`: so many cancels are answered and not passed on, as BigQuery promises none.
    With a `location` datasets and jobs are there, and a job is found by who names it only, as outside of the US and EU.
    """

    upstream: str
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    bytes_told: list[int] = field(default_factory=list)
    endpoint: str = ""
    spoiled: Callable[[web.Request], Awaitable[int | None]] | None = None
    location: str | None = None
    deaf: int = 0
    _inserted: set[str] = field(default_factory=set)

    def service_account(self, *, key: rsa.RSAPrivateKey | None = None, email: str = ACCOUNT) -> str:
        pem = (key or self.key).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return orjson.dumps(
            {
                "type": "service_account",
                "client_email": email,
                "private_key": pem.decode(),
                "token_uri": "https://127.0.0.1:1/never-asked",
            }
        ).decode()

    async def start(self) -> None:
        self._client = aiohttp.ClientSession(auto_decompress=False)
        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.endpoint = f"http://{host}:{port}"

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._client.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request.headers.get("Authorization", "")):
            return _failure(401, "authError", "Request had invalid authentication credentials.")
        body = await request.read()
        bytes_read = None
        if request.method == "POST" and request.path.endswith("/jobs"):
            job = orjson.loads(body)
            self.jobs.append(job)
            query = job["configuration"]["query"]
            if self._is_there(job):
                return _failure(409, "duplicate", "Already Exists: Job")
            bytes_read = await self._bytes(request.path.removesuffix("/jobs"), query["query"])
            limit = query.get("maximumBytesBilled")
            if limit is not None and bytes_read > int(limit):
                return _failure(400, "bytesBilledLimitExceeded", f"Query exceeded limit for bytes billed: {limit}.")
        if self.location is not None and _JOB.search(request.path) and request.query.get("location") != self.location:
            return _failure(404, "notFound", "Not found: Job")
        path = str(request.rel_url.without_query_params("location"))
        if self.deaf and request.path.endswith("/cancel"):
            self.deaf -= 1
            answered, content = await self._forward("GET", request.path.removesuffix("/cancel"), b"", "")
            return web.json_response({"job": orjson.loads(content)}, status=answered.status)
        answered, content = await self._forward(request.method, path, body, request.content_type)
        status = None if self.spoiled is None else await self.spoiled(request)
        if status is not None:
            if status == 0 and request.transport is not None:
                request.transport.close()
            return _failure(status or 500, "backendError", "The answer was lost.")
        if self.location is not None and answered.status == 200:
            content = _located(content, self.location)
        if bytes_read is not None and answered.status == 200:
            self.bytes_told.append(bytes_read)
            answer = orjson.loads(content)
            answer.setdefault("statistics", {})["totalBytesProcessed"] = str(bytes_read)
            answer["statistics"].setdefault("query", {})["totalBytesProcessed"] = str(bytes_read)
            content = orjson.dumps(answer)
        return web.Response(status=answered.status, body=content, content_type="application/json")

    def _is_there(self, job: dict[str, Any]) -> bool:
        id_ = job.get("jobReference", {}).get("jobId")
        if id_ is None or id_ in self._inserted:
            return id_ is not None
        self._inserted.add(id_)
        return False

    def _known(self, header: str) -> bool:
        try:
            token = jwt.decode(header.removeprefix("Bearer "), RSAKey.import_key(self._public()), algorithms=["RS256"])
        except (JoseError, ValueError):
            return False
        return token.claims["iss"] == ACCOUNT and "bigquery" in token.claims["scope"]

    def _public(self) -> bytes:
        public = self.key.public_key()
        return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    async def _bytes(self, project: str, sql: str) -> int:
        tables = set(_TABLE.findall(sql))
        return sum(await asyncio.gather(*(self._table_bytes(project, *table) for table in tables)))

    async def _table_bytes(self, project: str, dataset: str, table: str) -> int:
        answered, content = await self._forward("GET", f"{project}/datasets/{dataset}/tables/{table}", b"", "")
        return int(orjson.loads(content).get("numBytes") or 0) if answered.status == 200 else 0

    async def _forward(
        self, method: str, path: str, body: bytes, content_type: str
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        headers = {"Content-Type": content_type} if body else {}
        async with self._client.request(method, self.upstream + path, data=body or None, headers=headers) as answered:
            return answered, await answered.read()


def _located(content: bytes, location: str) -> bytes:
    answer = orjson.loads(content) if content else {}
    if "datasetReference" in answer:
        answer["location"] = location
    for job in (answer, answer.get("job", {})):
        if "jobReference" in job:
            job["jobReference"]["location"] = location
    return orjson.dumps(answer)


def _failure(status: int, reason: str, message: str) -> web.Response:
    errors = [{"reason": reason, "message": message, "domain": "global"}]
    return web.json_response({"error": {"code": status, "message": message, "errors": errors}}, status=status)
