"""Far side: in which legacy system an item did not go through."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("lane_item", sa.Column("far_side", sqltypes.Key(64), nullable=True))


def downgrade() -> None:
    op.drop_column("lane_item", "far_side")
