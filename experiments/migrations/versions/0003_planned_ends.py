"""Experiments that are read up to a planned end, and each look at them. I/O."""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('planned_ends',
    sa.Column('experiment', sa.String(length=64), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('ends_at', sa.BigInteger(), nullable=False),
    sa.Column('frozen_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('experiment')
    )
    op.create_table('looks',
    sa.Column('experiment', sa.String(length=64), nullable=False),
    sa.Column('looked_at', sa.BigInteger(), nullable=False),
    sa.Column('information', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('experiment', 'looked_at')
    )


def downgrade() -> None:
    op.drop_table('looks')
    op.drop_table('planned_ends')
