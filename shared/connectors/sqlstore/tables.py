"""The state, table by table: the one definition that migrations, statements and T-SQL are checked against.

Personal data: `message.body` and its properties hold what senders sent; `shadow`, `journal` and `conflict`
hold column values. Bodies and properties are kept 30 days, metadata 400 days (`retention.py`).
"""

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import Bytes, Document, Instant, Key, Number

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _filtered(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index over only the rows that somebody still has work with."""
    condition = sa.text(where)
    return sa.Index(name, *columns, unique=unique, mssql_where=condition, sqlite_where=condition)


message = sa.Table(
    "message",
    METADATA,
    sa.Column("number", Number, sa.Identity(), primary_key=True),
    sa.Column("message_id", Key(128), nullable=False),
    # Set only when the sender's id is no fit key (too long, blanks at its ends): `message_id` stands in.
    sa.Column("original_id", Document),
    sa.Column("queue", Key(260), nullable=False),
    sa.Column("body_hash", Bytes(32), nullable=False),
    # False for a body that came later under a message id used before.
    sa.Column("is_first", sa.Boolean, nullable=False),
    sa.Column("session_id", Document),
    sa.Column("body", Bytes),
    sa.Column("properties", Document),
    sa.Column("application_properties", Document),
    sa.Column("position", Number, nullable=False),
    sa.Column("delivery_count", sa.Integer, nullable=False),
    sa.Column("sender", Document),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("source", Key(64)),
    sa.Column("entity", Key(128)),
    sa.Column("source_id", Key(128)),
    sa.Column("operation", Key(16)),
    sa.Column("changed_at", Instant),
    sa.Column("version", Number),
    sa.Column("actor", Document),
    sa.Column("correlation_id", Document),
    sa.Column("record", sa.Uuid),
    sa.Column("outcome", Key(16)),
    sa.Column("reason", Document),
    sa.Column("faults", Document),
    sa.Column("finished_at", Instant),
    # Set when a person sends a refused message through the gate once more.
    sa.Column("is_reopened", sa.Boolean, nullable=False),
    # The group of a message refused at the gate, until somebody has seen to it.
    sa.Column("refused_in", Key(16)),
    # The message this one is an edited copy of, and what was edited: before and after, by field.
    sa.Column("replaces", Number),
    sa.Column("edits", Document),
    sa.UniqueConstraint("message_id", "queue", "body_hash"),
    _filtered("uq_message_first", "message_id", "queue", where="is_first = 1", unique=True),
    _filtered("ix_message_refused", "refused_in", where="refused_in IS NOT NULL"),
    sa.Index(None, "record"),
    sa.Index(None, "source_id", "entity", "source"),
    sa.Index(None, "received_at"),
    sqlite_autoincrement=True,
)

lane = sa.Table(
    "lane",
    METADATA,
    sa.Column("record", sa.Uuid, primary_key=True),
    sa.Column("fence", Number, nullable=False),
    sa.Column("owner", Key(128)),
    sa.Column("lease_until", Instant),
    # Touched whenever work arrives, so that arrival and release meet at this row.
    sa.Column("version", Number, nullable=False),
)

lane_item = sa.Table(
    "lane_item",
    METADATA,
    sa.Column("number", Number, sa.ForeignKey("message.number"), primary_key=True, autoincrement=False),
    sa.Column("record", sa.Uuid, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("version", Number, nullable=False),
    sa.Column("position", Number, nullable=False),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", Instant),
    sa.Column("waits_on", Key(330)),
    # Whether the item counts as an open failure of its group.
    sa.Column("is_failing", sa.Boolean, nullable=False),
    sa.Column("first_failed_at", Instant),
    sa.Column("last_failed_at", Instant),
    sa.Column("kind", Key(64)),
    sa.Column("code", Key(64)),
    sa.Column("answer", Document),
    sa.Column("rule", Document),
    sa.Column("table_name", Key(128)),
    sa.Column("field", Document),
    sa.Column("group_key", Key(16)),
    # The keys of records that wait for this one in turn, so that it waits for them no longer (JSON).
    sa.Column("without", Document),
    # Who said that a change from the future is to be applied with the time it claims.
    sa.Column("vouched_by", Document),
    # The replay plan that sent the item: what it does leaves live traffic its room.
    sa.Column("plan", Number),
    # The far side's own id of the request that failed; its support asks for it.
    sa.Column("request_id", Document),
    # The name of the record's business unit, where units are told apart; set while the item stands still.
    sa.Column("unit", Key(160)),
    # The phase of each system in which a write of it has begun that nobody has answered (JSON).
    sa.Column("phases", Document),
    # The legacy system in which it did not go through.
    sa.Column("far_side", Key(64)),
    _filtered(
        "ix_lane_item_head",
        "record",
        "changed_at",
        "version",
        "position",
        "number",
        where="state <> 'done'",
    ),
    _filtered("ix_lane_item_open", "state", "due_at", where="state <> 'done'"),
    _filtered("ix_lane_item_failing", "group_key", where="is_failing = 1"),
)

shadow = sa.Table(
    "shadow",
    METADATA,
    sa.Column("record", sa.Uuid, primary_key=True),
    sa.Column("document", Document, nullable=False),
    sa.Column("deleted_at", Instant),
    sa.Column("fence", Number, nullable=False),
    sa.Column("saved_at", Instant, nullable=False),
    # The key of the owner whom the record names and who is no user yet; the document tells since when.
    sa.Column("owed", Key(330)),
    _filtered("ix_shadow_owed", "owed", where="owed IS NOT NULL"),
)

crosswalk = sa.Table(
    "crosswalk",
    METADATA,
    sa.Column("system", Key(64), primary_key=True),
    sa.Column("entity", Key(128), primary_key=True),
    sa.Column("legacy_id", Key(128), primary_key=True),
    # Not unique: after a merge two records of one system may share a row.
    sa.Column("row_id", sa.Uuid, nullable=False),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("reserved_at", Instant, nullable=False),
    sa.Column("paired_at", Instant),
    sa.Index(None, "row_id"),
    sa.Index(None, "legacy_id"),
)

absorbed_row = sa.Table(
    "absorbed_row",
    METADATA,
    # The row that was merged into another one, its heir, and the message that told of it.
    sa.Column("row_id", sa.Uuid, primary_key=True),
    sa.Column("heir", sa.Uuid, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("number", Number, nullable=False),
    # The records that were the loser's then (JSON).
    sa.Column("records", Document, nullable=False),
    sa.Index(None, "heir"),
)

journal = sa.Table(
    "journal",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    sa.Column("number", Number, sa.ForeignKey("message.number"), nullable=False),
    sa.Column("record", sa.Uuid, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("source", Key(64), nullable=False),
    sa.Column("entity", Key(128), nullable=False),
    sa.Column("source_id", Key(128), nullable=False),
    sa.Column("outcome", Key(16), nullable=False),
    sa.Column("reason", Document, nullable=False),
    sa.Column("changes", Document, nullable=False),
    sa.Column("map_version", Document, nullable=False),
    sa.Column("changed_at", Instant),
    sa.Column("origin", Key(64)),
    sa.Column("actor", Document),
    sa.Column("correlation_id", Document),
    sa.Column("fence", Number, nullable=False),
    # The phases it was decided in that were over by then (JSON).
    sa.Column("decided_in", Document),
    sa.Index(None, "number"),
    sa.Index(None, "record"),
    sqlite_autoincrement=True,
)

conflict = sa.Table(
    "conflict",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    sa.Column("number", Number, sa.ForeignKey("message.number"), nullable=False),
    sa.Column("record", sa.Uuid, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("column_name", Key(128), nullable=False),
    sa.Column("base", Document, nullable=False),
    sa.Column("inbound", Document, nullable=False),
    sa.Column("outbound", Document, nullable=False),
    sa.Column("winner", Key(64), nullable=False),
    sa.Column("rule", Document, nullable=False),
    sa.Index(None, "number"),
    sa.Index(None, "record"),
    sqlite_autoincrement=True,
)

dependency = sa.Table(
    "dependency",
    METADATA,
    sa.Column("number", Number, sa.ForeignKey("lane_item.number"), primary_key=True, autoincrement=False),
    sa.Column("wanted", Key(330), nullable=False),
    sa.Column("record", sa.Uuid, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Index(None, "wanted"),
    sa.Index(None, "record"),
)

failure_group = sa.Table(
    "failure_group",
    METADATA,
    sa.Column("fingerprint", Key(16), primary_key=True),
    sa.Column("kind", Key(64), nullable=False),
    sa.Column("code", Key(64), nullable=False),
    sa.Column("answer", Document),
    sa.Column("table_name", Key(128), nullable=False),
    sa.Column("field", Document),
    sa.Column("rule", Document, nullable=False),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Column("ticket_id", Key(128)),
    # How many tickets it has had; part of the next one's key, so that a group that comes back gets a new one.
    sa.Column("tickets", sa.Integer, nullable=False),
    # Who sends what is refused at the gate; not set for failures behind it.
    sa.Column("sender", Document),
)

ticket = sa.Table(
    "ticket",
    METADATA,
    sa.Column("id", Key(128), primary_key=True),
    sa.Column("fingerprint", Key(16), sa.ForeignKey("failure_group.fingerprint"), nullable=False),
    sa.Column("team", Key(128), nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("told_count", sa.Integer, nullable=False),
    sa.Column("told_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
)

job_lease = sa.Table(
    "job_lease",
    METADATA,
    sa.Column("name", Key(128), primary_key=True),
    sa.Column("owner", Key(128), nullable=False),
    sa.Column("lease_until", Instant, nullable=False),
    sa.Column("fence", Number, nullable=False),
)

identity_pause = sa.Table(
    "identity_pause",
    METADATA,
    # The identity by the far side that knows it: the app has one at each.
    sa.Column("name", Key(128), primary_key=True),
    sa.Column("until", Instant, nullable=False),
)

watermark = sa.Table(
    "watermark",
    METADATA,
    sa.Column("name", Key(128), primary_key=True),
    sa.Column("position", Document, nullable=False),
    sa.Column("moved_at", Instant, nullable=False),
    sa.Column("version", Number, nullable=False),
)

audit_event = sa.Table(
    "audit_event",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", Document, nullable=False),
    sa.Column("action", Key(64), nullable=False),
    sa.Column("entity", Key(64), nullable=False),
    sa.Column("entity_key", Key(330), nullable=False),
    sa.Column("was", Document),
    sa.Column("became", Document),
    sa.Column("reason", Document),
    sa.Column("correlation_id", Document),
    sa.Index(None, "at"),
    sa.Index(None, "entity", "entity_key"),
    sqlite_autoincrement=True,
)
