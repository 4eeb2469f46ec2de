"""What lanes know of waiting and of people: set aside, edited, no longer waiting, refused in groups."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_IS_REFUSED = sa.text("refused_in IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("message") as table:
        table.add_column(sa.Column("refused_in", sqltypes.Key(16)))
        table.add_column(sa.Column("replaces", sqltypes.Number()))
        table.add_column(sa.Column("edits", sqltypes.Document()))
    op.create_index(
        "ix_message_refused", "message", ["refused_in"], mssql_where=_IS_REFUSED, sqlite_where=_IS_REFUSED
    )
    op.create_index("ix_dependency_record", "dependency", ["record"])
    with op.batch_alter_table("lane_item") as table:
        table.add_column(sa.Column("without", sqltypes.Document()))
        table.add_column(sa.Column("vouched_by", sqltypes.Document()))
        table.add_column(sa.Column("plan", sqltypes.Number()))
        table.add_column(sa.Column("request_id", sqltypes.Document()))
    with op.batch_alter_table("failure_group") as table:
        table.add_column(sa.Column("sender", sqltypes.Document()))


def downgrade() -> None:
    with op.batch_alter_table("failure_group") as table:
        table.drop_column("sender")
    with op.batch_alter_table("lane_item") as table:
        table.drop_column("request_id")
        table.drop_column("plan")
        table.drop_column("vouched_by")
        table.drop_column("without")
    op.drop_index("ix_dependency_record", table_name="dependency")
    op.drop_index("ix_message_refused", table_name="message")
    with op.batch_alter_table("message") as table:
        table.drop_column("edits")
        table.drop_column("replaces")
        table.drop_column("refused_in")
