"""Turns the product's events into notifications: creates or updates its automations on the Prefect server. I/O.

    python -m flows.automations slack-webhook/holdouts

With HOLDOUTS_BRAND they are that brand's own, so that each team hears of its brand alone.
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
from experiments.settings import brand_in_force
from flows.brands import tag_of

_FILE = Path(__file__).with_name("automations.yaml")


def automations(block: UUID) -> list[AutomationCore]:
    """The automations of `automations.yaml`, for the brand in force, each notifying through this block."""
    told = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    brand = brand_in_force()
    if brand:
        told = [_of_brand(brand, each) for each in told]
    return [AutomationCore.model_validate(_through(block, each)) for each in told]


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


def _of_brand(brand: str, automation: dict[str, Any]) -> dict[str, Any]:
    """Under the brand's name, deaf to all others: by the resource of our own events, by the tag of Prefect's."""
    trigger = dict(automation["trigger"])
    if "match_related" in trigger:
        tag = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag_of(brand)}"}
        trigger["match_related"] = [trigger["match_related"], tag]
    else:
        resource = trigger["match"]["prefect.resource.id"].replace("holdouts.", f"holdouts.{brand}.", 1)
        trigger["match"] = {**trigger["match"], "prefect.resource.id": resource}
    return {
        **automation,
        "name": automation["name"].replace("holdouts:", f"holdouts {brand}:", 1),
        "trigger": trigger,
        "actions": [{**each, "subject": f"{brand}: {each['subject']}"} for each in automation["actions"]],
    }


def _through(block: UUID, automation: dict[str, Any]) -> dict[str, Any]:
    actions = [{**action, "block_document_id": block} for action in automation["actions"]]
    return {**automation, "actions": actions}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
