"""Messages, lanes, shadows, crosswalk, journal, failures: the state as it was first."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    _audit_event()
    _crosswalk()
    _failure_group()
    _job_lease()
    _lane()
    _message()
    _shadow()
    _watermark()
    _conflict()
    _journal()
    _lane_item()
    _ticket()
    _dependency()


def downgrade() -> None:
    for table in _TABLES[::-1]:
        op.drop_table(table)


_TABLES = (
    "audit_event",
    "crosswalk",
    "failure_group",
    "job_lease",
    "lane",
    "message",
    "shadow",
    "watermark",
    "conflict",
    "journal",
    "lane_item",
    "ticket",
    "dependency",
)


def _audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sqltypes.Instant(), nullable=False),
        sa.Column("actor", sqltypes.Document(), nullable=False),
        sa.Column("action", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(64), nullable=False),
        sa.Column("entity_key", sqltypes.Key(330), nullable=False),
        sa.Column("was", sqltypes.Document(), nullable=True),
        sa.Column("became", sqltypes.Document(), nullable=True),
        sa.Column("reason", sqltypes.Document(), nullable=True),
        sa.Column("correlation_id", sqltypes.Document(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_event_at"), "audit_event", ["at"], unique=False)
    op.create_index(
        op.f("ix_audit_event_entity_entity_key"), "audit_event", ["entity", "entity_key"], unique=False
    )


def _crosswalk() -> None:
    op.create_table(
        "crosswalk",
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("legacy_id", sqltypes.Key(128), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("reserved_at", sqltypes.Instant(), nullable=False),
        sa.Column("paired_at", sqltypes.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("system", "entity", "legacy_id", name=op.f("pk_crosswalk")),
    )
    op.create_index(op.f("ix_crosswalk_legacy_id"), "crosswalk", ["legacy_id"], unique=False)
    op.create_index(op.f("ix_crosswalk_row_id"), "crosswalk", ["row_id"], unique=False)


def _failure_group() -> None:
    op.create_table(
        "failure_group",
        sa.Column("fingerprint", sqltypes.Key(16), nullable=False),
        sa.Column("kind", sqltypes.Key(64), nullable=False),
        sa.Column("code", sqltypes.Key(64), nullable=False),
        sa.Column("answer", sqltypes.Document(), nullable=True),
        sa.Column("table_name", sqltypes.Key(128), nullable=False),
        sa.Column("field", sqltypes.Document(), nullable=True),
        sa.Column("rule", sqltypes.Document(), nullable=False),
        sa.Column("first_seen_at", sqltypes.Instant(), nullable=False),
        sa.Column("last_seen_at", sqltypes.Instant(), nullable=False),
        sa.Column("ticket_id", sqltypes.Key(128), nullable=True),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_failure_group")),
    )


def _job_lease() -> None:
    op.create_table(
        "job_lease",
        sa.Column("name", sqltypes.Key(128), nullable=False),
        sa.Column("owner", sqltypes.Key(128), nullable=False),
        sa.Column("lease_until", sqltypes.Instant(), nullable=False),
        sa.Column("fence", sqltypes.Number(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_lease")),
    )


def _lane() -> None:
    op.create_table(
        "lane",
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("fence", sqltypes.Number(), nullable=False),
        sa.Column("owner", sqltypes.Key(128), nullable=True),
        sa.Column("lease_until", sqltypes.Instant(), nullable=True),
        sa.Column("version", sqltypes.Number(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_lane")),
    )


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("number", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sqltypes.Key(128), nullable=False),
        sa.Column("original_id", sqltypes.Document(), nullable=True),
        sa.Column("queue", sqltypes.Key(260), nullable=False),
        sa.Column("body_hash", sqltypes.Bytes(32), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("session_id", sqltypes.Document(), nullable=True),
        sa.Column("body", sqltypes.Bytes(), nullable=True),
        sa.Column("properties", sqltypes.Document(), nullable=True),
        sa.Column("application_properties", sqltypes.Document(), nullable=True),
        sa.Column("position", sqltypes.Number(), nullable=False),
        sa.Column("delivery_count", sa.Integer(), nullable=False),
        sa.Column("sender", sqltypes.Document(), nullable=True),
        sa.Column("received_at", sqltypes.Instant(), nullable=False),
        sa.Column("source", sqltypes.Key(64), nullable=True),
        sa.Column("entity", sqltypes.Key(128), nullable=True),
        sa.Column("source_id", sqltypes.Key(128), nullable=True),
        sa.Column("operation", sqltypes.Key(16), nullable=True),
        sa.Column("changed_at", sqltypes.Instant(), nullable=True),
        sa.Column("version", sqltypes.Number(), nullable=True),
        sa.Column("actor", sqltypes.Document(), nullable=True),
        sa.Column("correlation_id", sqltypes.Document(), nullable=True),
        sa.Column("record", sa.Uuid(), nullable=True),
        sa.Column("outcome", sqltypes.Key(16), nullable=True),
        sa.Column("reason", sqltypes.Document(), nullable=True),
        sa.Column("faults", sqltypes.Document(), nullable=True),
        sa.Column("finished_at", sqltypes.Instant(), nullable=True),
        sa.Column("is_reopened", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_message")),
        sa.UniqueConstraint(
            "message_id", "queue", "body_hash", name=op.f("uq_message_message_id_queue_body_hash")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_message_received_at"), "message", ["received_at"], unique=False)
    op.create_index(op.f("ix_message_record"), "message", ["record"], unique=False)
    op.create_index(
        op.f("ix_message_source_id_entity_source"), "message", ["source_id", "entity", "source"], unique=False
    )
    op.create_index(
        "uq_message_first",
        "message",
        ["message_id", "queue"],
        unique=True,
        mssql_where=sa.text("is_first = 1"),
        sqlite_where=sa.text("is_first = 1"),
    )


def _shadow() -> None:
    op.create_table(
        "shadow",
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("document", sqltypes.Document(), nullable=False),
        sa.Column("deleted_at", sqltypes.Instant(), nullable=True),
        sa.Column("fence", sqltypes.Number(), nullable=False),
        sa.Column("saved_at", sqltypes.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_shadow")),
    )


def _watermark() -> None:
    op.create_table(
        "watermark",
        sa.Column("name", sqltypes.Key(128), nullable=False),
        sa.Column("position", sqltypes.Document(), nullable=False),
        sa.Column("moved_at", sqltypes.Instant(), nullable=False),
        sa.Column("version", sqltypes.Number(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watermark")),
    )


def _conflict() -> None:
    op.create_table(
        "conflict",
        sa.Column("id", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sqltypes.Number(), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("at", sqltypes.Instant(), nullable=False),
        sa.Column("column_name", sqltypes.Key(128), nullable=False),
        sa.Column("base", sqltypes.Document(), nullable=False),
        sa.Column("inbound", sqltypes.Document(), nullable=False),
        sa.Column("outbound", sqltypes.Document(), nullable=False),
        sa.Column("winner", sqltypes.Key(64), nullable=False),
        sa.Column("rule", sqltypes.Document(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["message.number"], name=op.f("fk_conflict_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_conflict_number"), "conflict", ["number"], unique=False)
    op.create_index(op.f("ix_conflict_record"), "conflict", ["record"], unique=False)


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sqltypes.Number(), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("at", sqltypes.Instant(), nullable=False),
        sa.Column("source", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("source_id", sqltypes.Key(128), nullable=False),
        sa.Column("outcome", sqltypes.Key(16), nullable=False),
        sa.Column("reason", sqltypes.Document(), nullable=False),
        sa.Column("changes", sqltypes.Document(), nullable=False),
        sa.Column("map_version", sqltypes.Document(), nullable=False),
        sa.Column("changed_at", sqltypes.Instant(), nullable=True),
        sa.Column("origin", sqltypes.Key(64), nullable=True),
        sa.Column("actor", sqltypes.Document(), nullable=True),
        sa.Column("correlation_id", sqltypes.Document(), nullable=True),
        sa.Column("fence", sqltypes.Number(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["message.number"], name=op.f("fk_journal_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_journal_number"), "journal", ["number"], unique=False)
    op.create_index(op.f("ix_journal_record"), "journal", ["record"], unique=False)


def _lane_item() -> None:
    op.create_table(
        "lane_item",
        sa.Column("number", sqltypes.Number(), autoincrement=False, nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sqltypes.Instant(), nullable=False),
        sa.Column("version", sqltypes.Number(), nullable=False),
        sa.Column("position", sqltypes.Number(), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sqltypes.Instant(), nullable=True),
        sa.Column("waits_on", sqltypes.Key(330), nullable=True),
        sa.Column("is_failing", sa.Boolean(), nullable=False),
        sa.Column("first_failed_at", sqltypes.Instant(), nullable=True),
        sa.Column("last_failed_at", sqltypes.Instant(), nullable=True),
        sa.Column("kind", sqltypes.Key(64), nullable=True),
        sa.Column("code", sqltypes.Key(64), nullable=True),
        sa.Column("answer", sqltypes.Document(), nullable=True),
        sa.Column("rule", sqltypes.Document(), nullable=True),
        sa.Column("table_name", sqltypes.Key(128), nullable=True),
        sa.Column("field", sqltypes.Document(), nullable=True),
        sa.Column("group_key", sqltypes.Key(16), nullable=True),
        sa.ForeignKeyConstraint(["number"], ["message.number"], name=op.f("fk_lane_item_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_lane_item")),
    )
    op.create_index(
        "ix_lane_item_failing",
        "lane_item",
        ["group_key"],
        unique=False,
        mssql_where=sa.text("is_failing = 1"),
        sqlite_where=sa.text("is_failing = 1"),
    )
    op.create_index(
        "ix_lane_item_head",
        "lane_item",
        ["record", "changed_at", "version", "position", "number"],
        unique=False,
        mssql_where=sa.text("state <> 'done'"),
        sqlite_where=sa.text("state <> 'done'"),
    )
    op.create_index(
        "ix_lane_item_open",
        "lane_item",
        ["state", "due_at"],
        unique=False,
        mssql_where=sa.text("state <> 'done'"),
        sqlite_where=sa.text("state <> 'done'"),
    )


def _ticket() -> None:
    op.create_table(
        "ticket",
        sa.Column("id", sqltypes.Key(128), nullable=False),
        sa.Column("fingerprint", sqltypes.Key(16), nullable=False),
        sa.Column("team", sqltypes.Key(128), nullable=False),
        sa.Column("opened_at", sqltypes.Instant(), nullable=False),
        sa.Column("told_count", sa.Integer(), nullable=False),
        sa.Column("told_at", sqltypes.Instant(), nullable=False),
        sa.Column("closed_at", sqltypes.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["fingerprint"], ["failure_group.fingerprint"], name=op.f("fk_ticket_fingerprint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
    )


def _dependency() -> None:
    op.create_table(
        "dependency",
        sa.Column("number", sqltypes.Number(), autoincrement=False, nullable=False),
        sa.Column("wanted", sqltypes.Key(330), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("since", sqltypes.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["lane_item.number"], name=op.f("fk_dependency_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_dependency")),
    )
    op.create_index(op.f("ix_dependency_wanted"), "dependency", ["wanted"], unique=False)
