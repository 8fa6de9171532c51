"""Receives notifications as Slack or Teams would: posts over HTTP, kept in a list. I/O."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import PrefectServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.servers import LoopbackServer

BLOCK = "custom-webhook/holdouts"
Notice = dict[str, str]


@contextmanager
def receiving(server: PrefectServer) -> Iterator[list[Notice]]:
    """A receiver behind the notification block `BLOCK`; gives what was posted so far."""
    posted: list[Notice] = []

    async def take(request: Request) -> Response:
        posted.append(await request.json())
        return Response()

    with (
        LoopbackServer(Starlette(routes=[Route("/", take, methods=["POST"])]), "receiver") as receiver,
        temporary_settings({PREFECT_API_URL: server.url}),
    ):
        content = {"subject": "{{subject}}", "body": "{{body}}"}
        hook = CustomWebhookNotificationBlock(name="receiver", url=receiver.url, json_data=content)
        hook.save(BLOCK.partition("/")[2], overwrite=True)
        yield posted


def wait_for(is_so: Callable[[], bool], patience: float = 30.0) -> None:
    deadline = time.monotonic() + patience
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert is_so(), f"not so after {patience:.0f} s"
