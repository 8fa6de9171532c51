"""The Criteo Marketing Solutions API as one application: every address, its handler, scope and quota. I/O."""

from starlette.applications import Starlette
from starlette.routing import Route

from sandbox import criteo_ad_sets as ad_sets
from sandbox import criteo_audiences as audiences
from sandbox import criteo_reports as reports
from sandbox import criteo_segments as segments
from sandbox.criteo_wire import Gate, Handler, Tokens
from sandbox.market import Market

_MANAGE = "MarketingSolutions_Audience_Manage"
_READ = "MarketingSolutions_Audience_Read"
_CAMPAIGNS = "MarketingSolutions_Campaign_Read"
_LINK = "MarketingSolutions_Campaign_Manage"
_ANALYTICS = "MarketingSolutions_Analytics_Read"

_SEGMENTS = "/marketing-solutions/audience-segments"
_LIST = _SEGMENTS + "/{segment_id}/contact-list"
_AUDIENCES = "/marketing-solutions/audiences"
_AD_SETS = "/marketing-solutions/ad-sets"

ADDRESSES: tuple[tuple[str, str, Handler, str | None], ...] = (
    ("GET", "/advertisers/me", ad_sets.my_advertisers, None),
    ("GET", "/marketing-solutions/me", ad_sets.my_application, None),
    ("POST", f"{_SEGMENTS}/create", segments.create, _MANAGE),
    ("PATCH", _SEGMENTS, segments.update, _MANAGE),
    ("POST", f"{_SEGMENTS}/delete", segments.delete, _MANAGE),
    ("POST", f"{_SEGMENTS}/search", segments.search, _READ),
    ("POST", f"{_SEGMENTS}/compute-sizes", segments.compute_sizes, _MANAGE),
    ("PATCH", _LIST, segments.amend, _MANAGE),
    ("DELETE", _LIST, segments.clear, _MANAGE),
    ("GET", f"{_LIST}/statistics", segments.statistics, _READ),
    ("POST", f"{_AUDIENCES}/create", audiences.create, _MANAGE),
    ("PATCH", _AUDIENCES, audiences.update, _MANAGE),
    ("POST", f"{_AUDIENCES}/delete", audiences.delete, _MANAGE),
    ("POST", f"{_AUDIENCES}/search", audiences.search, _READ),
    ("POST", f"{_AUDIENCES}/compute-sizes", audiences.compute_sizes, _MANAGE),
    ("POST", f"{_AUDIENCES}/estimate-size", audiences.estimate_size, _MANAGE),
    ("POST", "/marketing-solutions/campaigns/search", ad_sets.search_campaigns, _CAMPAIGNS),
    ("POST", f"{_AD_SETS}/search", ad_sets.search_ad_sets, _CAMPAIGNS),
    ("GET", _AD_SETS + "/{ad_set_id}", ad_sets.get_ad_set, _CAMPAIGNS),
    ("PUT", _AD_SETS + "/{ad_set_id}/audience", ad_sets.link, _LINK),
    ("POST", "/statistics/report", reports.statistics, _ANALYTICS),
    ("POST", "/transactions/report", reports.transactions, _ANALYTICS),
)
"""Method, address below the version, handler, and the scope that it needs."""


def criteo(market: Market, tokens: Tokens) -> Starlette:
    """The application of one advertiser's account."""
    gate = Gate(market, tokens)
    routes = [Route("/oauth2/token", tokens.issue, methods=["POST"])]
    for method, address, handler, scope in ADDRESSES:
        endpoint = gate(handler, scope, reporting=scope == _ANALYTICS)
        routes.append(Route("/{version}" + address, endpoint, methods=[method]))
    return Starlette(routes=routes)
