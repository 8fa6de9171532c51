"""The Prefect flows and the command line: they connect, and compute nothing."""
