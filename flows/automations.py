"""Turns the product's events into notifications: creates or updates its automations on the Prefect server. I/O.

    python -m flows.automations slack-webhook/holdouts

`slack-webhook/holdouts` is the type and the name of a notification block on that server; Prefect has
such blocks for Slack, Microsoft Teams, e-mail and others. Running it again updates what is there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from experiments.errors import HoldoutsError, Rejected

_FILE = Path(__file__).with_name("automations.yaml")


def automations(block: UUID) -> list[AutomationCore]:
    """The automations of `automations.yaml`, each notifying through this block."""
    text = _FILE.read_text(encoding="utf-8")
    return [AutomationCore.model_validate(_through(block, each)) for each in yaml.safe_load(text)]


def create_automations(block: str) -> list[str]:
    """Creates the automations, or updates those of the same name; gives their names.

    `block` is the type and the name of a notification block. Raises Rejected where there is none.
    """
    with get_client(sync_client=True) as client:
        wanted = automations(_find(client, block))
        for each in wanted:
            _put(client, each)
    return [each.name for each in wanted]


def main(arguments: list[str]) -> int:
    """Runs as a command; gives its exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m flows.automations BLOCK, such as slack-webhook/holdouts\n")
        return Rejected.exit_status
    try:
        names = create_automations(arguments[0])
    except HoldoutsError as error:
        sys.stderr.write(f"holdouts: {error}\n")
        return error.exit_status
    sys.stdout.write("".join(f"{name}\n" for name in names))
    return 0


def _find(client: SyncPrefectClient, block: str) -> UUID:
    kind, _, name = block.partition("/")
    try:
        return client.read_block_document_by_name(name, kind, include_secrets=False).id
    except ObjectNotFound as error:
        raise Rejected(
            f"Prefect has no block {block!r}; make one in its UI under Blocks and name it TYPE/NAME, "
            "such as slack-webhook/holdouts"
        ) from error


def _put(client: SyncPrefectClient, wanted: AutomationCore) -> None:
    known = client.read_automations_by_name(wanted.name)
    if known:
        client.update_automation(known[0].id, wanted)
    else:
        client.create_automation(wanted)


def _through(block: UUID, automation: dict[str, Any]) -> dict[str, Any]:
    actions = [{**action, "block_document_id": block} for action in automation["actions"]]
    return {**automation, "actions": actions}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
