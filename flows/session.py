"""What a flow works with: settings, the programme, the ledger and the two clients. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from experiments.audience_file import read_programme
from experiments.audiences import Programme
from experiments.database import connect
from experiments.ownership import claim
from experiments.settings import Settings
from sync.criteo import Criteo
from sync.customerio import CustomerIO
from sync.customerio_track import Track
from sync.limits import Limiter, Name, Unlimited, limiter


@dataclass(frozen=True, slots=True)
class Session:
    """One programme with its ledger open."""

    settings: Settings
    programme: Programme
    engine: Engine
    is_one_of_several: bool = False
    """Other runs of the same sync ask the vendors too, so that no limit may be this process's own."""


@contextmanager
def open_session(settings: Settings | None = None) -> Iterator[Session]:
    """Reads the settings and the audiences file, and opens the ledger; Rejected where it is another brand's."""
    settings = settings or Settings.read()
    programme = read_programme(settings.audiences)
    engine = connect(settings.database_url().get_secret_value())
    try:
        claim(engine, settings.holdouts_brand, programme.advertiser)
        yield Session(settings, programme, engine)
    finally:
        engine.dispose()


@contextmanager
def open_customerio(source: Session | Settings) -> Iterator[CustomerIO]:
    """A client of the workspace, closed at the end."""
    settings = _settings(source)
    key = settings.credential("CUSTOMERIO_APP_KEY")
    with closing(_limit(source, "customerio")) as limit:
        client = CustomerIO(settings.customerio_base_url, key, limit)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def open_track(source: Session | Settings) -> Iterator[Track]:
    """A client that writes to the workspace, closed at the end."""
    settings = _settings(source)
    with closing(_limit(source, "customerio-track")) as limit:
        client = Track(
            settings.track_base_url,
            settings.credential("CUSTOMERIO_TRACK_SITE_ID"),
            settings.credential("CUSTOMERIO_TRACK_API_KEY"),
            limit,
        )
        try:
            yield client
        finally:
            client.close()


@contextmanager
def open_criteo(source: Session | Settings) -> Iterator[Criteo]:
    """A client of the programme's advertiser, closed at the end."""
    settings = _settings(source)
    with closing(_limit(source, "criteo")) as limit, closing(_limit(source, "criteo-reports")) as reports:
        client = Criteo(
            settings.criteo_base_url,
            settings.credential("CRITEO_CLIENT_ID").get_secret_value(),
            settings.credential("CRITEO_CLIENT_SECRET"),
            limit,
            reports,
            version=settings.criteo_api_version,
        )
        try:
            yield client
        finally:
            client.close()


def moment(now: datetime | None) -> datetime:
    """The time of a run: the one given, else the clock's, always UTC."""
    if now is None:
        return datetime.now(UTC)
    return now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)


def seconds(when: datetime) -> int:
    """Whole seconds since 1970, as the ledger keeps time."""
    return int(when.timestamp())


def _settings(source: Session | Settings) -> Settings:
    return source.settings if isinstance(source, Session) else source


def _limit(source: Session | Settings, name: Name) -> Limiter:
    settings = _settings(source)
    if not settings.holdouts_rate_limits:
        return Unlimited()
    must_share = isinstance(source, Session) and source.is_one_of_several
    return limiter(name, brand=settings.owner_of(name), must_share=must_share)
