"""Creates the limits that all runs share on the Prefect server, or brings them up to date. I/O.

    python -m flows.shared_limits

They are Prefect's global concurrency limits, which give their slots back as time passes; where
HOLDOUTS_BRAND is set, they are that brand's own. Two brands with one Criteo application share its limit.
"""

from __future__ import annotations

import sys

import httpx
from prefect.client.orchestration import get_client

from experiments.errors import HoldoutsError, Rejected, Retryable
from experiments.settings import Settings
from sync.limits import SHARED_RATES, shared_name


def create_limits(settings: Settings) -> list[str]:
    """Creates or updates the limits; gives their names. Raises Rejected where no server is named."""
    if not settings.prefect_api_url:
        raise Rejected("PREFECT_API_URL is not set, so there is no server that could keep a limit")
    names = []
    try:
        with get_client(sync_client=True) as client:
            for name, rate in SHARED_RATES.items():
                names.append(shared_name(name, settings.owner_of(name)))
                client.upsert_global_concurrency_limit_by_name(names[-1], rate.burst, rate.per_second)
    except (httpx.HTTPError, RuntimeError) as error:
        raise Retryable(f"Prefect did not take the limits ({type(error).__name__})") from error
    return names


def main() -> int:
    """Runs as a command; gives its exit status."""
    try:
        names = create_limits(Settings.read())
    except HoldoutsError as error:
        sys.stderr.write(f"holdouts: {error}\n")
        return error.exit_status
    sys.stdout.write("".join(f"{name}\n" for name in names))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
