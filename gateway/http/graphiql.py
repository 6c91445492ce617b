"""Serves GraphiQL from the gateway's own origin: the page, its files and example documents. The page loads nothing from
other hosts.

Files are read at start-up and addressed by a hash of their content, so browsers may cache them for ever.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = Path(__file__).parents[2] / "deploy" / "graphiql"
_PATH = "/graphiql"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
_SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class _File:
    """`address` contains a hash of the content."""

    address: str
    content_type: str
    plain: bytes
    zipped: bytes

    @classmethod
    def of(cls, name: str, content: bytes) -> "_File":
        digest = hashlib.sha256(content).hexdigest()[:16]
        content_type = f"{_TYPES[Path(name).suffix]}; charset=utf-8"
        return cls(f"{_PATH}/static/{digest}/{name}", content_type, content, gzip.compress(content, mtime=0))


class Explorer:
    """Reads the folder once. `users` are the demo's users whose tokens the page offers; there are none outside the
    demo.
    """

    def __init__(self, users: tuple[str, ...] = ()) -> None:
        examples = [_example(path) for path in sorted(_FOLDER.glob("examples/*.graphql"))]
        files = {
            path.name: _File.of(path.name, path.read_bytes())
            for path in sorted(_FOLDER.glob("static/*"))
            if path.suffix in _TYPES
        }
        files["page.json"] = _File.of("page.json", orjson.dumps({"users": users, "examples": examples}))
        page = (_FOLDER / "index.html").read_text()
        for name, file in files.items():
            page = page.replace(f"{{{name}}}", file.address)
        self._page = page.encode()
        self._files = {file.address: file for file in files.values()}

    def routes(self) -> list[Route]:
        return [
            Route(_PATH, self.page, methods=["GET"]),
            Route(_PATH + "/static/{digest}/{name}", self._file, methods=["GET"]),
        ]

    async def page(self, _: Request) -> Response:
        headers = {"cache-control": "no-cache", "vary": "accept", **_SECURITY}
        return Response(self._page, headers=headers, media_type="text/html")

    async def _file(self, request: Request) -> Response:
        file = self._files.get(request.url.path)
        if file is None:
            raise HTTPException(404)
        headers = {
            "content-type": file.content_type,
            "cache-control": "public, max-age=31536000, immutable",
            "vary": "accept-encoding",
            **_SECURITY,
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.zipped, headers={**headers, "content-encoding": "gzip"})
        return Response(file.plain, headers=headers)


def _example(query: Path) -> dict[str, str]:
    """A tab of the page: `name.graphql`, with its variables from `name.variables.json` if that exists."""
    variables = query.with_suffix(".variables.json")
    return {"query": query.read_text(), **({"variables": variables.read_text()} if variables.exists() else {})}
