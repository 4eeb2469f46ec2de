"""Owners who are no user yet: who they are, whom people say they are, and the rows owed to them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_IS_OWED = sa.text("owed IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "unmatched_owner",
        sa.Column("owner", sqltypes.Key(330), nullable=False),
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("name", sqltypes.Document(), nullable=False),
        sa.Column("why", sqltypes.Key(16), nullable=False),
        sa.Column("first_seen_at", sqltypes.Instant(), nullable=False),
        sa.Column("last_seen_at", sqltypes.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_unmatched_owner")),
    )
    op.create_table(
        "owner_alias",
        sa.Column("owner", sqltypes.Key(330), nullable=False),
        sa.Column("system", sqltypes.Key(64), nullable=False),
        sa.Column("name", sqltypes.Document(), nullable=False),
        sa.Column("address", sqltypes.Document(), nullable=False),
        sa.Column("set_at", sqltypes.Instant(), nullable=False),
        sa.Column("set_by", sqltypes.Document(), nullable=False),
        sa.Column("reason", sqltypes.Document(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_owner_alias")),
    )
    op.add_column("shadow", sa.Column("owed", sqltypes.Key(330), nullable=True))
    op.create_index("ix_shadow_owed", "shadow", ["owed"], mssql_where=_IS_OWED, sqlite_where=_IS_OWED)


def downgrade() -> None:
    op.drop_index("ix_shadow_owed", table_name="shadow")
    op.drop_column("shadow", "owed")
    op.drop_table("owner_alias")
    op.drop_table("unmatched_owner")
