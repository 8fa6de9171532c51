"""In which currency an order was placed, and the rate that it was converted with. I/O."""

from alembic import op
import sqlalchemy as sa


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('orders', sa.Column('currency', sa.String(length=3), nullable=True))
    op.add_column('orders', sa.Column('rate', sa.Double(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_column('rate')
        batch_op.drop_column('currency')
