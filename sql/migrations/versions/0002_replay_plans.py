"""Replay plans and what became of each message in them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.connectors.sqlstore import sqltypes

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "replay_plan",
        sa.Column("number", sqltypes.Number(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("selection", sqltypes.Document(), nullable=False),
        sa.Column("created_at", sqltypes.Instant(), nullable=False),
        sa.Column("created_by", sqltypes.Document(), nullable=False),
        sa.Column("foreseen", sqltypes.Document(), nullable=True),
        sa.Column("policy", sqltypes.Document(), nullable=True),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("sent_at", sqltypes.Instant(), nullable=True),
        sa.Column("started_at", sqltypes.Instant(), nullable=True),
        sa.Column("started_by", sqltypes.Document(), nullable=True),
        sa.Column("counted_from", sqltypes.Instant(), nullable=True),
        sa.Column("changed_at", sqltypes.Instant(), nullable=False),
        sa.Column("changed_by", sqltypes.Document(), nullable=False),
        sa.Column("reason", sqltypes.Document(), nullable=True),
        sa.Column("ended_at", sqltypes.Instant(), nullable=True),
        sa.Column("fence", sqltypes.Number(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_replay_plan")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "replay_item",
        sa.Column("plan", sqltypes.Number(), autoincrement=False, nullable=False),
        sa.Column("number", sqltypes.Number(), autoincrement=False, nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("is_head", sa.Boolean(), nullable=False),
        sa.Column("group_key", sqltypes.Key(16), nullable=True),
        sa.Column("source", sqltypes.Key(64), nullable=True),
        sa.Column("entity", sqltypes.Key(128), nullable=True),
        sa.Column("state", sqltypes.Key(16), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("foreseen", sqltypes.Key(16), nullable=True),
        sa.Column("covered_by", sqltypes.Number(), nullable=True),
        sa.Column("wave", sa.Integer(), nullable=True),
        sa.Column("seen", sqltypes.Number(), nullable=True),
        sa.Column("sent_at", sqltypes.Instant(), nullable=True),
        sa.Column("decided_at", sqltypes.Instant(), nullable=True),
        sa.Column("fate", sqltypes.Key(16), nullable=True),
        sa.Column("reason", sqltypes.Document(), nullable=True),
        sa.Column("proof", sqltypes.Key(16), nullable=True),
        sa.ForeignKeyConstraint(["plan"], ["replay_plan.number"], name=op.f("fk_replay_item_plan")),
        sa.PrimaryKeyConstraint("plan", "number", name=op.f("pk_replay_item")),
    )
    op.create_index(op.f("ix_replay_item_plan_state"), "replay_item", ["plan", "state"], unique=False)
    op.create_index(op.f("ix_replay_item_plan_record"), "replay_item", ["plan", "record"], unique=False)


def downgrade() -> None:
    op.drop_table("replay_item")
    op.drop_table("replay_plan")
