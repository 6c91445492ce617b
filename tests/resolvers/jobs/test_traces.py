"""The traces of jobs that a collector receives: a span for each start, with its stores' work below it, and no data."""

import sys
from uuid import UUID

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.metrics import STATEMENTS
from gateway.settings import Settings, Traces
from loaders.jobs.job import Job
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.jobs.start import start_table_profile_refresh
from tests.conformance.rows import ODD_NAME
from tests.gateway.http.test_traces import Collector, attributes, collecting
from tests.resolvers.jobs.conftest import Someone, working
from tests.resolvers.jobs.test_table_profile_refresh import ended


async def traced(settings: Settings, person: Someone, asked: Refresh, **traces: object) -> tuple[Collector, Job]:
    """The spans of a job that a worker runs to its end."""
    async with collecting() as (collector, at):
        chosen = settings.model_copy(update={"traces": Traces.model_validate({"url": at, **traces})})
        async with working(chosen):
            job = await start_table_profile_refresh(person.context(), asked)
            await ended(person, job)
    return collector, job


async def test_a_job_and_its_statements(admin: Someone, clickhouse_dataset: UUID, jobs_settings: Settings) -> None:
    collector, job = await traced(jobs_settings, admin, Refresh(clickhouse_dataset, "every_type"))
    span = collector.one(lambda span: span.kind == Span.SPAN_KIND_CONSUMER)
    assert (span.name, span.parent_span_id, span.status.code) == ("table_profile_refresh", b"", 0)
    assert attributes(span) == {
        "axion.job.id": str(job.id),
        "axion.job.kind": "table_profile_refresh",
        "axion.job.attempt": 1,
    }
    below = [each for each in collector if each.kind == Span.SPAN_KIND_CLIENT]
    assert {each.parent_span_id for each in below} == {span.span_id}
    assert {each.trace_id for each in below} == {span.trace_id}
    assert {each.name.partition(":")[0] for each in below} == {"axion_sense", "axion_gen", "openfga", "datasource"}
    assert {frozenset(attributes(each)) for each in below} == {
        frozenset({"axion.store", "axion.rows", "axion.statements", "axion.bytes"})
    }
    assert len(collector) == 1 + len(below)
    assert collector.services == {"axion-worker"}


async def test_a_job_that_fails(admin: Someone, clickhouse_dataset: UUID, jobs_settings: Settings) -> None:
    """Its code is told, what it was asked is not; and what it did to stores is counted, too."""
    before = STATEMENTS.labels("axion_gen")._value.get()
    collector, _ = await traced(jobs_settings, admin, Refresh(clickhouse_dataset, ODD_NAME, max_bytes=1))
    span = collector.one(lambda span: span.kind == Span.SPAN_KIND_CONSUMER)
    assert (attributes(span)["error.type"], span.status.code) == ("COST_EXCEEDED", 2)
    for secret in (ODD_NAME, admin.id):
        assert not any(secret.encode() in each.SerializeToString() for each in collector)
    assert STATEMENTS.labels("axion_gen")._value.get() > before


async def test_what_is_not_sampled(admin: Someone, clickhouse_dataset: UUID, jobs_settings: Settings) -> None:
    asked = Refresh(clickhouse_dataset, "no_rows", sample_rows=0)
    collector, _ = await traced(jobs_settings, admin, asked, ratio=0.0)
    assert len(collector) == 0


async def test_nothing_without_a_collector(
    admin: Someone, clickhouse_dataset: UUID, jobs_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would be loaded for spans is not asked for."""
    monkeypatch.setitem(sys.modules, "gateway.traces", None)
    async with working(jobs_settings):
        job = await start_table_profile_refresh(admin.context(), Refresh(clickhouse_dataset, "no_rows", sample_rows=0))
        assert (await ended(admin, job))[-1].is_final
