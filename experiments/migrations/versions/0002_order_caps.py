"""A cap on single orders, frozen for each experiment. I/O."""

from alembic import op
import sqlalchemy as sa


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('order_caps',
    sa.Column('experiment', sa.String(length=64), nullable=False),
    sa.Column('cents', sa.BigInteger(), nullable=False),
    sa.Column('orders', sa.Integer(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('frozen_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('experiment')
    )


def downgrade() -> None:
    op.drop_table('order_caps')
