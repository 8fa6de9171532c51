"""Customer.io's exports of people: pending for some polls, then a CSV behind a link that ages. I/O."""

import csv
import io
import secrets
from collections.abc import Awaitable, Callable

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.customerio_wire import Ask, Handler, refuse
from sandbox.export import Export
from sandbox.workspace import InvalidFilterError, Workspace

LINK_SECONDS = 15 * 60


def create(ask: Ask) -> Response:
    """POST /v1/exports/customers."""
    body = ask.body if isinstance(ask.body, dict) else {}
    workspace, switches = ask.workspace, ask.switches
    try:
        rows = np.flatnonzero(workspace.matching(body.get("filters"))).tolist()
    except InvalidFilterError as error:
        refuse(400, str(error))
    export = Export(
        id=110 + len(workspace.exports),
        content=_csv(workspace, rows, [str(name) for name in body.get("attributes") or ()]),
        rows=len(rows),
        created_at=int(workspace.market.clock.epoch()),
        polls_left=switches.export_polls,
        failed=switches.export_fails,
    )
    workspace.exports[export.id] = export
    return JSONResponse({"export": {**export.shown(), "status": "pending", "failed": False, "total": 0}})


def _csv(workspace: Workspace, rows: list[int], attributes: list[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(dict.fromkeys(["id", "cio_id", *attributes]))
    writer.writerow(columns)
    for index in rows:
        known = workspace.customer(index)["customer"]["attributes"]
        writer.writerow([known.get(column, "") for column in columns])
    return text.getvalue().encode()


def _export(ask: Ask) -> Export:
    export = ask.workspace.exports.get(ask.request.path_params["export_id"])
    if export is None:
        refuse(404, "export does not exist")
    return export


def list_exports(ask: Ask) -> Response:
    """GET /v1/exports."""
    return JSONResponse({"exports": [export.shown() for export in ask.workspace.exports.values()]})


def get_export(ask: Ask) -> Response:
    """GET /v1/exports/{id}; each look brings it nearer to done."""
    export = _export(ask)
    shown = export.shown()
    export.polls_left = max(0, export.polls_left - 1)
    return JSONResponse({"export": shown})


def download(ask: Ask) -> Response:
    """GET /v1/exports/{id}/download: a signed link for 15 minutes."""
    export = _export(ask)
    if export.polls_left > 0 or export.failed:
        refuse(404, "export is not ready")
    export.downloads += 1
    export.signature = secrets.token_hex(8)
    export.expires_at = ask.workspace.market.clock.epoch() + LINK_SECONDS
    base = str(ask.request.base_url).rstrip("/")
    expires = int(export.expires_at)
    return JSONResponse(
        {"url": f"{base}/_files/export-{export.id}.csv?sig={export.signature}&expires={expires}"}
    )


def file_of(workspace: Workspace) -> Callable[[Request], Awaitable[Response]]:
    """The address of the files themselves, which asks for no key."""

    async def endpoint(request: Request) -> Response:
        name, signature = request.path_params["name"], request.query_params.get("sig", "")
        for export in workspace.exports.values():
            if name == f"export-{export.id}.csv" and signature and signature == export.signature:
                expired = workspace.market.clock.epoch() > export.expires_at
                return (
                    Response(status_code=403) if expired else Response(export.content, media_type="text/csv")
                )
        return Response(status_code=403)

    return endpoint


ADDRESSES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v1/exports/customers", create),
    ("GET", "/v1/exports", list_exports),
    ("GET", "/v1/exports/{export_id:int}", get_export),
    ("GET", "/v1/exports/{export_id:int}/download", download),
)
