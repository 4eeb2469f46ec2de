"""Pauses: until when an identity sends nothing to a far side that asked it to slow down."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "identity_pause",
        sa.Column("name", sqltypes.Key(128), nullable=False),
        sa.Column("until", sqltypes.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_identity_pause")),
    )


def downgrade() -> None:
    op.drop_table("identity_pause")
