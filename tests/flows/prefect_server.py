"""A real Prefect server as the tests ask it: through REST. I/O."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flows.local_server import clean_environment


@dataclass(frozen=True)
class PrefectServer:
    """Where a server answers and keeps its files."""

    url: str
    home: Path

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """On SQLite a busy server says 503 for a moment; whoever calls it asks again, as Prefect's client does."""
        deadline = time.monotonic() + 30
        answer = httpx.post(f"{self.url}{path}", json=body or {}, timeout=30)
        while answer.status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.5)
            answer = httpx.post(f"{self.url}{path}", json=body or {}, timeout=30)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.url}{path}", timeout=30)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def artifacts(self, run_id: str) -> dict[str, Any]:
        """A run's artifacts, by key; those without one by their type."""
        wanted = {"artifacts": {"flow_run_id": {"any_": [run_id]}}}
        return {each["key"] or each["type"]: each for each in self.post("/artifacts/filter", wanted)}

    def environment(self) -> dict[str, str]:
        """For a process that talks to this server."""
        return {**clean_environment(self.home), "PREFECT_API_URL": self.url}
