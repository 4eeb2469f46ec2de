"""Decided in: the phases that were over when a change was decided in them, beside the decision."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("journal", sa.Column("decided_in", sqltypes.Document(), nullable=True))


def downgrade() -> None:
    op.drop_column("journal", "decided_in")
