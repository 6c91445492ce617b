"""100,000 chunks of real source in ten workspaces, embedded by the gateway's own local model (1,536 dimensions).

The text is that of the Python libraries this process runs on, in the order of their paths. Loaded once: a stack that
holds them all is left as it is. Embedding and indexing them takes a quarter of an hour.
"""

import hashlib
import itertools
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from pgvector.asyncpg import register_vector

from deploy.local.demo_data.tracks import uuid7_of
from loaders.vectors.local import LocalHashing

CHUNKS, WORKSPACES = 100_000, 10
DIMENSIONS = 1_536
_LINES = 8
_SINCE_MS = 1_767_225_600_000  # 2026-01-01
_INDEX = "ix_rag_chunks_embedding"


def workspace_path(number: int) -> str:
    return f"/bench/workspace-{number}"


def workspace_id(number: int) -> str:
    """As the platform names workspaces (reference/aura-data-model.md, 1.8)."""
    return hashlib.sha256(workspace_path(number).encode()).hexdigest()[:16]


async def load_chunks(connection: asyncpg.Connection) -> str:
    """Fills `workspaces` and `rag_chunks` of an empty `auradb`; the index is built once all rows are in."""
    if await connection.fetchval("SELECT count(*) FROM rag_chunks") == CHUNKS and await _index(connection):
        return f"{CHUNKS} chunks are there"
    await register_vector(connection)
    definition = await _index(connection) or (
        f"CREATE INDEX {_INDEX} ON public.rag_chunks USING hnsw (embedding vector_cosine_ops)"
        " WITH (m = 32, ef_construction = 200)"
    )
    await connection.execute(f"TRUNCATE rag_chunks, workspaces; DROP INDEX IF EXISTS {_INDEX}")
    await connection.copy_records_to_table(
        "workspaces",
        records=[(workspace_id(n), f"workspace {n}", workspace_path(n), _at(0), _at(0)) for n in range(WORKSPACES)],
        columns=["id", "name", "path", "created_at", "updated_at"],
    )
    with ProcessPoolExecutor() as processes:
        texts = itertools.islice(_texts(), CHUNKS)
        done = 0
        while batch := list(itertools.islice(texts, 2_000)):
            vectors = processes.map(_embed, [text for _, text in batch], chunksize=100)
            records = [
                _record(done + i, path, text, vector)
                for i, ((path, text), vector) in enumerate(zip(batch, vectors, strict=True))
            ]
            await connection.copy_records_to_table("rag_chunks", records=records, columns=_COLUMNS)
            done += len(batch)
    if done != CHUNKS:
        raise RuntimeError(f"this Python's libraries hold only {done} chunks of source, not {CHUNKS}")
    async with connection.transaction():
        await connection.execute("SET LOCAL maintenance_work_mem = '1500MB'")
        await connection.execute(
            "SET LOCAL max_parallel_maintenance_workers = 0"
        )  # its memory is shared memory: scarce
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(definition)
    await connection.execute("ANALYZE rag_chunks; ANALYZE workspaces")
    return f"{CHUNKS} chunks in {WORKSPACES} workspaces"


_COLUMNS = ["id", "content_id", "chunk_index", "content", "embedding", "source_path", "workspace_path", "created_at"]


def _record(number: int, path: str, text: str, vector: list[float]) -> tuple[object, ...]:
    id_ = uuid7_of(_SINCE_MS + number, f"chunk {number}")
    return id_, path[-500:], number, text, vector, path[-1000:], workspace_path(number % WORKSPACES), _at(number)


def _at(number: int) -> datetime:
    return datetime.fromtimestamp(_SINCE_MS / 1000 + number, UTC)


async def _index(connection: asyncpg.Connection) -> str | None:
    definition: str | None = await connection.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = $1", _INDEX)
    return definition


def _embed(text: str) -> list[float]:
    return LocalHashing(DIMENSIONS).vector(text)


def _texts() -> Iterator[tuple[str, str]]:
    """(path below its library, lines) of the standard library, then of what is installed beside it."""
    for root in (Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))):
        for file in sorted(root.rglob("*.py")):
            if root.name != "site-packages" and "site-packages" in file.parts:
                continue
            try:
                lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
            except UnicodeDecodeError:  # a library's own test of other encodings
                continue
            for start in range(0, len(lines) - _LINES + 1, _LINES):
                text = "\n".join(lines[start : start + _LINES])
                if "\x00" not in text:
                    yield str(file.relative_to(root)), text
