import pytest

from loaders.ledger import Ledger


def test_a_statement_is_recorded_with_what_it_received() -> None:
    ledger = Ledger()
    for rows in (2, 3):
        with ledger.statement("clickhouse") as usage:
            usage.rows, usage.bytes = rows, 10
    total = ledger.stores["clickhouse"]
    assert (total.statements, total.rows, total.bytes) == (2, 5, 20)
    assert total.ms > 0


def test_a_failed_statement_is_recorded() -> None:
    ledger = Ledger()
    with pytest.raises(ValueError, match="lost"), ledger.statement("openfga"):
        raise ValueError("lost")
    assert ledger.stores["openfga"].statements == 1
