"""One export of people from Customer.io and how its state shows. Pure."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Export:
    """One export; the CSV is a picture of the moment it was asked for."""

    id: int
    content: bytes
    rows: int
    created_at: int
    polls_left: int
    failed: bool
    downloads: int = 0
    signature: str = ""
    expires_at: float = 0.0

    def shown(self) -> dict[str, Any]:
        """The export object; `total` is 0 until it is done."""
        pending = self.polls_left > 0
        status = "pending" if pending else "failed" if self.failed else "done"
        return {
            "id": self.id,
            "user_id": 0,
            "user_email": "person@example.com",
            "total": self.rows if status == "done" else 0,
            "deduplicate_id": f"{self.id}:{self.created_at}",
            "type": "customers",
            "failed": status == "failed",
            "status": status,
            "description": "Customers with filters",
            "downloads": self.downloads,
            "created_at": self.created_at,
            "updated_at": self.created_at,
        }
