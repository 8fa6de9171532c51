"""The script one would write first: requests, pandas, a row per insert, the whole list replaced. I/O.

It is the yardstick of `benchmarks.sync_speed`: no holdout ledger, no write-ahead, no fuse, no firewall.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys

import pandas as pd
import requests


def main() -> None:
    """`python -m benchmarks.straightforward URL DATABASE`."""
    url, database = sys.argv[1:]
    members, start = [], ""
    while True:
        page = requests.get(
            f"{url}/v1/segments/7/membership", params={"limit": 30_000, "start": start}, timeout=60
        ).json()
        members += page["identifiers"]
        start = page["next"]
        if not start:
            break
    people = pd.DataFrame(members)
    people["email"] = people["email"].str.strip().str.lower()
    people["unit"] = people["email"].map(lambda email: hashlib.sha256(email.encode()).hexdigest())
    people["bucket"] = people["unit"].map(
        lambda unit: int(hashlib.sha256(f"holdout:v1:everyone:s0|{unit}".encode()).hexdigest()[:8], 16)
    )
    people = people.drop_duplicates("unit")
    treated = people[people["bucket"] >= 429_496_729]
    connection = sqlite3.connect(database)
    connection.execute("create table if not exists members (unit text primary key, bucket integer)")
    connection.execute("delete from members")
    for row in people.itertuples():
        connection.execute("insert into members values (?, ?)", (row.unit, row.bucket))
    connection.commit()
    headers = {"Authorization": "Bearer t"}
    address = f"{url}/2026-07/marketing-solutions/audience-segments/700/contact-list"
    units = treated["unit"].tolist()
    for at in range(0, len(units), 50_000):
        attributes = {"operation": "add", "identifierType": "email", "identifiers": units[at : at + 50_000]}
        body = {"data": {"type": "ContactlistAmendment", "attributes": attributes}}
        requests.patch(address, json=body, headers=headers, timeout=60).raise_for_status()


if __name__ == "__main__":
    main()
