"""Rows that were merged into others, and into which."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "absorbed_row",
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("heir", sa.Uuid(), nullable=False),
        sa.Column("at", sqltypes.Instant(), nullable=False),
        sa.Column("number", sqltypes.Number(), nullable=False),
        sa.Column("records", sqltypes.Document(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_absorbed_row")),
    )
    op.create_index(op.f("ix_absorbed_row_heir"), "absorbed_row", ["heir"])


def downgrade() -> None:
    op.drop_index(op.f("ix_absorbed_row_heir"), table_name="absorbed_row")
    op.drop_table("absorbed_row")
