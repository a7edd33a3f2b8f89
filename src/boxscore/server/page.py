"""The web page: static files of the package, at every address that is none of the API's."""

import hashlib
import mimetypes
import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from boxscore.errors import RequestError
from boxscore.server.body import Scope, Send, header, respond
from boxscore.server.errors import no_route

__all__ = ["POLICY", "Page"]

FOLDER = Path(__file__).parent / "page"
ASSETS = "/assets/"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Nothing from other hosts, nothing inline, in no frame, and no text is ever made into HTML."""
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"),
)
NOT_BUILT = (
    b"The web page of Boxscore is not built here. Run `make setup` in a checkout, or install a released package; "
    b"the API at /api/v1 answers all the same.\n"
)
_HASHED = re.compile(r"-[\w-]{8}\.(?:js|css)$")
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_KINDS = {".js": "text/javascript", ".md": "text/plain", ".svg": "image/svg+xml"}


class _File(NamedTuple):
    """`bodies` by encoding, "" for the plain one."""

    kind: bytes
    etag: str
    cached: bytes
    bodies: dict[str, bytes]


class Page:
    """Files are read once and kept: there are few, and they are small. Browsers keep what has its hash in its name, and
    ask for the rest whether it changed."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Answers with a file, or, at the address of a page, with the one page that there is. `RequestError` for other
        methods, and for addresses that neither a browser goes to nor a file has."""
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise RequestError("method", f"{path[:200]} cannot be asked by {scope['method']}.")
        if path.startswith(ASSETS):
            name = path.removeprefix("/")
            if name not in self._names:
                raise no_route(path)
        elif path == "/" or "text/html" in header(scope, b"accept"):
            name = "index.html"
            if name not in self._names:
                await respond(send, 503, NOT_BUILT, kind=b"text/plain; charset=utf-8", headers=list(HEADERS))
                return
        else:
            raise no_route(path)
        try:
            file = self._file(name)
        except OSError:  # another version was installed under a server that runs
            raise no_route(path) from None
        await self._send(scope, send, file)

    @cached_property
    def _names(self) -> frozenset[str]:
        """The files that there are, so that no path of a request is ever looked up on the disk."""
        files = (path for path in self._folder.rglob("*") if path.is_file() and path.suffix not in (".br", ".gz"))
        return frozenset(path.relative_to(self._folder).as_posix() for path in files)

    def _file(self, name: str) -> _File:
        found = self._files.get(name)
        if found is None:
            path = self._folder / name
            plain = path.read_bytes()
            bodies = {"": plain}
            for encoding, suffix in _ENCODINGS:
                packed = path.with_name(path.name + suffix)
                if packed.is_file():
                    bodies[encoding] = packed.read_bytes()
            kind = _KINDS.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
            charset = "; charset=utf-8" if kind.startswith("text/") else ""
            cached = b"public, max-age=31536000, immutable" if _HASHED.search(name) else b"no-cache"
            etag = hashlib.sha256(plain).hexdigest()[:32]
            found = self._files[name] = _File(f"{kind}{charset}".encode(), etag, cached, bodies)
        return found

    async def _send(self, scope: Scope, send: Send, file: _File) -> None:
        accepted = {part.split(";")[0].strip() for part in header(scope, b"accept-encoding").split(",")}
        encoding = next((one for one in file.bodies if one and one in accepted), "")
        etag = f'"{file.etag}{encoding and f"-{encoding}"}"'
        headers = [*HEADERS, (b"etag", etag.encode()), (b"cache-control", file.cached), (b"vary", b"accept-encoding")]
        if encoding:
            headers.append((b"content-encoding", encoding.encode()))
        if etag in (one.strip().removeprefix("W/") for one in header(scope, b"if-none-match").split(",")):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        body = file.bodies[encoding]
        headers += [(b"content-type", file.kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
