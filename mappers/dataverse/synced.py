"""The columns every synced table has: whose record a row is, and what Dataverse lets nobody set."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappers.dataverse.targets import OWNERS
from shared.core.change import Json
from shared.core.mapping.authorship import CREATED_BY, LONGEST, MODIFIED_BY
from shared.core.mapping.columns import Column, Target, instant, lookup, state, text
from shared.core.mapping.spec import Field, Flow, Loss, Transform

# Dataverse refuses `:` inside a key in a URL, so this key keeps duplicates out; rows are addressed by GUID.
tandem_sourcekey = text("tandem_sourcekey", "Legacy record", 200, incidental=True)
tandem_legacymodifiedon = instant("tandem_legacymodifiedon", "Modified on (legacy)", incidental=True)
overriddencreatedon = instant("overriddencreatedon", "Record Created On", create_only=True)
tandem_createdby = text(CREATED_BY, "Created by (legacy)", LONGEST, incidental=True)
tandem_modifiedby = text(MODIFIED_BY, "Modified by (legacy)", LONGEST, incidental=True)
ownerid = lookup("ownerid", "Owner", *OWNERS, clearable=False)


def created(legacy: str, via: Transform[Json, datetime]) -> Field[Json, datetime]:
    """The line of when a record was made."""
    return Field(
        legacy,
        overriddencreatedon,
        via,
        flow=Flow.INBOUND,
        loss=Loss.FORMAT,
        description="Dataverse takes it on create alone.",
    )


def modified(legacy: str, via: Transform[Json, datetime]) -> Field[Json, datetime]:
    """The line of when a record was last changed."""
    return Field(
        legacy,
        tandem_legacymodifiedon,
        via,
        flow=Flow.INBOUND,
        loss=Loss.FORMAT,
        description="Dataverse lets nobody set modifiedon, so the original is kept beside it.",
    )


IN_USE = {0: "Active", 1: "Inactive"}
"""The states of most tables."""


def merged_away(master: Target, states: Mapping[int, str] = IN_USE) -> tuple[Column[Any], ...]:
    """The columns that tell of a row that it was merged into another one and put aside; written by nobody.

    `masterid` alone does not: a row that was made active again goes on naming its master.
    """
    return (
        lookup("masterid", "Master ID", master),
        state(states),
    )


COLUMNS = (
    tandem_sourcekey,
    tandem_createdby,
    tandem_modifiedby,
    tandem_legacymodifiedon,
    overriddencreatedon,
    ownerid,
)
KEYS = {"tandem_sourcekey_key": ("tandem_sourcekey",)}
