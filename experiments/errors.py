"""Errors are named after what the person who meets them can do. Pure.

HoldoutsError
├── Retryable   a remote service failed; the same call may succeed later     exit 3
├── Rejected    ours to fix: configuration, credentials, input               exit 2
└── Refused     a fuse or an audit said no; nothing was changed              exit 1
    └── Leaked  somebody held out stands, or nearly stood, in an ad list    exit 1

Messages name audiences, hosts, counts and hashes, never a person, a token or a response body.
"""

from typing import ClassVar


class HoldoutsError(Exception):
    """Any failure that this product explains in one sentence.

    `may_have_acted` is False only where a remote service certainly did not carry the call out; whoever
    keeps a write-ahead record must treat everything else as done.
    """

    exit_status: ClassVar[int] = 2

    def __init__(self, message: str = "", *, may_have_acted: bool = True) -> None:
        super().__init__(message)
        self.may_have_acted = may_have_acted


class Retryable(HoldoutsError):
    """A remote service failed or did not answer; trying again later may work."""

    exit_status = 3


class Rejected(HoldoutsError):
    """Something on our side is wrong: configuration, credentials, region or input."""

    exit_status = 2


class Refused(HoldoutsError):
    """A fuse, the firewall or an audit stopped the work before it changed anything."""

    exit_status = 1


class Leaked(Refused):
    """Somebody who is held out stands in a list that people are advertised from, or was about to."""

    def __init__(self, message: str = "", *, audience: str = "", people: int = 0) -> None:
        super().__init__(message)
        self.audience = audience
        self.people = people
