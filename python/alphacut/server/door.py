"""Who may ask at all: under which names the server is asked, from which pages, with which token; and what every answer
tells a browser."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import ApiError

ANY_HOST = "*"
_OPEN_PATHS = ("/healthz", "/readyz")  # asked by what watches the server, which has no token; they tell nothing
_COOKIE = "alphacut_token"

_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"media-src 'self' blob:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


class Door:
    """An ASGI middleware that lets through what may ask.

    Parameters
    ----------
    app : ASGI application
        What is behind.
    hosts : collection of str
        Names under which the server may be asked, beside addresses and ``localhost``; ``*`` for any. A page that has
        its own name point here (DNS rebinding) asks under that name, and under no address.
    token : str
        What a request must bring, if not empty: as ``Authorization: Bearer``, as ``X-Api-Key``, or in the cookie that a
        page gets when its address says ``?token=``.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), token: str = "") -> None:
        self._app, self._token = app, token.encode()
        self._hosts = {host.lower().rstrip(".") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                names = {name for name, _ in headers}
                if b"cache-control" not in names:  # with a tag: kept, but asked about before it is used again
                    headers.append((b"cache-control", b"no-cache" if b"etag" in names else b"no-store"))
                message["headers"] = headers + _HEADERS
            await send(message)

        headers = Headers(scope=scope)
        app: ASGIApp = self._app
        if (error := self._refusal(scope, headers)) is not None:
            app = error.response()
        elif self._token and scope["path"].removeprefix(scope.get("root_path", "")) not in _OPEN_PATHS:
            app = self._with_token(scope, headers)
        await app(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> ApiError | None:
        host = headers.get("host")
        if host is not None and not self._is_ours(_name(host)):
            title = f"{host[:80]!r} is no name of this server: start it with --allow-host to have it answer to that."
            return ApiError(421, "unknown_host", title)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") == "cross-site" or not (origin is None or self._is_here(origin, host)):
            return ApiError(403, "cross_site", "Pages of other sites may not ask this server.")
        return None

    def _is_ours(self, name: str) -> bool:
        return ANY_HOST in self._hosts or name in self._hosts or name == "localhost" or _is_address(name)

    def _is_here(self, origin: str, host: str | None) -> bool:
        """Whether a page of this origin is ours: of our host and port or, behind a proxy, of an allowed name."""
        try:
            netloc = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return bool(netloc) and (netloc == (host or "").lower() or _name(netloc) in self._hosts)

    def _with_token(self, scope: Scope, headers: Headers) -> ASGIApp:
        given = headers.get("x-api-key", "")
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            given = bearer.strip()
        if self._is_token(given) or self._is_token(_cookie(headers)):
            return self._app
        if scope["method"] == "GET" and self._is_token(QueryParams(scope["query_string"]).get("token", "")):
            name = scope["path"].rpartition("/")[2]
            response = RedirectResponse(f"./{name}", 303)  # relative: behind a proxy's path, and to no other host
            cookie = quote(self._token.decode(), safe="")
            response.set_cookie(_COOKIE, cookie, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
            return response
        title = "Send the server's token as 'Authorization: Bearer ...' or X-Api-Key; open a page with ?token=..."
        return ApiError(401, "no_token", title, {"WWW-Authenticate": "Bearer"}).response()

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token)


def client_of(scope: Scope) -> str:
    """Who shares with whom: an address of IPv4, or the 64 bits of IPv6 that one customer is given at least."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(host)


def _name(host: str) -> str:
    """Of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return "" if found is None else unquote(found.value)
