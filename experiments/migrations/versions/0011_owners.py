"""Whose ledger this is. I/O."""

from alembic import op
import sqlalchemy as sa


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('owners',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('brand', sa.String(length=32), nullable=False),
    sa.Column('advertiser', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
