"""Every table of the ledger, one schema for SQLite and PostgreSQL. Pure.

Times are whole seconds since 1970 in UTC; units are the 32 bytes of SHA-256; money is in cents.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = "0011"
"""The newest migration that this code knows."""

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")

owners = Table(
    "owners",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("brand", String(32), nullable=False),
    Column("advertiser", String(64), nullable=False),
)
"""One row at most: whose ledger this is. Brand is empty where an installation serves a single one."""

holdout_changes = Table(
    "holdout_changes",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("audience", String(64), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("from_ppm", Integer),
    Column("to_ppm", Integer, nullable=False),
    Column("holdout_group", String(64), nullable=False),
    Column("salt_number", Integer, nullable=False),
    Column("route", String(16), nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("holdout_changes_by_audience", "audience", "id"),
)
"""Append-only: each percentage an audience had, by which route, who and why. The largest salt number of
a holdout group is the one in force, so that no audience that comes, leaves or moves changes it."""

phases = Table(
    "phases",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("audience", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("holdout_group", String(64), nullable=False),
    Column("salt", String(128), nullable=False),
    Column("ppm", Integer, nullable=False),
    Column("universal_salt", String(128), nullable=False),
    Column("universal_ppm", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    UniqueConstraint("audience", "number"),
)
"""Append-only: a stretch of time during which an audience had one percentage; the next one ends it."""

entrants = Table(
    "entrants",
    metadata,
    Column("phase_id", _Id, ForeignKey("phases.id"), nullable=False),
    Column("unit", LargeBinary(32), nullable=False),
    Column("bucket", BigInteger, nullable=False),
    Column("universal_bucket", BigInteger, nullable=False),
    Column("arm", SmallInteger, nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("phase_id", "unit"),
    sqlite_with_rowid=False,
)
"""Append-only: a unit the first time it is eligible in a phase. Arm: 0 treatment, 1 held out by the
group, 2 held out of everything."""

lists = Table(
    "lists",
    metadata,
    Column("criteo_id", String(32), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", BigInteger),
)
"""The Criteo contact lists that this ledger ever wrote to, by Criteo's id; `name` is how the audiences file
calls one. State: current; filling, filled or swapping, while it is to replace the current one; leaving, while
campaigns may still show what was replaced; former, to be emptied; deleted. `since` when, where that matters."""

list_counts = Table(
    "list_counts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("list", String(32), nullable=False),
    Column("name", String(128), nullable=False),
    Column("counted_at", BigInteger, nullable=False),
    Column("surely", Integer, nullable=False),
    Column("perhaps", Integer, nullable=False),
    Column("identifiers", Integer),
    Column("matches", Integer),
    Column("match_ppm", Integer),
    Column("verdict", String(16), nullable=False),
    Column("sentence", Text, nullable=False),
    Index("list_counts_by_name", "name", "id"),
)
"""Each night's count of each list: the ledger's, Criteo's, and what the difference was taken for."""

