"""Begun writes: in which phases a change was decided whose write nobody has answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("lane_item", sa.Column("phases", sqltypes.Document(), nullable=True))


def downgrade() -> None:
    op.drop_column("lane_item", "phases")
