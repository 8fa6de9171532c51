"""A Customer.io, a Criteo and a shop on loopback, for the demo and the tests; it stands alone. Pure.

`sandbox.world.Sandbox` is the whole of it; `sandbox.switches.Switches` sets what the vendors' documents leave
open; `sandbox.books.Books` is the truth that no server tells. `python -m sandbox` serves one from a process of
its own, moved through a third port (`sandbox.control`).
"""
