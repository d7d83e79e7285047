"""alphacut over HTTP, with a page to try it on. Needs the extra ``serve``.

Examples
--------
>>> from alphacut.server import Settings, create_app  # doctest: +SKIP
>>> app = create_app(Settings(workers=4))  # for uvicorn, hypercorn or any other ASGI server  # doctest: +SKIP
"""

from .app import create_app
from .settings import Settings

__all__ = ["Settings", "create_app"]
