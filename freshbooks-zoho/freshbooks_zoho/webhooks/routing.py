"""Apps whose paths are just what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute


def app_of(routes: Sequence[BaseRoute], **options: Any) -> Starlette:
    """Return an app that has nothing at a path with a slash too many or too few.

    Starlette by itself leads such a request on, to the host that the request names: whoever sends one chooses where.

    Args:
        routes: of the app.
        options: others of Starlette's.
    """
    app = Starlette(routes=routes, **options)
    app.router.redirect_slashes = False
    return app
