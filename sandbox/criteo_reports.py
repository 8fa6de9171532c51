"""Criteo's statistics and transactions reports over what the ads delivered and what Criteo claims. I/O."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.responses import JSONResponse, Response

from sandbox.advertising import AdSet
from sandbox.claims import Cell, Claim
from sandbox.criteo_ad_sets import ADVERTISER_NAME, CAMPAIGN_ID, CAMPAIGN_NAME
from sandbox.criteo_wire import Call, CriteoProblemError, invalid
from sandbox.ledger import UNCLAIMED, order_id
from sandbox.report_names import DIMENSIONS, METRICS
from sandbox.shop import HOUR

MAX_ROWS = 100_000
_KEYS = frozenset(
    {"advertiserIds", "currency", "dimensions", "metrics", "startDate", "endDate", "format", "timezone"}
    | {"adSetIds", "adSetNames", "adSetStatus"}
)
_PARTNERS = {
    "AdsetId": ("AdsetId", "Adset"),
    "AdvertiserId": ("AdvertiserId", "Advertiser"),
    "CampaignId": ("CampaignId", "Campaign"),
    "CategoryId": ("CategoryId", "Category"),
    "AdId": ("AdId", "Ad"),
    "CouponId": ("CouponId", "Coupon"),
    "ChannelId": ("ChannelId", "Channel"),
    "MarketingObjectiveId": ("MarketingObjectiveId", "MarketingObjective"),
}
"""Asking for an id adds the name, and the other way round."""


@dataclass(frozen=True, slots=True)
class Query:
    """A report request that passed validation."""

    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    currency: str
    start: date
    end: date
    zone: ZoneInfo
    form: str
    ad_sets: frozenset[str] | None
    authorised: bool


def _read_query(call: Call) -> Query:
    body = call.body
    if not isinstance(body, dict):
        invalid("invalid-request", "The body must be an object.")
    if unknown := set(body) - _KEYS:
        invalid("unknown-field", f"Unknown field {min(unknown)}.")
    for key in ("advertiserIds", "currency", "dimensions", "metrics", "startDate", "endDate"):
        if key not in body:
            invalid("required-field", f"{key} is required.")
    dimensions, metrics = body["dimensions"], body["metrics"]
    if not isinstance(dimensions, list) or not dimensions or not set(dimensions) <= DIMENSIONS:
        invalid("invalid-dimensions", "dimensions must be one or more of the known ones.")
    if not isinstance(metrics, list) or not set(metrics) <= METRICS:
        invalid("invalid-metrics", "metrics must be of the known ones.")
    form = body.get("format", "json")
    if form not in ("json", "csv"):
        invalid("invalid-format", "This sandbox writes json and csv.")
    wanted = body.get("adSetIds")
    return Query(
        dimensions=_with_partners(dimensions),
        metrics=tuple(metrics),
        currency=_currency(body["currency"]),
        start=(period := _period(call, body))[0],
        end=period[1],
        zone=_zone(body.get("timezone")),
        form=form,
        ad_sets=frozenset(map(str, wanted)) if wanted else None,
        authorised=authorised(call, body["advertiserIds"]),
    )


def _with_partners(dimensions: list[str]) -> tuple[str, ...]:
    columns: dict[str, None] = {}
    for asked in dimensions:
        pair = next((pair for pair in _PARTNERS.values() if asked in pair), (asked,))
        columns.update(dict.fromkeys(pair))
    return tuple(columns)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        invalid("invalid-currency", "currency is an ISO-4217 code in upper case.")
    return value


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(value or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        invalid("invalid-timezone", "timezone is a name of the tz database.")


def _period(call: Call, body: Mapping[str, Any]) -> tuple[date, date]:
    try:
        start, end = (date.fromisoformat(str(body[key])[:10]) for key in ("startDate", "endDate"))
    except ValueError:
        invalid("invalid-date-format", "startDate and endDate are ISO-8601.")
    if start > end:
        invalid("invalid-timespan", "startDate must not be after endDate.")
    if start < call.market.clock.now().date() - timedelta(days=731):
        invalid("invalid-ranged", "Reports reach two years back.")
    return start, end


def authorised(call: Call, advertiser_ids: Any) -> bool:
    """Whether the report may be seen; an unknown advertiser is refused or skipped, by the switch."""
    asked = [one.strip() for one in str(advertiser_ids).split(",") if one.strip()]
    mine = call.market.account.advertiser_id
    if set(asked) <= {mine}:
        return True
    if call.switches.unauthorized_report == "403":
        raise CriteoProblemError(
            403,
            "access-control",
            "insufficient-advertisers-permissions",
            "You do not have the rights to report on these advertisers",
        )
    return mine in asked


def _claims(call: Call) -> Iterator[tuple[int, Claim]]:
    orders = call.market.ledger.read()
    rows = (orders.claimed != UNCLAIMED).nonzero()[0]
    columns = (orders.number, orders.revenue, orders.at, orders.touch_at, orders.clicked, orders.cross_device)
    values = zip(*(column[rows].tolist() for column in columns), strict=True)
    for index, row in zip(orders.claimed[rows].tolist(), values, strict=True):
        yield index, Claim(*row)


def _cells(call: Call, query: Query) -> dict[tuple[str, ...], Cell]:
    ad_sets, seen_until = (
        call.market.ads.ad_sets,
        call.market.clock.epoch() - call.switches.report_lag_hours * HOUR,
    )
    cells: dict[tuple[str, ...], Cell] = {}
    days = "%Y/%-m/%-d" if call.switches.report_days == "slashes" else "%Y-%m-%d"

    def cell(index: int, epoch: float) -> Cell | None:
        local = datetime.fromtimestamp(epoch, query.zone)
        ad_set = ad_sets[index]
        if not query.start <= local.date() <= query.end or epoch >= seen_until:
            return None
        if not query.authorised or (query.ad_sets is not None and ad_set.id not in query.ad_sets):
            return None
        key = tuple(_value(column, call, ad_set, local, days) for column in query.dimensions)
        return cells.setdefault(key, Cell())

    for (index, hour), row in call.market.ads.delivered.items():
        if (at := cell(index, hour * HOUR)) is not None:
            at.displays += row.displays
            at.clicks += row.clicks
            at.cost += row.cost
            at.users += row.new_today
    for index, claim in _claims(call):
        if (at := cell(index, claim.touch_at)) is not None:
            at.claims.append(claim)
    return cells


_TIMES: dict[str, Callable[[datetime, str], str]] = {
    "Hour": lambda at, days: at.strftime(f"{days} %H:00:00"),
    "Day": lambda at, days: at.strftime(days),
    "Week": lambda at, days: (at - timedelta(days=at.weekday())).strftime(days),
    "Month": lambda at, days: at.replace(day=1).strftime(days),
    "Year": lambda at, days: at.replace(month=1, day=1).strftime(days),
}


def _value(column: str, call: Call, ad_set: AdSet, at: datetime, days: str) -> str:
    if column in _TIMES:
        return _TIMES[column](at, days)
    return {
        "AdsetId": ad_set.id,
        "Adset": ad_set.name,
        "AdvertiserId": call.market.account.advertiser_id,
        "Advertiser": ADVERTISER_NAME,
        "CampaignId": CAMPAIGN_ID,
        "Campaign": CAMPAIGN_NAME,
    }.get(column, "Other")


def statistics(call: Call) -> Response:
    """POST statistics/report: rows by dimension, the end date included, silently cut at 100,000 rows."""
    query = _read_query(call)
    rows: list[dict[str, Any]] = []
    for key, cell in sorted(_cells(call, query).items())[:MAX_ROWS]:
        row: dict[str, Any] = dict(zip(query.dimensions, key, strict=True))
        row["Currency"] = query.currency
        for name in query.metrics:
            value = cell.metric(name)
            row[name] = value if call.switches.report_numbers == "number" else f"{value:g}"
        rows.append(row)
    if query.form == "csv":
        return _csv(rows, [*query.dimensions, "Currency", *query.metrics])
    return JSONResponse({"Total": len(rows), "Rows": rows} if call.switches.report_shape == "rows" else rows)


def _csv(rows: list[dict[str, Any]], columns: list[str]) -> Response:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return Response(text.getvalue().encode("utf-8-sig"), media_type="text/csv")


def transactions(call: Call) -> Response:
    """POST transactions/report: each claimed order, all values as strings, dates as MM/DD/YYYY HH:MM:SS."""
    items = call.data()
    if len(items) != 1:
        invalid("invalid-request", "data holds one query.")
    asked = items[0].get("attributes") or {}
    for key in ("advertiserIds", "currency", "startDate", "endDate"):
        if key not in asked:
            invalid("required-field", f"{key} is required.")
    start, end = _period(call, asked)
    event: Literal["Click", "Display"] | None = asked.get("eventType")
    shown = authorised(call, asked["advertiserIds"])
    data = [
        _transaction(call, claim, index, _currency(asked["currency"]))
        for index, claim in _claims(call)
        if shown
        and start <= datetime.fromtimestamp(claim.at, UTC).date() <= end
        and (event is None or (event == "Click") == claim.clicked)
    ]
    return JSONResponse({"data": data, "errors": [], "warnings": []})


def _transaction(call: Call, claim: Claim, index: int, currency: str) -> dict[str, Any]:
    at, touched = (datetime.fromtimestamp(when, UTC) for when in (claim.at, claim.touch_at))
    attributes = {
        "advertiserId": call.market.account.advertiser_id,
        "advertiserName": ADVERTISER_NAME,
        "adsetName": call.market.ads.ad_sets[index].name,
        "transactionId": order_id(claim.number),
        "transactionDate": f"{at:%m/%d/%Y %H:%M:%S}",
        "eventType": "click" if claim.clicked else "display",
        "eventDate": f"{touched:%m/%d/%Y %H:%M:%S}",
        "attributedTransaction": "True",
        "currency": currency,
        "amount": f"{claim.revenue:.4f}",
        "crossDeviceTransaction": "Yes" if claim.cross_device else "No",
    }
    return {"type": "TransactionsReport", "attributes": attributes}
