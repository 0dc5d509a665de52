"""The page a browser shows at the end of a sign-in: plain, in our words, with nothing in it that could run."""

from __future__ import annotations

from html import escape
from typing import Final

__all__ = ["result_page"]

_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}"
    "h1{font-size:1.5rem}p{margin:.5rem 0}"
)
_HEADERS: Final = (
    b"Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
    b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
    b"X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
)
_PHRASES: Final = {200: b"OK", 400: b"Bad Request", 404: b"Not Found", 405: b"Method Not Allowed"}


def result_page(status: int, heading: str, *lines: str) -> bytes:
    """A whole HTTP answer with the page in it; every text is escaped."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(heading)}</h1>{paragraphs}</body></html>"
    ).encode()
    return b"HTTP/1.1 %d %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, _PHRASES[status], _HEADERS, len(body), body)
