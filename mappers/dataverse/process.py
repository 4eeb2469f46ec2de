"""Business process flows: one per pipeline, each with a table of its own for the deals that go through it.

A process and its stages are made with the organisation's schema, by a solution that carries the ids given
here; the sync writes instances of them, and only where the process is there (ADR 0023).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.columns import (
    PREFIX,
    Table,
    Target,
    Value,
    instant,
    lookup,
    table,
    text,
)
from shared.core.mapping.satellites import Onto, entries

_PATH = 4000

name = text("name", "Name", 200)
opportunity = lookup(
    "bpf_opportunityid", "Opportunity", Target("opportunity", "opportunities", "bpf_opportunityid")
)
processid = lookup("processid", "Process", Target("workflow", "workflows", "processid"))
activestageid = lookup(
    "activestageid", "Active Stage", Target("processstage", "processstages", "activestageid")
)
activestagestartedon = instant("activestagestartedon", "Active Stage Started On")
traversedpath = text("traversedpath", "Traversed Path", _PATH)

_process_name = text("name", "Process Name", 100)
WORKFLOW = table("workflow", "workflows", "workflowid", _process_name)
"""The definitions themselves: read to see whether an organisation has a process."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as the schema plan makes it."""

    id: UUID
    label: str
    order: int


@dataclass(frozen=True, slots=True)
class Process:
    """A business process flow as the schema plan makes it: its id, its table, its stages in order."""

    id: UUID
    table: str
    label: str
    unit: str
    stages: tuple[Stage, ...]


@cache
def instance_table(pipeline: str) -> Table:
    """The table that holds the deals of a pipeline's process."""
    logical = table_name(pipeline)
    return table(
        logical,
        logical + "es",
        "businessprocessflowinstanceid",
        name,
        opportunity,
        processid,
        activestageid,
        activestagestartedon,
        traversedpath,
    )


def table_name(pipeline: str) -> str:
    """The unique name of a pipeline's process, which is its table's, too."""
    # Every character that a name cannot hold is spelled out, so that two ids never share a name.
    spelled = re.sub(r"[^a-z0-9]", lambda found: f"_{ord(found[0]):x}_", pipeline)
    return f"{PREFIX}{spelled}_process"


def process_id(system: str, pipeline: str) -> UUID:
    """The id of a pipeline's process."""
    return chosen_row_id(RecordKey(system, "process", pipeline))


def stage_id(system: str, stage: str) -> UUID:
    """The id of a stage in its process."""
    return chosen_row_id(RecordKey(system, "process_stage", stage))


def onto_path(stage: UUID) -> Onto:
    """The path an instance has taken once it is in a stage: back to it where it has been there before."""

    def onto(held: Mapping[str, Value]) -> Mapping[str, Value]:
        path = entries(held.get(traversedpath.name), ",")
        here = str(stage)
        taken = path[: path.index(here) + 1] if here in path else [*path, here]
        # The oldest stages give way: a path that does not fit would be refused as a whole.
        while len(",".join(taken)) > _PATH:
            taken = taken[1:]
        return {traversedpath.name: ",".join(taken)}

    return onto


def planned(
    system: str, pipelines: Sequence[Mapping[str, str]], stages: Sequence[Mapping[str, str]]
) -> tuple[Process, ...]:
    """The processes to make for the pipelines of an export, each with its own stages in their order.

    The records are those of the export (`pipeline_id`, `name`, `business_unit`; `stage_id`, `pipeline_id`,
    `name`, `display_order`). A stage of no pipeline raises ValueError.
    """
    known = {pipeline["pipeline_id"] for pipeline in pipelines}
    strays = sorted(stage["stage_id"] for stage in stages if stage["pipeline_id"] not in known)
    if strays:
        raise ValueError(f"stages of no pipeline: {', '.join(strays)}")
    return tuple(
        Process(
            process_id(system, pipeline["pipeline_id"]),
            table_name(pipeline["pipeline_id"]),
            pipeline["name"],
            pipeline.get("business_unit", ""),
            tuple(
                Stage(stage_id(system, stage["stage_id"]), stage["name"], int(stage["display_order"]))
                for stage in sorted(stages, key=lambda stage: int(stage["display_order"]))
                if stage["pipeline_id"] == pipeline["pipeline_id"]
            ),
        )
        for pipeline in pipelines
    )
