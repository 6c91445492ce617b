"""The controls and time zones of dashboards, which the answers of their widgets need; loaded for one request."""

from dataclasses import dataclass
from uuid import UUID

import orjson
from aiodataloader import DataLoader

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_BY_IDS = """
SELECT d.id, d.time_zone, (
    SELECT json_agg(json_build_object(
        'id', f.id, 'name', f.name, 'kind', f.kind, 'column', f.column_name, 'operator', f.operator,
        'default', f.default_value, 'required', f.is_required, 'targets', f.targets,
        'dataset', f.dataset_id, 'parent', f.parent_filter_id
    ) ORDER BY f.position, f.id)
    FROM public.dashboard_filters f WHERE f.dashboard_id = d.id
) AS controls
FROM public.dashboards d WHERE d.id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Control:
    """A row of `dashboard_filters`. `targets` has the column to compare for each widget; None means all widgets with
    `column`.

    `dataset_id` is the dataset of its choices: callers who may not see that do not see the control.
    """

    id: UUID
    name: str
    kind: str
    column: str
    operator: str
    default: object
    is_required: bool
    targets: tuple[tuple[UUID, str], ...] | None
    dataset_id: UUID | None
    parent_id: UUID | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A dashboard's time zone, and its controls in order."""

    time_zone: str
    controls: tuple[Control, ...]


class FrameByDashboardId(DataLoader[UUID, Frame | None]):
    """One statement for the dashboards requested together. None for a dashboard that does not exist.

    Raises what Postgres may raise. No permission is checked here: the caller does that first.
    """

    def __init__(self, gen: Postgres, ledger: Ledger) -> None:
        super().__init__()
        self._gen = gen
        self._ledger = ledger

    async def batch_load_fn(self, dashboard_ids: list[UUID]) -> list[Frame | None]:
        rows = await self._gen.fetch(_BY_IDS, dashboard_ids, ledger=self._ledger)
        frames = {
            row["id"]: Frame(row["time_zone"], tuple(map(_control, orjson.loads(row["controls"] or "[]"))))
            for row in rows
        }
        return [frames.get(id_) for id_ in dashboard_ids]


def _control(found: dict[str, object]) -> Control:
    column, targets = str(found["column"]), found["targets"]
    return Control(
        id=UUID(str(found["id"])),
        name=str(found["name"]),
        kind=str(found["kind"]),
        column=column,
        operator=str(found["operator"]),
        default=found["default"],
        is_required=found["required"] is True,
        targets=_targets(targets, column) if isinstance(targets, list) else None,
        dataset_id=_uuid(found["dataset"]),
        parent_id=_uuid(found["parent"]),
    )


def _targets(targets: list[dict[str, object]], column: str) -> tuple[tuple[UUID, str], ...]:
    return tuple((UUID(str(target["widgetId"])), str(target.get("column") or column)) for target in targets)


def _uuid(value: object) -> UUID | None:
    return None if value is None else UUID(str(value))
