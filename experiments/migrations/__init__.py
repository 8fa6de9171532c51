"""Alembic migrations of the ledger, run by `experiments.database.connect`."""
