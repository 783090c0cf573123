"""Results of search engines: SearXNG's JSON, and DuckDuckGo's page for browsers without scripts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.core.lazy_dataclasses import dataclass
from app.core.visible import visible_line
from app.hub.web_fetcher import parse_address

MOST_RESULTS = 8
MOST_TITLE, MOST_SNIPPET = 120, 300
MOST_PAGE = 2_000_000
"""Characters of a page that are looked at."""
# No reader of documents: their libraries belong into a child, and a page of results is small and known.
_TAG = re.compile(r"<(/?)([a-zA-Z]+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"(?:^|\s)(class|href)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"']++))", re.IGNORECASE)
_TITLE, _SNIPPET = "result__a", "result__snippet"
_NOTHING = "no-results"
"""Class of what DuckDuckGo says where it found nothing."""


@dataclass(frozen=True)
class WebResult:
    """A page that a search found; `snippet` may be ""."""

    title: str
    address: str
    snippet: str

    @property
    def told(self) -> str:
        """Lines of the result for the model: title, address and snippet."""
        return "\n   ".join(filter(None, (self.title, self.address, self.snippet)))


def read_results(text: str) -> list[WebResult] | None:
    """Return at most eight results of an answer, in its order, without repeated pages; None if it is none."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)["results"]
        except (ValueError, KeyError, RecursionError):
            return None
        entries = _read_entries(found) if isinstance(found, list) else iter(())
    elif _SNIPPET in text or _TITLE in text or _NOTHING in text:
        entries = _read_page(text[:MOST_PAGE])
    else:
        return None
    results: dict[str, WebResult] = {}
    for title, link, snippet in entries:
        if (address := parse_address(link)) is not None and title.strip():
            result = WebResult(_shorten(title, MOST_TITLE), address.text, _shorten(snippet, MOST_SNIPPET))
            results.setdefault(address.text, result)
        if len(results) == MOST_RESULTS:
            break
    return list(results.values())


def _read_entries(found: list[Any]) -> Iterator[tuple[str, str, str]]:
    for entry in found:
        if isinstance(entry, dict):
            fields = [entry.get(name) or "" for name in ("title", "url", "content")]
            title, link, snippet = (str(field) for field in fields)
            yield title, link, snippet


def _read_page(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield title, link and snippet of each result of the page, advertisements left out."""
    title, link = "", ""
    for kind, target, words in _read_parts(text):
        if kind == _TITLE:
            if title:
                yield title, link, ""
            title, link = words, _target_of(target)
        elif title:
            yield title, link, words
            title = ""
    if title:
        yield title, link, ""


def _read_parts(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield class, link and text of each title and snippet; all else of the page is passed over."""
    kind = target = closing = words = ""
    position = 0
    for tag in _TAG.finditer(text):
        slash, name, given = tag.groups()
        if kind:
            words += html.unescape(text[position : tag.start()])
        position = tag.end()
        if kind and slash and name.lower() == closing:
            yield kind, target, words
            kind = words = ""
        elif not kind and name and not slash and "result__" in given:
            said = {name.lower(): html.unescape("".join(value)) for name, *value in _ATTRIBUTE.findall(given)}
            if kinds := {_TITLE, _SNIPPET}.intersection(said.get("class", "").split()):
                kind, target, closing = kinds.pop(), said.get("href", ""), name.lower()


def _target_of(link: str) -> str:
    """Return where a link of the page leads: most go by way of DuckDuckGo itself, and advertisements nowhere."""
    parts = urlsplit(link if not link.startswith("//") else f"https:{link}")
    if not (parts.hostname or "duckduckgo.com").endswith("duckduckgo.com"):
        return link
    return parse_qs(parts.query).get("uddg", [""])[0] if parts.path.startswith("/l/") else ""


def _shorten(text: str, most: int) -> str:
    line = visible_line(" ".join(text.split()))
    return line if len(line) <= most else f"{line[:most].rstrip()}…"
