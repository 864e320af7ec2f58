"""When a worker has served enough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How long one worker serves.

    Attributes:
        n_requests: Requests to serve.
        least_requests: Requests to serve even when the budget is spent.
        least_seconds: Time to serve even when all requests are served.
        budget_seconds: Time after which ``least_requests`` are enough.
    """

    n_requests: int
    least_requests: int
    least_seconds: float
    budget_seconds: float

    def is_made(self, n_served: int, seconds: float) -> bool:
        """Whether ``n_served`` requests in ``seconds`` are enough."""
        if seconds >= self.budget_seconds:
            return n_served >= self.least_requests
        return n_served >= self.n_requests and seconds >= self.least_seconds
