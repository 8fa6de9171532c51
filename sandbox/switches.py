"""Every point that the vendors' documents leave open, as one frozen value with the likeliest default. Pure."""

from dataclasses import dataclass
from typing import Literal

from sandbox.mistakes import NO_MISTAKES, Mistakes

ALL_SCOPES = frozenset(
    {
        "MarketingSolutions_Audience_Manage",
        "MarketingSolutions_Audience_Read",
        "MarketingSolutions_Analytics_Read",
        "MarketingSolutions_Campaign_Read",
        "MarketingSolutions_Campaign_Manage",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How the two servers and the shop behave where the documents are silent or contradict each other.

    Rate limits are measured in real time, since they bind real clients; `None` turns one off.
    """

    # Customer.io
    customerio_rps: float | None = 10.0
    customerio_retry_after: int | None = None
    track_rps: float | None = None
    track_refuses_every: int = 0
    """Of a batch every so manieth item is answered as invalid, the others are taken; 0 refuses none."""
    customerio_errors: Literal["errors", "empty"] = "errors"
    wrong_region: bool = False
    workspace: Literal["email_or_id", "id_only"] = "email_or_id"
    last_next: Literal["empty", "missing"] = "empty"
    trailing_empty_page: bool = False
    looping_cursor: bool = False
    churn_between_pages: int = 0
    over_limit: Literal["clamp", "reject"] = "clamp"
    building_polls: int = 0
    export_polls: int = 1
    export_fails: bool = False

    # Criteo
    criteo_per_minute: int | None = 250
    criteo_reports_per_minute: int | None = 40
    quota_body: Literal["envelope", "object", "empty"] = "object"
    token_error_status: Literal[400, 401] = 401
    token_seconds: int = 900
    expiry_clock: Literal["wall", "sandbox"] = "wall"
    scopes: frozenset[str] = ALL_SCOPES
    consent: bool = True
    processing: Literal["immediate", "batch"] = "immediate"
    late_counts: bool = False
    reject_share: float = 0.0
    """Identifiers that Criteo calls invalid although their form is right."""
    samples: int = 10
    """Invalid identifiers that an answer quotes at most."""
    match_rate_scale: Literal["percent", "fraction"] = "percent"
    duplicate_name: Literal["errors", "warnings", "400"] = "errors"
    too_many_identifiers_status: Literal[400, 413] = 400
    unknown_segment_code: str = "segment-not-found"
    audiences_delete_status: Literal[200, 204] = 200
    report_shape: Literal["array", "rows"] = "array"
    report_numbers: Literal["number", "string"] = "number"
    report_days: Literal["iso", "slashes"] = "iso"
    report_lag_hours: float = 0.0
    unauthorized_report: Literal["403", "skip"] = "403"
    decommissioned: frozenset[str] = frozenset({"2025-07", "2025-10"})

    # The shop and the people who buy its media
    match_share: float = 0.65
    app_share: float = 0.0
    """People with the shop's app, whose advertising id their profiles have as an attribute."""
    media_buyer: bool = True
    site_tag_adset: bool = False
    late_orders: float = 0.0
    refund_share: float = 0.03
    ad_effect: float = 1.0
    mistakes: Mistakes = NO_MISTAKES
