"""The first tables. I/O."""

from alembic import op
import sqlalchemy as sa


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('approvals',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('audience', sa.String(length=128), nullable=False),
    sa.Column('plan', sa.String(length=64), nullable=False),
    sa.Column('approved_at', sa.BigInteger(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('approvals', schema=None) as batch_op:
        batch_op.create_index('approvals_by_audience', ['audience', 'plan'], unique=False)

    op.create_table('erasures',
    sa.Column('mark', sa.LargeBinary(length=32), nullable=False),
    sa.Column('prefix', sa.Integer(), nullable=False),
    sa.Column('erased_at', sa.BigInteger(), nullable=False),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('mark')
    )
    op.create_table('holdout_changes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('audience', sa.String(length=64), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.Column('from_ppm', sa.Integer(), nullable=True),
    sa.Column('to_ppm', sa.Integer(), nullable=False),
    sa.Column('holdout_group', sa.String(length=64), nullable=False),
    sa.Column('salt_number', sa.Integer(), nullable=False),
    sa.Column('route', sa.String(length=16), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('holdout_changes', schema=None) as batch_op:
        batch_op.create_index('holdout_changes_by_audience', ['audience', 'id'], unique=False)

    op.create_table('lists',
    sa.Column('criteo_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('criteo_id')
    )
    with op.batch_alter_table('lists', schema=None) as batch_op:
        batch_op.create_index('lists_by_name', ['name', 'state'], unique=False)

    op.create_table('measurements',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('measured_at', sa.BigInteger(), nullable=False),
    sa.Column('watermark', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('order_loads',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('loaded_at', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('accepted', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('orders',
    sa.Column('order_id', sa.String(length=128), nullable=False),
    sa.Column('unit', sa.LargeBinary(length=32), nullable=False),
    sa.Column('ordered_at', sa.BigInteger(), nullable=False),
    sa.Column('revenue', sa.BigInteger(), nullable=False),
    sa.Column('refunded', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('loaded_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('order_id')
    )
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.create_index('orders_by_unit', ['unit', 'ordered_at', 'revenue', 'refunded'], unique=False)

    op.create_table('phases',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('audience', sa.String(length=64), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('holdout_group', sa.String(length=64), nullable=False),
    sa.Column('salt', sa.String(length=128), nullable=False),
    sa.Column('ppm', sa.Integer(), nullable=False),
    sa.Column('universal_salt', sa.String(length=128), nullable=False),
    sa.Column('universal_ppm', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('audience', 'number')
    )
    op.create_table('playbook_checks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('checked_at', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('refunds',
    sa.Column('order_id', sa.String(length=128), nullable=False),
    sa.Column('refunded_at', sa.BigInteger(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('order_id', 'refunded_at', 'amount')
    )
    op.create_table('requests',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('list', sa.String(length=32), nullable=False),
    sa.Column('operation', sa.String(length=8), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('digests', sa.LargeBinary(), nullable=False),
    sa.Column('written_at', sa.BigInteger(), nullable=False),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('valid', sa.Integer(), nullable=True),
    sa.Column('invalid', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('requests', schema=None) as batch_op:
        batch_op.create_index('requests_by_list', ['list', 'id'], unique=False)

    op.create_table('secrets',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('value', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('snapshots',
    sa.Column('list', sa.String(length=32), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('doubtful', sa.SmallInteger(), nullable=False),
    sa.Column('up_to', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digests', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('list', 'doubtful', 'part')
    )
    op.create_table('spend',
    sa.Column('ad_set', sa.String(length=32), nullable=False),
    sa.Column('day', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('cost', sa.BigInteger(), nullable=False),
    sa.Column('attributed_revenue', sa.BigInteger(), nullable=False),
    sa.Column('attributed_orders', sa.Integer(), nullable=False),
    sa.Column('displays', sa.BigInteger(), nullable=False),
    sa.Column('clicks', sa.BigInteger(), nullable=False),
    sa.Column('loaded_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('ad_set', 'day')
    )
    op.create_table('syncs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('audience', sa.String(length=128), nullable=False),
    sa.Column('synced_at', sa.BigInteger(), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('plan', sa.String(length=64), nullable=False),
    sa.Column('members', sa.Integer(), nullable=False),
    sa.Column('units', sa.Integer(), nullable=False),
    sa.Column('unusable', sa.Integer(), nullable=False),
    sa.Column('excluded', sa.Integer(), nullable=False),
    sa.Column('claimed', sa.Integer(), nullable=False),
    sa.Column('held_out', sa.Integer(), nullable=False),
    sa.Column('adds', sa.Integer(), nullable=False),
    sa.Column('removes', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('deferred', sa.Integer(), nullable=False),
    sa.Column('pushed', sa.Integer(), nullable=False),
    sa.Column('delay_p50', sa.Integer(), nullable=True),
    sa.Column('delay_p95', sa.Integer(), nullable=True),
    sa.Column('identifiers', sa.Integer(), nullable=True),
    sa.Column('matches', sa.Integer(), nullable=True),
    sa.Column('match_ppm', sa.Integer(), nullable=True),
    sa.Column('refusals', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('syncs', schema=None) as batch_op:
        batch_op.create_index('syncs_by_audience', ['audience', 'id'], unique=False)

    op.create_table('tunings',
    sa.Column('experiment', sa.String(length=64), nullable=False),
    sa.Column('information', sa.Double(), nullable=False),
    sa.Column('frozen_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('experiment')
    )
    op.create_table('entrants',
    sa.Column('phase_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit', sa.LargeBinary(length=32), nullable=False),
    sa.Column('bucket', sa.BigInteger(), nullable=False),
    sa.Column('universal_bucket', sa.BigInteger(), nullable=False),
    sa.Column('arm', sa.SmallInteger(), nullable=False),
    sa.Column('entered_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['phase_id'], ['phases.id'], ),
    sa.PrimaryKeyConstraint('phase_id', 'unit'),
    sqlite_with_rowid=False
    )


def downgrade() -> None:
    op.drop_table('entrants')
    op.drop_table('tunings')
    with op.batch_alter_table('syncs', schema=None) as batch_op:
        batch_op.drop_index('syncs_by_audience')

    op.drop_table('syncs')
    op.drop_table('spend')
    op.drop_table('snapshots')
    op.drop_table('secrets')
    with op.batch_alter_table('requests', schema=None) as batch_op:
        batch_op.drop_index('requests_by_list')

    op.drop_table('requests')
    op.drop_table('refunds')
    op.drop_table('playbook_checks')
    op.drop_table('phases')
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_index('orders_by_unit')

    op.drop_table('orders')
    op.drop_table('order_loads')
    op.drop_table('measurements')
    with op.batch_alter_table('lists', schema=None) as batch_op:
        batch_op.drop_index('lists_by_name')

    op.drop_table('lists')
    with op.batch_alter_table('holdout_changes', schema=None) as batch_op:
        batch_op.drop_index('holdout_changes_by_audience')

    op.drop_table('holdout_changes')
    op.drop_table('erasures')
    with op.batch_alter_table('approvals', schema=None) as batch_op:
        batch_op.drop_index('approvals_by_audience')

    op.drop_table('approvals')
