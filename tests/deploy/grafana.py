"""Compares the dashboards of `deploy/grafana` with the metrics that a process exports."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import orjson
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.paths import CHECKOUT

_OF_PROMETHEUS = {"le", "instance"}


def queries(board: str) -> list[tuple[str, str]]:
    """Of a dashboard's panels: what they ask, and how their lines are named."""
    panels = orjson.loads((CHECKOUT / "deploy" / "grafana" / f"{board}.json").read_bytes())["panels"]
    return [(target["expr"], target["legendFormat"]) for panel in panels for target in panel.get("targets", ())]


def labels_of(expression: str, legend: str) -> set[str]:
    """Those it groups by, narrows by, or names its lines by."""
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    narrowed = re.findall(r"(\w+)=~?\"", expression)
    found = {name.strip() for names in grouped for name in names.split(",")} | set(narrowed)
    return (found | set(re.findall(r"\{\{(\w+)\}\}", legend))) - _OF_PROMETHEUS


def metrics_of(expression: str) -> set[str]:
    return set(re.findall(r"\baxion_\w+", expression))


def exported(text: str) -> Mapping[str, set[str]]:
    """The names of `/metrics`, those without a sample too, with the labels their samples have."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for name in _names(family.name, family.type):
            found[name] |= set()
        for sample in family.samples:
            found[sample.name] |= set(sample.labels)
    return found


def _names(family: str, type_: str) -> Iterator[str]:
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    yield from (family + ending for ending in endings.get(type_, ("",)))


def require_exported(board: str, text: str) -> None:
    """Each metric of the dashboard is exported, with the labels it is asked by."""
    there = exported(text)
    asked = queries(board)
    assert asked
    for expression, legend in asked:
        metrics = metrics_of(expression)
        assert metrics, expression
        assert metrics <= there.keys(), expression
        assert labels_of(expression, legend) <= set().union(*(there[name] for name in metrics)), expression
