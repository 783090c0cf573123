"""The program's own tools, which need no set-up: what they are called, and what the model is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.features.tool_calls import ToolFunction, describe_function
from app.features.tools.calculation import MOST_CHARACTERS, calculate_formula
from app.features.tools.chat_search import ChatSearchTool
from app.features.tools.day_reckoning import describe_date
from app.features.tools.document_tools import ALL, KINDS, DocumentTools, LetOut
from app.features.tools.file_tool import FileTool
from app.features.tools.tool import IsStopped, Tool, ToolResult

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary
    from app.hub.web_fetcher import WebFetcher
    from app.store.database import Database
    from app.store.document_store import StoredDocument

Run = Callable[[Mapping[str, Any], IsStopped], ToolResult]
_INTEGER = {"type": "integer"}
# Every word of these is read with every question, so there are few.
CALCULATE = describe_function(
    "calculate",
    "Calculates a formula with units exactly",
    "formula",
    # Small models begin formulas that have no end.
    formula={"type": "string", "maxLength": MOST_CHARACTERS},
)
DATE_AND_TIME = describe_function(
    "date_and_time",
    "Date, weekday and time, now or of a date; adds days; time until a date",
    date="YYYY-MM-DD",
    add_days=_INTEGER,
    until="YYYY-MM-DD",
    zone="IANA name",
)
SEARCH_DOCUMENTS = describe_function(
    "search_documents", "Finds passages in the user's documents", "query", query="", document=f"Default: {ALL}"
)
READ_PAGES = describe_function(
    "read_pages",
    "Reads pages of a document",
    "document",
    "first_page",
    document="",
    first_page=_INTEGER,
    last_page=_INTEGER,
)
LIST_IN_DOCUMENT, COUNT_IN_DOCUMENT = (
    describe_function(
        name, description, "document", "kind", document="", kind={"type": "string", "enum": list(KINDS)}, words=words
    )
    for name, description, words in (
        ("list_in_document", "Lists all dates, amounts or mentions of words in a document", "For mentions"),
        ("count_in_document", "Counts them", ""),
    )
)
SEARCH_CHATS = describe_function("search_chats", "Finds messages in the user's other chats", "query", query="")
READ_FILE = describe_function("read_file", "Reads a file, or lists a folder, that the user granted", "path", path="")


def build_reckoning_tools() -> list[Tool]:
    """Build the tools that need nothing of the person's: calculating, and dates."""
    return [Tool(CALCULATE, _calculate), Tool(DATE_AND_TIME, _tell_date)]


def build_own_tools(
    database: Database,
    library: DocumentLibrary,
    *,
    document_ids: Callable[[], Sequence[int]],
    let_out: LetOut = lambda ids: None,
    chats: Database | None = None,
    current_chat: Callable[[], int | None] = lambda: None,
    folders: Callable[[], Sequence[Path]] = lambda: (),
    files: Callable[[], Sequence[Path]] = lambda: (),
    web: WebFetcher | None = None,
    keep_page: Callable[[StoredDocument], object] = lambda document: None,
) -> list[Tool]:
    """Build the tools for one chat: over its documents, which `database` holds, and what the person granted.

    With `chats` other chats are searched, but for the current one, which asks. With `web` its pages are read if that is
    switched on; `keep_page` makes them documents of the chat.
    """
    documents = DocumentTools(database, library, document_ids, let_out)
    runs: list[tuple[ToolFunction, Run]] = [
        (SEARCH_DOCUMENTS, documents.search),
        (READ_PAGES, documents.read_pages),
        (LIST_IN_DOCUMENT, documents.list_all),
        (COUNT_IN_DOCUMENT, documents.count_all),
        (READ_FILE, FileTool(library, documents, folders, files).read),
    ]
    if chats is not None:
        runs.append((SEARCH_CHATS, ChatSearchTool(chats, current_chat).search))
    of_web: list[Tool] = []
    if web is not None and web.is_on:
        from app.features.tools.web_tools import WebTools  # most people have it switched off

        of_web = WebTools(web, library, documents, keep_page).list_tools()
    return [*build_reckoning_tools(), *(Tool(function, run) for function, run in runs), *of_web]


def _calculate(arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
    return ToolResult(f"{arguments['formula']} {calculate_formula(arguments['formula'])}")


def _tell_date(arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
    return ToolResult(
        describe_date(
            arguments.get("date", ""),
            zone=arguments.get("zone", ""),
            add_days=int(arguments.get("add_days", 0)),
            until=arguments.get("until", ""),
        )
    )
