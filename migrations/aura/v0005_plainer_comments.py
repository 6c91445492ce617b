"""Comments of tables and columns say in plain words what they hold. Nothing but comments changes."""

from alembic import op

revision = "0005_plainer_comments"
down_revision = "0004_denser_chunk_index"

_TABLES = {
    "idempotency_keys": "Mutations sent with an `Idempotency-Key`, recorded in the transaction of their change.",
    "index_metadata": "Indexed files of each workspace, with the hash of the content that was indexed.",
    "rag_chunks": "Text chunks with their embeddings, for semantic search.",
}
_COLUMNS = {
    "idempotency_keys": {
        "response_key": "Alias or name of the mutation in its document, which can contain it several times.",
        "row_key": "Primary key of the row that the mutation was about, one text per column; empty if none.",
    },
    "index_metadata": {
        "index_type": "Index that the file is in: `rag` or `graph`.",
    },
    "rag_chunks": {
        "chunk_index": "Position of the chunk in its document, from 0.",
        "metadata": "Further attributes of the chunk, such as the name of a code symbol.",
    },
}
"""By table, then by column."""


def upgrade() -> None:
    for table, comment in _TABLES.items():
        op.create_table_comment(table, comment, schema="public")
    for table, comments in _COLUMNS.items():
        for column, comment in comments.items():
            op.alter_column(table, column, comment=comment, schema="public")
