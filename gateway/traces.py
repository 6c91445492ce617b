"""Traces: a span per operation or start of a job and one per statement below it, sent to a collector over OTLP/HTTP.

Attributes are OpenTelemetry's (semantic conventions for GraphQL servers) and `axion.*`. None holds data: no document,
variable, SQL, header, user or argument of a job. A request's `traceparent` (W3C Trace Context) is continued; jobs begin
traces of their own.
"""

import asyncio
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.http.answer import OK
from gateway.http.documents import Operation
from gateway.settings import Traces as Settings
from loaders.jobs.job import Job
from loaders.ledger import StoreUsage

_EXPORT_SECONDS = 5.0
_MAX_ATTRIBUTE = 128
"""Characters: names of operations are their clients' to choose."""
_PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
"""Beside the code wherever the product runs; installed as a package it is not."""
_PROPAGATION = TraceContextTextMapPropagator()


class Trace:
    """The span of one operation, or of one start of a job."""

    __slots__ = ("_around", "_span", "_traces")

    def __init__(self, span: Span, traces: "Traces") -> None:
        self._span = span
        self._around = set_span_in_context(span)
        self._traces = traces

    def prepared(self, operation: Operation) -> None:
        self._span.update_name(operation.kind.value)
        self._span.set_attribute("graphql.operation.type", operation.kind.value)
        if operation.name is not None:
            self._span.set_attribute("graphql.operation.name", operation.name)

    def statement(self, store: str, usage: StoreUsage) -> None:
        """Adds a span for a statement that has just ended, or for several that one call sent."""
        self._traces.child(store, usage, around=self._around)

    def end(self, code: str) -> None:
        if code != OK:
            self._span.set_attribute("error.type", code)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class Traces:
    """The traces of this process. At most 2,048 spans wait in memory; a thread sends them every five seconds."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("axion")

    @classmethod
    def open(cls, settings: Settings, *, process: str) -> Self:
        chance = TraceIdRatioBased(settings.ratio)
        headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
        exporter = OTLPSpanExporter(settings.url, headers=headers, timeout=_EXPORT_SECONDS)
        provider = TracerProvider(
            sampler=ParentBased(chance, remote_parent_sampled=chance),
            span_limits=SpanLimits(max_attribute_length=_MAX_ATTRIBUTE),
            resource=Resource.create({"service.name": settings.service or process, "service.version": _version()}),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(provider)

    def begin(self, transport: str, request_id: str, traceparent: str | None) -> Trace | None:
        """None if the operation is not sampled, by its `traceparent` or by chance."""
        parent = Context() if traceparent is None else _PROPAGATION.extract({"traceparent": traceparent}, Context())
        attributes = {"axion.transport": transport, "axion.request_id": request_id}
        return self._begun("graphql", SpanKind.SERVER, attributes, parent)

    def begin_job(self, job: Job) -> Trace | None:
        """A trace named after the kind of the job."""
        attributes: dict[str, str | int] = {
            "axion.job.id": str(job.id),
            "axion.job.kind": job.kind,
            "axion.job.attempt": job.attempts,
        }
        return self._begun(job.kind, SpanKind.CONSUMER, attributes, Context())

    def _begun(self, name: str, kind: SpanKind, attributes: Mapping[str, str | int], parent: Context) -> Trace | None:
        span = self._tracer.start_span(name, context=parent, kind=kind, attributes=attributes)
        return Trace(span, self) if span.is_recording() else None

    def child(self, store: str, usage: StoreUsage, *, around: Context) -> None:
        ended = time.time_ns()
        attributes: dict[str, str | int] = {
            "axion.store": store,
            "axion.rows": usage.rows,
            "axion.statements": usage.statements,
            "axion.bytes": usage.bytes,
        }
        started = ended - int(usage.ms * 1e6)
        span = self._tracer.start_span(
            store, context=around, kind=SpanKind.CLIENT, attributes=attributes, start_time=started
        )
        span.end(ended)

    async def close(self) -> None:
        """Sends what waits; what the collector does not accept in time is lost."""
        await asyncio.to_thread(self._provider.shutdown)


def _version() -> str:
    version: str = tomllib.loads(_PROJECT.read_text())["project"]["version"]
    return version
