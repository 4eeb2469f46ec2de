"""What the history and the gap detector keep: purged lines summed up, suspects, runs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "baseline",
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("document", sqltypes.Document(), nullable=False),
        sa.Column("deleted_at", sqltypes.Instant()),
        sa.Column("since", sqltypes.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_baseline")),
    )
    op.create_table(
        "gap",
        sa.Column("message_id", sqltypes.Key(128), nullable=False),
        sa.Column("source", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("source_id", sqltypes.Key(128), nullable=False),
        sa.Column("operation", sqltypes.Key(16), nullable=False),
        sa.Column("changed_at", sqltypes.Instant(), nullable=False),
        sa.Column("known_at", sqltypes.Instant(), nullable=False),
        sa.Column("version", sqltypes.Number(), nullable=False),
        sa.Column("noticed_at", sqltypes.Instant(), nullable=False),
        sa.Column("healed_at", sqltypes.Instant()),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_gap")),
    )
    op.create_index(op.f("ix_gap_source_entity_noticed_at"), "gap", ["source", "entity", "noticed_at"])
    op.create_table(
        "gap_run",
        sa.Column("name", sqltypes.Key(128), nullable=False),
        sa.Column("ended_at", sqltypes.Instant(), nullable=False),
        sa.Column("compared", sqltypes.Number(), nullable=False),
        sa.Column("noticed", sqltypes.Number(), nullable=False),
        sa.Column("healed", sqltypes.Number(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("stopped_by", sqltypes.Key(64)),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gap_run")),
    )


def downgrade() -> None:
    op.drop_table("gap_run")
    op.drop_index(op.f("ix_gap_source_entity_noticed_at"), table_name="gap")
    op.drop_table("gap")
    op.drop_table("baseline")
