"""Identifiers other than SHA-256, and those that Criteo rejects. I/O."""

from alembic import op
import sqlalchemy as sa


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('identifiers',
    sa.Column('key', sa.LargeBinary(length=32), nullable=False),
    sa.Column('unit', sa.LargeBinary(length=32), nullable=False),
    sa.Column('form', sa.String(length=32), nullable=False),
    sa.Column('text', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key', 'unit')
    )
    op.create_index('identifiers_by_unit', 'identifiers', ['unit'], unique=False)
    op.create_table('rejections',
    sa.Column('list', sa.String(length=32), nullable=False),
    sa.Column('key', sa.LargeBinary(length=32), nullable=False),
    sa.Column('rejected_at', sa.BigInteger(), nullable=False),
    sa.Column('found_by', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('list', 'key')
    )
