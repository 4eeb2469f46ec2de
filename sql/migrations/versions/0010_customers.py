"""What rows can be matched by, and the cases of customers that may be one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "match_print",
        sa.Column("table_name", sqltypes.Key(128), nullable=False),
        sa.Column("rule_name", sqltypes.Key(64), nullable=False),
        sa.Column("digest", sqltypes.Key(64), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "rule_name", "digest", "record", name=op.f("pk_match_print")),
    )
    op.create_index(op.f("ix_match_print_record"), "match_print", ["record"])
    op.create_table(
        "customer_case",
        sa.Column("number", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sqltypes.Key(16), nullable=False),
        sa.Column("table_name", sqltypes.Key(128), nullable=False),
        sa.Column("first_row", sa.Uuid(), nullable=False),
        sa.Column("second_row", sa.Uuid(), nullable=False),
        sa.Column("record_key", sqltypes.Key(330)),
        sa.Column("rules", sqltypes.Document(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("is_certain", sa.Boolean(), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("found_at", sqltypes.Instant(), nullable=False),
        sa.Column("heir", sa.Uuid()),
        sa.Column("decided_by", sqltypes.Document()),
        sa.Column("decided_at", sqltypes.Instant()),
        sa.Column("reason", sqltypes.Document()),
        sa.Column("told_as", sqltypes.Key(128)),
        sa.Column("ended", sqltypes.Document()),
        sa.Column("over_at", sqltypes.Instant()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_customer_case")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_customer_case_match",
        "customer_case",
        ["first_row", "second_row"],
        unique=True,
        mssql_where=sa.text("kind = 'match'"),
        sqlite_where=sa.text("kind = 'match'"),
    )
    op.create_index(op.f("ix_customer_case_state"), "customer_case", ["state"])


def downgrade() -> None:
    op.drop_index(op.f("ix_customer_case_state"), table_name="customer_case")
    op.drop_index("uq_customer_case_match", table_name="customer_case")
    op.drop_table("customer_case")
    op.drop_index(op.f("ix_match_print_record"), table_name="match_print")
    op.drop_table("match_print")
