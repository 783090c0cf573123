"""Tools over the web: search it, and read its pages, which become documents of the chat.

Before anything leaves, the person is asked for each host, with the whole address; see `WEB_SERVER`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from app.core.errors.document_errors import DocumentUnreadable
from app.core.paths import make_folder
from app.core.visible import visible_name
from app.documents.formats import registry
from app.features.document_library import WHOLE
from app.features.tool_calls import ToolFunction, describe_function
from app.features.tools.document_tools import DocumentTools, pages_result
from app.features.tools.file_tool import read_document
from app.features.tools.permissions import WEB_SERVER
from app.features.tools.tool import CallMoved, IsStopped, StopToken, Tool, ToolRefused, ToolResult
from app.features.tools.web_results import read_results
from app.hub.web_fetcher import DUCKDUCKGO, WebAddress, WebFetcher, WebPage, names_own_network, parse_address

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary
    from app.store.document_store import StoredDocument

MOST_TITLE = 80
READ_WEB_PAGE = describe_function("read_web_page", "Opens a page of the web and reads it", "url", url="")
WEB_SEARCH = describe_function(
    "web_search", "Searches the web; returns titles, addresses and snippets", "query", query=""
)
NO_ADDRESS = "That is no address of a web page. Give one that begins with https://."
OWN_NETWORK = "That address is in the user's own network, where no pages are read."
NO_TEXT = "No text can be read from this page. It may need a browser."
NO_SEARCH = "The search engine gave no results that can be read. It may want a browser."
NOTHING_FOUND = "Nothing was found. Search with other words."
SEARCH_MOVED = "The search engine has moved to {host}."
_ENDINGS = {
    "text/html": "html",
    "application/xhtml+xml": "xhtml",
    "application/pdf": "pdf",
    "application/epub+zip": "epub",
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "text/csv": "csv",
    "text/markdown": "md",
    "application/json": "txt",
    "application/xml": "txt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
}
"""Endings of files by media types; other texts are plain."""
_READ = (registry.PDFS, registry.TEXTS, registry.TABLES, registry.SLIDES)
KeepPage = Callable[["StoredDocument"], object]


class WebTools:
    """Tools of one chat over the web; `keep_page` makes a page that was read a document of the chat."""

    def __init__(
        self, fetcher: WebFetcher, library: DocumentLibrary, documents: DocumentTools, keep_page: KeepPage
    ) -> None:
        self._fetcher, self._library = fetcher, library
        self._documents, self._keep_page = documents, keep_page

    def list_tools(self) -> list[Tool]:
        """Return the tools, or none where the web is switched off; searching needs an address to ask."""
        if not self._fetcher.is_on:
            return []
        tools = [Tool(READ_WEB_PAGE, self.read_page, ask_as=self._ask_for_page)]
        if self._fetcher.search_address:
            tools.append(Tool(WEB_SEARCH, self.search, ask_as=self._ask_for_search))
        return tools

    def read_page(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Read a page and keep it as a document. Raises CallMoved where it leads to another host."""
        if (address := parse_address(arguments["url"])) is None:
            raise ToolRefused(NO_ADDRESS)
        if names_own_network(address):
            raise ToolRefused(OWN_NETWORK)
        page = self._fetcher.fetch_page(address, StopToken(is_stopped), accepts=lambda *kind: bool(_ending_of(*kind)))
        if page.moved_to is not None:
            raise CallMoved({"url": page.moved_to.text})
        document = self._store_page(page, is_stopped)
        result = pages_result(document, self._library.read_texts(document.id), f"{document.name}\n\n")
        if not result.places:
            raise ToolRefused(NO_TEXT)
        self._keep_page(document)
        self._documents.add_document(document)
        return result

    def search(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Search the web: at most eight results, each with its address."""
        if (address := self._address_of_search(arguments)) is None:
            raise ToolRefused(NO_ADDRESS)
        is_own = self._fetcher.search_address != DUCKDUCKGO
        page = self._fetcher.fetch_page(address, StopToken(is_stopped), is_own=is_own)
        if page.moved_to is not None:
            raise ToolRefused(SEARCH_MOVED.format(host=page.moved_to.host))
        if (results := read_results(_decode(page))) is None:
            raise ToolRefused(NO_SEARCH)
        told = [f"{number}. {result.told}" for number, result in enumerate(results, 1)]
        return ToolResult("\n".join(told) or NOTHING_FOUND)

    def _ask_for_page(self, arguments: Mapping[str, Any]) -> Tool | None:
        address = parse_address(str(arguments["url"]))
        # What can't be read anyway is refused without a question.
        return None if address is None or names_own_network(address) else _host_tool(address)

    def _ask_for_search(self, arguments: Mapping[str, Any]) -> Tool | None:
        address = self._address_of_search(arguments)
        return None if address is None else _host_tool(address)

    def _address_of_search(self, arguments: Mapping[str, Any]) -> WebAddress | None:
        query = quote(" ".join(str(arguments["query"]).split()), safe="")
        return parse_address(self._fetcher.search_address.replace("{query}", query))

    def _store_page(self, page: WebPage, is_stopped: IsStopped) -> StoredDocument:
        """Read a page into the library, named by its title and host; nothing of it is left on the disk."""
        path = urlsplit(page.address.text).path
        part = WHOLE if _is_utf8(page) else replace(WHOLE, encoding=page.charset)
        make_folder(self._library.folder)
        with tempfile.TemporaryDirectory(prefix="page-", dir=self._library.folder) as folder:
            file = Path(folder, f"page.{_ending_of(page.media_type, path)}")
            file.write_bytes(page.content)
            try:
                document = read_document(self._library, file, is_stopped, part=part)
            except DocumentUnreadable as error:  # whose sentence would name a file that the model has never heard of
                raise ToolRefused(NO_TEXT) from error
        title = " ".join(visible_name(document.info.get("title") or PurePosixPath(path).name).split())
        title = title if len(title) <= MOST_TITLE else f"{title[:MOST_TITLE].rstrip()}…"
        name = f"{title} ({page.address.host})" if title else page.address.host
        return self._library.store.describe_document(document, name=name, info={"address": page.address.text})


def _host_tool(address: WebAddress) -> Tool:
    """Return what the person is asked about: a host, and the address that it is to be asked for."""

    def refuse(_arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
        raise ToolRefused(NO_ADDRESS)

    # An address says something to its host, so no answer grants all hosts together.
    return Tool(ToolFunction(address.host, address.text, {}), refuse, changes=True, server=WEB_SERVER)


def _ending_of(media_type: str, path: str) -> str:
    """Return the ending of a file with this content; "" for what is neither text nor a document."""
    by_path = PurePosixPath(path).suffix.lower().removeprefix(".")
    is_read = any(known.kind in _READ and known.has(by_path) for known in registry.formats()) if by_path else False
    if media_type in _ENDINGS:
        return _ENDINGS[media_type]
    # Servers don't know many types, and call those plain or bytes.
    if is_read and media_type in ("", "text/plain", "application/octet-stream", "binary/octet-stream"):
        return by_path
    return "txt" if media_type.startswith("text/") else ""


def _is_utf8(page: WebPage) -> bool:
    """Return whether a page's encoding needs no telling; some encodings look like ASCII."""
    if not page.charset or page.charset.startswith(("iso-2022", "hz")):
        return not page.charset
    try:
        page.content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decode(page: WebPage) -> str:
    try:
        return page.content.decode(page.charset or "utf-8", "replace")
    except LookupError:
        return page.content.decode("utf-8", "replace")
