"""Orders by time, for what is forgotten of them and what a night asks; lists are few and need no index by name. I/O."""

from alembic import op


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('orders_by_time', 'orders', ['ordered_at'], unique=False)
    op.drop_index('lists_by_name', table_name='lists')


def downgrade() -> None:
    op.create_index('lists_by_name', 'lists', ['name', 'state'], unique=False)
    op.drop_index('orders_by_time', table_name='orders')
