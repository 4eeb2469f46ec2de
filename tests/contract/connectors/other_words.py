"""A system that calls everything otherwise than Allegory does: its declaration, and a simulator of it."""

from dataclasses import replace

from local.crm.declaration import System
from local.crm.systems import SYSTEMS
from shared.core.mapping.columns import Table
from shared.core.mapping.spec import EntityMap
from shared.core.rest import ChangeFeed, Event, Listing, Rest
from shared.core.system import LegacySystem

REST = Rest(
    {"company": "companies"},
    feed=ChangeFeed(
        path="journal",
        since="after",
        limit="top",
        changes="entries",
        next="until",
        cursor="number",
        entity="kind",
        id="record",
        operation="what",
        at="when",
        by="who",
        record="state",
        into="heir",
        events={
            "new": Event.CREATED,
            "saved": Event.UPDATED,
            "struck off": Event.DELETED,
            "joined": Event.MERGED,
        },
    ),
    changed="saved_at",
    version="X-Version",
    condition="X-If-Version",
    idempotency="Request-Id",
    listing=Listing(limit="top", cursor="from", records="rows", next="more"),
)
BOREALIS = LegacySystem(
    "borealis",
    (EntityMap("company", Table("account", "accounts", "accountid", {}), "company_id", ()),),
    REST,
)
SIMULATED: System = replace(
    SYSTEMS["allegory"],
    rest=REST,
    collections=tuple(
        replace(each, columns=(*each.columns, "saved_at"), updated="saved_at")
        for each in SYSTEMS["allegory"].collections
    ),
)