requests = Table(
    "requests",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("list", String(32), nullable=False),
    Column("operation", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("size", Integer, nullable=False),
    Column("digests", LargeBinary, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("valid", Integer),
    Column("invalid", Integer),
    Index("requests_by_list", "list", "id"),
)
"""What Criteo was asked, written before it was asked; `list` is its id. State: sending, confirmed or void (surely not done)."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("list", String(32), nullable=False),
    Column("part", Integer, nullable=False),
    Column("doubtful", SmallInteger, nullable=False),
    Column("up_to", _Id, nullable=False),
    Column("digests", LargeBinary, nullable=False),
    PrimaryKeyConstraint("list", "doubtful", "part"),
)
"""What a list holds after request `up_to`: surely (doubtful 0) or perhaps (1). It bounds the replay."""

identifiers = Table(
    "identifiers",
    metadata,
    Column("key", LargeBinary(32), nullable=False),
    Column("unit", LargeBinary(32), nullable=False),
    Column("form", String(32), nullable=False),
    Column("text", Text),
    PrimaryKeyConstraint("key", "unit"),
    Index("identifiers_by_unit", "unit"),
)
"""Identifiers that are not the SHA-256 of an e-mail: the key that requests and snapshots name, the person, and
what was sent, until no list may hold it. An e-mail's SHA-256 is its own key and stands in no row here."""

rejections = Table(
    "rejections",
    metadata,
    Column("list", String(32), nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    Column("rejected_at", BigInteger, nullable=False),
    Column("found_by", String(16), nullable=False),
    PrimaryKeyConstraint("list", "key"),
)
"""Identifiers that Criteo calls invalid, by its own samples or by bisection."""

syncs = Table(
    "syncs",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("audience", String(128), nullable=False),
    Column("synced_at", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("members", Integer, nullable=False),
    Column("units", Integer, nullable=False),
    Column("unusable", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("claimed", Integer, nullable=False),
    Column("held_out", Integer, nullable=False),
    Column("adds", Integer, nullable=False),
    Column("removes", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("deferred", Integer, nullable=False),
    Column("pushed", Integer, nullable=False),
    Column("delay_p50", Integer),
    Column("delay_p95", Integer),
    Column("identifiers", Integer),
    Column("matches", Integer),
    Column("match_ppm", Integer),
    Column("refusals", Text, nullable=False),
    Index("syncs_by_audience", "audience", "id"),
)
"""One row per list and run: what was seen, and what came of it. `pushed` is what the ledger says it holds then;
the delays are seconds from entry to Criteo's answer, of the people who were added."""

approvals = Table(
    "approvals",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("audience", String(128), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("approved_at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("used_at", BigInteger),
    Index("approvals_by_audience", "audience", "plan"),
)
"""Plans that a person let through a fuse, each good for one sync."""

handovers = Table(
    "handovers",
    metadata,
    Column("kind", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("part", Integer, nullable=False),
    Column("synced_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("digests", LargeBinary, nullable=False),
    PrimaryKeyConstraint("kind", "name", "part"),
)
"""What the runs of one sync tell each other while it is spread over a work pool; empty when it has ended."""

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(128), primary_key=True),
    Column("unit", LargeBinary(32), nullable=False),
    Column("ordered_at", BigInteger, nullable=False),
    Column("revenue", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False, server_default="0"),
    Column("loaded_at", BigInteger, nullable=False),
    Column("currency", String(3)),
    Column("rate", Double),
    Index("orders_by_unit", "unit", "ordered_at", "revenue", "refunded"),
    Index("orders_by_time", "ordered_at"),
)
"""Each order once, in cents of the programme's currency, with what was refunded of it. One in another currency keeps
the rate that it was first converted with; `loaded_at` is when it first came."""

refunds = Table(
    "refunds",
    metadata,
    Column("order_id", String(128), nullable=False),
    Column("refunded_at", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("order_id", "refunded_at", "amount"),
)
"""Each refund once, in cents; its sum stands beside its order."""

order_loads = Table(
    "order_loads",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("loaded_at", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Text, nullable=False),
)
"""Each load of orders; `until` of the newest is the orders' watermark."""

spend = Table(
    "spend",
    metadata,
    Column("ad_set", String(32), nullable=False),
    Column("day", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("attributed_revenue", BigInteger, nullable=False),
    Column("attributed_orders", Integer, nullable=False),
    Column("displays", BigInteger, nullable=False),
    Column("clicks", BigInteger, nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("ad_set", "day"),
)
"""What Criteo charged and claimed, by ad set and UTC day."""

claims = Table(
    "claims",
    metadata,
    Column("order_id", String(128), primary_key=True),
    Column("claimed_at", BigInteger, nullable=False),
    Column("event", String(16), nullable=False),
    Column("ad_set", Text, nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
)
"""The orders that Criteo claims as its own, by the shop's id; `ad_set` is a name, which is all that Criteo tells."""

tunings = Table(
    "tunings",
    metadata,
    Column("experiment", String(64), primary_key=True),
    Column("information", Double, nullable=False),
    Column("frozen_at", BigInteger, nullable=False),
)
"""What each experiment's always-valid intervals are tuned to; never changed once it stands."""

order_caps = Table(
    "order_caps",
    metadata,
    Column("experiment", String(64), primary_key=True),
    Column("cents", BigInteger, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("frozen_at", BigInteger, nullable=False),
)
"""Where each experiment cuts single orders off, from how many orders placed before `until`; never changed once it
stands."""

planned_ends = Table(
    "planned_ends",
    metadata,
    Column("experiment", String(64), primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("frozen_at", BigInteger, nullable=False),
)
"""When the reading of an experiment ends that was planned to; written before its first measurement and never changed."""

looks = Table(
    "looks",
    metadata,
    Column("experiment", String(64), nullable=False),
    Column("looked_at", BigInteger, nullable=False),
    Column("information", Double, nullable=False),
    PrimaryKeyConstraint("experiment", "looked_at"),
)
"""Append-only: each measurement of an experiment with a planned end at which something could be said."""

measurements = Table(
    "measurements",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("measured_at", BigInteger, nullable=False),
    Column("watermark", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)
"""Each report's numbers as they were told, so that a later change of them is seen as a revision."""

playbook_checks = Table(
    "playbook_checks",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("checked_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)
"""What the nightly check of the playbook found, as it was told: the report reads the newest, and a finding that
the one before did not have is new."""

pipeline_audits = Table(
    "pipeline_audits",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("audited_at", BigInteger, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("program", String(32), nullable=False),
    Column("passed", SmallInteger, nullable=False),
    Column("document", Text, nullable=False),
)
"""Each report card of the pipeline, with the seed and the version of the program that it came from."""

erasures = Table(
    "erasures",
    metadata,
    Column("mark", LargeBinary(32), primary_key=True),
    Column("prefix", Integer, nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
)
"""People who were erased and must not come back: a keyed hash of the digest, and its first two bytes to look
only at few. See docs/decisions."""

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary(32), nullable=False),
)
"""Random keys of this database."""
