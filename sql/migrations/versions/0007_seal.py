"""The key of the seal on our own messages, and the id of the message that tells a lane of a decision."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "seal_key",
        sa.Column("name", sqltypes.Key(32), nullable=False),
        sa.Column("secret", sqltypes.Key(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_seal_key")),
    )
    op.add_column("dispute", sa.Column("told_as", sqltypes.Key(128), nullable=True))


def downgrade() -> None:
    op.drop_column("dispute", "told_as")
    op.drop_table("seal_key")
