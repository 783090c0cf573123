"""What every web page has that the program writes: a head without script or network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def web_page(body: Iterable[str], title: str, style: str, *, language: str, direction: str = "") -> Iterator[str]:
    """The whole page, a line at a time."""
    yield "<!DOCTYPE html>"
    side = f' dir="{direction}"' if direction else ""
    yield f'<html lang="{escape(language)}"{side}>'
    yield '<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>"
    yield from body
    yield "</body>\n</html>"
