"""Phases, the ownership matrix, and conflicts that wait for a person."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_IS_OPEN = sa.text("state <> 'over'")


def upgrade() -> None:
    op.create_table(
        "phase",
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("unit", sqltypes.Key(128), nullable=False),
        sa.Column("phase", sqltypes.Key(32), nullable=False),
        sa.Column("changed_at", sqltypes.Instant(), nullable=False),
        sa.Column("changed_by", sqltypes.Document(), nullable=False),
        sa.Column("reason", sqltypes.Document(), nullable=False),
        sa.Column("version", sqltypes.Number(), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "unit", name=op.f("pk_phase")),
    )
    op.create_table(
        "ownership_rule",
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("column_name", sqltypes.Key(128), nullable=False),
        sa.Column("phase", sqltypes.Key(32), nullable=False),
        sa.Column("owner", sqltypes.Key(16), nullable=False),
        sa.Column("changed_at", sqltypes.Instant(), nullable=False),
        sa.Column("changed_by", sqltypes.Document(), nullable=False),
        sa.Column("reason", sqltypes.Document(), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "column_name", "phase", name=op.f("pk_ownership_rule")),
    )
    op.create_table(
        "dispute",
        sa.Column("id", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("column_name", sqltypes.Key(128), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("opened_at", sqltypes.Instant(), nullable=False),
        sa.Column("changed_at", sqltypes.Instant(), nullable=False),
        sa.Column("base", sqltypes.Document(), nullable=False),
        sa.Column("inbound", sqltypes.Document(), nullable=False),
        sa.Column("outbound", sqltypes.Document(), nullable=False),
        sa.Column("value", sqltypes.Document(), nullable=True),
        sa.Column("seen_inbound", sqltypes.Document(), nullable=True),
        sa.Column("seen_outbound", sqltypes.Document(), nullable=True),
        sa.Column("decided_by", sqltypes.Document(), nullable=True),
        sa.Column("decided_at", sqltypes.Instant(), nullable=True),
        sa.Column("reason", sqltypes.Document(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ended", sqltypes.Document(), nullable=True),
        sa.Column("over_at", sqltypes.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_dispute_open",
        "dispute",
        ["record", "column_name"],
        unique=True,
        mssql_where=_IS_OPEN,
        sqlite_where=_IS_OPEN,
    )


def downgrade() -> None:
    op.drop_table("dispute")
    op.drop_table("ownership_rule")
    op.drop_table("phase")
