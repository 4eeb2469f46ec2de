"""The tables of replay plans: what was chosen, and what became of each message of it.

Neither holds a customer's value: messages are named by number, reasons name fields and rules.
"""

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import Document, Instant, Key, Number
from shared.connectors.sqlstore.tables import METADATA

replay_plan = sa.Table(
    "replay_plan",
    METADATA,
    sa.Column("number", Number, sa.Identity(), primary_key=True),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("selection", Document, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", Document, nullable=False),
    sa.Column("foreseen", Document),
    sa.Column("policy", Document),
    # The wave under way, how many records it has sent, and when the last of them went.
    sa.Column("wave", sa.Integer, nullable=False),
    sa.Column("sent", sa.Integer, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("started_at", Instant),
    sa.Column("started_by", Document),
    # The stop rule counts from here: the last time somebody set it going.
    sa.Column("counted_from", Instant),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", Document, nullable=False),
    sa.Column("reason", Document),
    sa.Column("ended_at", Instant),
    # Grows with every driver that takes the plan over, and with everything a person does to it.
    sa.Column("fence", Number, nullable=False),
    sqlite_autoincrement=True,
)

replay_item = sa.Table(
    "replay_item",
    METADATA,
    sa.Column("plan", Number, sa.ForeignKey("replay_plan.number"), primary_key=True, autoincrement=False),
    # No foreign key: a report outlives the messages it tells of.
    sa.Column("number", Number, primary_key=True, autoincrement=False),
    sa.Column("record", sa.Uuid, nullable=False),
    sa.Column("is_head", sa.Boolean, nullable=False),
    sa.Column("group_key", Key(16)),
    sa.Column("source", Key(64)),
    sa.Column("entity", Key(128)),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("foreseen", Key(16)),
    sa.Column("covered_by", Number),
    sa.Column("wave", sa.Integer),
    # The newest line of the journal about the message when it was sent: a newer one is what came of it.
    sa.Column("seen", Number),
    sa.Column("sent_at", Instant),
    sa.Column("decided_at", Instant),
    sa.Column("fate", Key(16)),
    sa.Column("reason", Document),
    # Of a record of the canary: `due`, then `equal` or `differs`.
    sa.Column("proof", Key(16)),
    sa.Index(None, "plan", "state"),
    sa.Index(None, "plan", "record"),
)
