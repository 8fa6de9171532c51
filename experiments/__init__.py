"""Who is held out of what, since when: identity, assignment, audiences and the ledger."""
