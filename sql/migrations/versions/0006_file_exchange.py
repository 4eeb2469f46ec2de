"""What is kept of export drops: drops, modules, what is kept out, the last accepted snapshot."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "export_drop",
        sa.Column("number", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("name", sqltypes.Key(256), nullable=False),
        sa.Column("print", sqltypes.Key(64), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("reason", sqltypes.Document(), nullable=False),
        sa.Column("seen_at", sqltypes.Instant(), nullable=False),
        sa.Column("exported_at", sqltypes.Instant()),
        sa.Column("marked_at", sqltypes.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_export_drop")),
        sa.UniqueConstraint("system", "name", "print", name=op.f("uq_export_drop_system_name_print")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "drop_module",
        sa.Column("number", sqltypes.Number(), autoincrement=False, nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("listed", sqltypes.Number()),
        sa.Column("found", sqltypes.Number(), nullable=False),
        sa.Column("created", sqltypes.Number(), nullable=False),
        sa.Column("updated", sqltypes.Number(), nullable=False),
        sa.Column("deleted", sqltypes.Number(), nullable=False),
        sa.Column("unchanged", sqltypes.Number(), nullable=False),
        sa.Column("kept_out", sqltypes.Number(), nullable=False),
        sa.Column("doubted", sqltypes.Number(), nullable=False),
        sa.Column("note", sqltypes.Document(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["export_drop.number"], name=op.f("fk_drop_module_number")),
        sa.PrimaryKeyConstraint("number", "entity", name=op.f("pk_drop_module")),
    )
    op.create_table(
        "drop_finding",
        sa.Column("id", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sqltypes.Number(), nullable=False),
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("file", sqltypes.Document(), nullable=False),
        sa.Column("record", sqltypes.Document()),
        sa.Column("field", sqltypes.Document()),
        sa.Column("code", sqltypes.Key(64), nullable=False),
        sa.Column("severity", sqltypes.Key(16), nullable=False),
        sa.Column("detail", sqltypes.Document(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["export_drop.number"], name=op.f("fk_drop_finding_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drop_finding")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_drop_finding_system_entity"), "drop_finding", ["system", "entity"])
    op.create_table(
        "snapshot_record",
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("record", sqltypes.Key(128), nullable=False),
        sa.Column("content", sqltypes.Bytes(32), nullable=False),
        sa.Column("version", sqltypes.Number(), nullable=False),
        sa.Column("is_present", sa.Boolean(), nullable=False),
        sa.Column("seen", sqltypes.Number(), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "record", name=op.f("pk_snapshot_record")),
    )
    op.create_index(
        op.f("ix_snapshot_record_system_entity_seen"), "snapshot_record", ["system", "entity", "seen"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_snapshot_record_system_entity_seen"), table_name="snapshot_record")
    op.drop_table("snapshot_record")
    op.drop_index(op.f("ix_drop_finding_system_entity"), table_name="drop_finding")
    op.drop_table("drop_finding")
    op.drop_table("drop_module")
    op.drop_table("export_drop")
