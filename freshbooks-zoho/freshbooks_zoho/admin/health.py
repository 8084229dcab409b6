"""`/healthz` and `/readyz`: is the process alive, and can it do its work?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from anyio import to_thread
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


class Readiness(Protocol):
    """Knows what keeps the service from doing its work."""

    def problems(self) -> list[str]:
        """Give a sentence for each thing that is wrong, none if all is well; called from a thread."""


def health_routes(readiness: Readiness, *, details: bool) -> list[Route]:
    """Make the routes.

    Args:
        readiness: is asked at each request to `/readyz`.
        details: whether the sentences are shown, or only how many there are: strangers need not know them.
    """

    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> JSONResponse:
        problems = await to_thread.run_sync(readiness.problems)
        if not problems:
            return JSONResponse({"status": "ready", "problems": [] if details else 0})
        return JSONResponse({"status": "not ready", "problems": problems if details else len(problems)}, 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
