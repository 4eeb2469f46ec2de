"""Imports: writes that are pending, the workbooks they are handed over in, and what is answered to them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "import_file",
        sa.Column("number", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("name", sqltypes.Key(256), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("size", sqltypes.Number(), nullable=False),
        sa.Column("made_at", sqltypes.Instant(), nullable=False),
        sa.Column("written_at", sqltypes.Instant()),
        sa.Column("acknowledged_at", sqltypes.Instant()),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("note", sqltypes.Document(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_import_file")),
        sa.UniqueConstraint("system", "name", name=op.f("uq_import_file_system_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pending_write",
        sa.Column("number", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("reference", sa.Uuid()),
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("item", sqltypes.Number(), nullable=False),
        sa.Column("asked", sqltypes.Key(16), nullable=False),
        sa.Column("legacy_id", sqltypes.Key(128)),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("fields", sqltypes.Document()),
        sa.Column("was", sqltypes.Document()),
        sa.Column("agrees", sqltypes.Document()),
        sa.Column("moment_at", sqltypes.Instant(), nullable=False),
        sa.Column("moment_version", sqltypes.Number(), nullable=False),
        sa.Column("queued_at", sqltypes.Instant(), nullable=False),
        sa.Column("file", sqltypes.Number()),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("answer", sqltypes.Key(16)),
        sa.Column("answered_at", sqltypes.Instant()),
        sa.Column("answered_id", sqltypes.Key(128)),
        sa.Column("held", sqltypes.Document()),
        sa.Column("held_since", sqltypes.Instant()),
        sa.Column("code", sqltypes.Key(64)),
        sa.Column("field", sqltypes.Document()),
        sa.Column("over_at", sqltypes.Instant()),
        sa.ForeignKeyConstraint(["item"], ["message.number"], name=op.f("fk_pending_write_item")),
        sa.ForeignKeyConstraint(["file"], ["import_file.number"], name=op.f("fk_pending_write_file")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_pending_write")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_pending_write_record",
        "pending_write",
        ["record"],
        unique=True,
        mssql_where=sa.text("state <> 'over'"),
        sqlite_where=sa.text("state <> 'over'"),
    )
    op.create_index(
        op.f("ix_pending_write_system_state_entity"), "pending_write", ["system", "state", "entity"]
    )
    op.create_index(op.f("ix_pending_write_file"), "pending_write", ["file"])


def downgrade() -> None:
    op.drop_index(op.f("ix_pending_write_file"), table_name="pending_write")
    op.drop_index(op.f("ix_pending_write_system_state_entity"), table_name="pending_write")
    op.drop_index("uq_pending_write_record", table_name="pending_write")
    op.drop_table("pending_write")
    op.drop_table("import_file")
