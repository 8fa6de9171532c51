"""Runs the migrations on the connection that `experiments.database` hands over. I/O."""

from alembic import context

from experiments.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
