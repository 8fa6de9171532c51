"""A vendor that answers from a list, and a search through all that a failure says."""

from collections.abc import Callable

import httpx
import pytest

Answer = Callable[[httpx.Request], httpx.Response]


class Vendor:
    """Answers in turn, the last one again and again; keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def everything_said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """All text that a person could meet: the error, its causes, and each log line with its extras."""
    said = [repr(record.__dict__) + record.getMessage() for record in caplog.records]
    chain: BaseException | None = error
    while chain is not None:
        said += [str(chain), repr(chain)]
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return "\n".join(said)
