"""Since when a list is in its state, and each night's count of each list. I/O."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('lists', schema=None) as batch_op:
        batch_op.add_column(sa.Column('since', sa.BigInteger(), nullable=True))
    op.create_table('list_counts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('list', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('counted_at', sa.BigInteger(), nullable=False),
    sa.Column('surely', sa.Integer(), nullable=False),
    sa.Column('perhaps', sa.Integer(), nullable=False),
    sa.Column('identifiers', sa.Integer(), nullable=True),
    sa.Column('matches', sa.Integer(), nullable=True),
    sa.Column('match_ppm', sa.Integer(), nullable=True),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('sentence', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('list_counts', schema=None) as batch_op:
        batch_op.create_index('list_counts_by_name', ['name', 'id'], unique=False)
