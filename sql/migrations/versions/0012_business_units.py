"""Business units: what they were called, how phases changed, and which one a failing item belongs to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("phase", sa.Column("unit_name", sqltypes.Document(), nullable=True))
    op.add_column("lane_item", sa.Column("unit", sqltypes.Key(160), nullable=True))
    op.create_table(
        "phase_change",
        sa.Column("id", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("entity", sqltypes.Key(128), nullable=False),
        sa.Column("unit", sqltypes.Key(128), nullable=False),
        sa.Column("unit_name", sqltypes.Document(), nullable=True),
        sa.Column("before", sqltypes.Key(32), nullable=False),
        sa.Column("after", sqltypes.Key(32), nullable=False),
        sa.Column("changed_at", sqltypes.Instant(), nullable=False),
        sa.Column("changed_by", sqltypes.Document(), nullable=False),
        sa.Column("reason", sqltypes.Document(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phase_change")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("phase_change")
    op.drop_column("lane_item", "unit")
    op.drop_column("phase", "unit_name")
