"""Repositories on the Hub, their files and cards, and the headers of models that are not here yet."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import parse_qsl, quote, urlsplit

from app.core.errors.hub_errors import FileNotOnHub
from app.core.errors.model_errors import ModelUnreadable
from app.core.events import CancelToken
from app.core.gguf import GgufHeader, GgufProblem, read_beginning
from app.core.lazy_dataclasses import dataclass
from app.core.visible import is_visible
from app.hub.hub_answers import check_name, file_path, get_body, get_json, get_range, is_name, tree_path
from app.hub.model_files import UNCONVERTED, RemoteFile, Repository, group_files
from app.hub.network import DEADLINE_S, Network, import_client

if TYPE_CHECKING:
    from huggingface_hub import HfApi


T = TypeVar("T")

PAGE_ROWS = 30
MOST_PAGES = 4  # asked for beyond those that would be needed if every row passed the filters
# Looking at a repository, going back and looking again asks once; the Hub allows 500 requests in five minutes.
KEPT_S, KEPT_ANSWERS = 300.0, 64
MOST_CARD_BYTES = 200_000
# The keys that an estimate needs lie in the first 1.6 kB of all files that were looked at; vocabularies take MB.
FIRST_HEADER_BYTES, MOST_HEADER_BYTES = 64 * 1024, 64 * 1024 * 1024
HEADER_GROWTH = 2
HEADER_PATIENCE = 4  # times the deadline: large vocabularies have some MB
MOST_TEXT = 200  # characters of any word the Hub says about a repository
MOST_FILES = 20_000
USUAL_BYTES_PER_PARAMETER = 0.5  # 4 bits: what is smaller loses too much to be looked for

SORTS = {"downloads": "downloads", "likes": "likes", "last_modified": "lastModified", "trending": "trendingScore"}
EXPANDED = ("gated", "downloads", "likes", "lastModified", "tags", "pipeline_tag", "gguf")
SEES = "image-text-to-text"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# A card begins with YAML between two lines of dashes, which is for machines.
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(?:.*?\n)??---[ \t]*(?:\n|$)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class HubQuery:
    """A search on the Hub. `most_bytes` 0 and "" don't filter; `license` is a code ("apache-2.0")."""

    text: str = ""
    sort: str = "downloads"
    most_bytes: int = 0
    license: str = ""
    vision: bool = False
    limit: int = PAGE_ROWS
    """A larger one shows more: what was asked for already is not asked again."""


@dataclass(frozen=True)
class FoundRepository:
    """A repository in a list. Numbers are 0 and words "" where the Hub does not say; `gated` is "", auto or manual."""

    repo: str
    downloads: int = 0
    likes: int = 0
    updated_at: float = 0.0
    """Seconds since 1970."""
    license: str = ""
    gated: str = ""
    vision: bool = False
    parameters: int = 0
    architecture: str = ""
    context_tokens: int = 0


@dataclass(frozen=True)
class SearchResultPage:
    """Results of a search; `has_more`: a larger limit would find more."""

    found: tuple[FoundRepository, ...]
    has_more: bool = False


class HubSearch:
    """Asks the Hub. Every call may take up to the deadline, raises what `Network.call` does and can be cancelled.

    Answers are kept for five minutes.
    """

    def __init__(self, network: Network, deadline_s: float = DEADLINE_S) -> None:
        self._network, self._deadline_s = network, deadline_s
        self._kept: OrderedDict[tuple[str, ...], tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Import the client so that the first search is as quick as later ones. Not for the window's thread."""
        import_client()

    def search(self, query: HubQuery, cancel: CancelToken | None = None) -> SearchResultPage:
        """Return a page of repositories with models that run here; each search asks for as many pages as it needs."""

        def work(api: HfApi) -> SearchResultPage:
            found: dict[str, FoundRepository] = {}
            # The Hub filters by tags only; size is compared here, so one page may give few rows.
            after = ""
            for _ in range(MOST_PAGES + query.limit // PAGE_ROWS):
                rows, after = self._read_page(api, query, after)
                found |= {row.repo: row for row in rows if _passes_query(row, query)}
                if not after or len(found) >= query.limit or (cancel and cancel.cancelled):
                    break
            return SearchResultPage(tuple(found.values())[: query.limit], bool(after) or len(found) > query.limit)

        return self._network.call("search", work, deadline_s=self._deadline_s, cancel=cancel)

    def read_repository(self, repo: str, revision: str = "", cancel: CancelToken | None = None) -> Repository:
        """Return what a repository offers, at one commit, to which everything after it is pinned."""

        def work(api: HfApi) -> Repository:
            # Everything after this is asked for by commit, so that card, list and file belong together.
            path = f"/api/models/{check_name(repo)}" + (f"/revision/{quote(revision, safe='')}" if revision else "")
            return self._fetch_once(
                api, path, lambda: _parse_repository(repo, get_json(api, path, [("blobs", "true")])[0])
            )

        return self._network.call("repository", work, repo=repo, deadline_s=self._deadline_s, cancel=cancel)

    def read_change_time(self, repo: str, commit: str, file: str, cancel: CancelToken | None = None) -> float:
        """Return when a file last changed, in seconds since 1970; 0 where the Hub does not say."""
        folder = file.rpartition("/")[0]

        def work(api: HfApi) -> float:
            path = tree_path(repo, commit, folder)
            rows, _ = get_json(api, path, [("expand", "true")])
            found = (row for row in rows[:MOST_FILES] if isinstance(row, dict) and row.get("path") == file)
            change = next(found, {}).get("lastCommit")
            return _parse_time(change.get("date")) if isinstance(change, dict) else 0.0

        return self._network.call("repository", work, repo=repo, deadline_s=self._deadline_s, cancel=cancel)

    def read_card(self, repo: str, commit: str, cancel: CancelToken | None = None) -> str:
        """Return a repository's page as Markdown without what machines read of it; "" where there is none."""

        def work(api: HfApi) -> str:
            path = file_path(repo, commit, "README.md")
            return self._fetch_once(
                api, path, lambda: _clean_card(*get_body(api, path, [], MOST_CARD_BYTES, is_cut=True))
            )

        try:
            return self._network.call(
                "card", work, repo=repo, file="README.md", deadline_s=self._deadline_s, cancel=cancel
            )
        # Most repositories have one, and its absence is no error.
        except FileNotOnHub:
            return ""

    def read_beginning(self, repo: str, commit: str, file: str, cancel: CancelToken | None = None) -> bytes:
        """Return the first 64 KiB of a model, which are enough for an estimate; more of it where they are not."""
        return self._read_until(repo, commit, file, _tells_its_shape, deadline_s=self._deadline_s, cancel=cancel)

    def read_header(self, repo: str, commit: str, file: str, cancel: CancelToken | None = None) -> bytes:
        """Return the bytes of a model up to where its weights begin, and some more."""
        patience_s = HEADER_PATIENCE * self._deadline_s  # several MB are asked for, piece by piece
        return self._read_until(repo, commit, file, _is_complete, deadline_s=patience_s, cancel=cancel)

    def _read_until(
        self,
        repo: str,
        commit: str,
        file: str,
        is_enough: Callable[[GgufHeader], bool],
        *,
        deadline_s: float,
        cancel: CancelToken | None,
    ) -> bytes:
        def work(api: HfApi) -> bytes:
            path = file_path(repo, commit, file)
            data = self._fetch_once(api, path, lambda: get_range(api, path, b"", FIRST_HEADER_BYTES))
            size = FIRST_HEADER_BYTES
            while not is_enough(_parse_beginning(file, data)) and not (cancel and cancel.cancelled):
                # Shorter than asked for: the file ends here.
                if len(data) < size or size >= MOST_HEADER_BYTES:
                    raise ModelUnreadable(file, "truncated" if len(data) < size else "damaged")
                # Doubled each time: few requests, and at most twice what was needed.
                size = min(size * HEADER_GROWTH, MOST_HEADER_BYTES)
                data = get_range(api, path, data, size)
            return data

        return self._network.call("memory estimate", work, repo=repo, file=file, deadline_s=deadline_s, cancel=cancel)

    def _read_page(self, api: HfApi, query: HubQuery, after: str) -> tuple[list[FoundRepository], str]:
        """Return the rows after a mark, and the mark after them, "" at the end."""
        filters = ["gguf", *([f"license:{query.license}"] if query.license else []), *([SEES] if query.vision else [])]
        # Without "expand" the Hub leaves out whether it is gated and what is in the header.
        asked = [*(("filter", text) for text in filters), *(("expand", text) for text in EXPANDED)]
        # `apps` leaves out what llama.cpp can't run, such as diffusion models, which are GGUF, too.
        asked += [("apps", "llama.cpp"), ("sort", SORTS.get(query.sort, query.sort)), ("limit", str(PAGE_ROWS))]
        asked += [("search", query.text.strip())] * bool(query.text.strip()) + [("cursor", after)] * bool(after)

        def fetch() -> tuple[list[FoundRepository], str]:
            rows, headers = get_json(api, "/api/models", asked)
            if not isinstance(rows, list):
                raise ValueError("not a list")  # noqa: TRY004 - told as garbage
            return [found for row in rows if (found := _parse_found(row)) is not None], _page_mark(
                headers.get("link", "")
            )

        return self._fetch_once(api, "/api/models", fetch, repr(asked))

    def _fetch_once(self, api: HfApi, path: str, fetch: Callable[[], T], asked: str = "") -> T:
        """Return what was fetched less than five minutes ago, from the same Hub in the same name."""
        # The token belongs to the key: another person may see other repositories.
        key = (str(api.endpoint), str(api.token), path, asked)
        with self._lock:
            entry = self._kept.get(key)
        if entry and time.monotonic() < entry[0] + KEPT_S:
            return cast(T, entry[1])
        fetched = fetch()
        # Fetched outside of the lock: others need not wait for a slow answer.
        with self._lock:
            self._kept[key] = time.monotonic(), fetched
            self._kept.move_to_end(key)
            if len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)
        return fetched


def _parse_beginning(file: str, data: bytes) -> GgufHeader:
    try:
        return read_beginning(data)
    except GgufProblem as problem:
        raise ModelUnreadable(file, problem.reason) from problem


def _is_complete(header: GgufHeader) -> bool:
    return header.is_complete


def _tells_its_shape(header: GgufHeader) -> bool:
    return header.is_complete or all(
        header.architecture_value(key) is not None
        for key in ("block_count", "embedding_length", "attention.head_count")
    )


def _page_mark(link: str) -> str:
    """Return the cursor of the next page. The rest of the link is ignored: it may lead to another host."""
    found = re.search(r'<([^>]*)>\s*;\s*rel="?next"?', link)
    return dict(parse_qsl(urlsplit(found[1]).query)).get("cursor", "") if found else ""


def _passes_query(found: FoundRepository, query: HubQuery) -> bool:
    # 0 parameters: the Hub does not say, so it is not left out.
    too_large = query.most_bytes and found.parameters * USUAL_BYTES_PER_PARAMETER > query.most_bytes
    return (
        not too_large
        and (not query.license or found.license == query.license.lower())
        and (not query.vision or found.vision)
    )


def _parse_found(row: Any) -> FoundRepository | None:
    """Return a row of a list; None where it has no name to ask for it by."""
    name = row.get("id") if isinstance(row, dict) else None
    # Names go into paths and addresses: an odd one is left out.
    if not isinstance(name, str) or not is_name(name):
        return None
    facts, tags = _header_facts(row), _parse_texts(row.get("tags"))
    return FoundRepository(
        name,
        _parse_number(row.get("downloads")),
        _parse_number(row.get("likes")),
        _parse_time(row.get("lastModified")),
        _license_of(row, tags),
        _gated_kind(row.get("gated")),
        SEES in (*tags, row.get("pipeline_tag")),
        _parse_number(facts.get("total")),
        _parse_text(facts.get("architecture")),
        _parse_number(facts.get("context_length")),
    )


def _parse_repository(name: str, body: Any) -> Repository:
    commit = body["sha"]
    # Anything but a hash could change between two requests.
    if not _COMMIT.fullmatch(commit):
        raise ValueError("no commit")
    siblings = body.get("siblings") or []
    # Bounded, whatever a repository holds.
    files = [file for sibling in siblings[:MOST_FILES] if (file := _parse_file(sibling)) is not None]
    models, vision = group_files(files)
    by_name = {file.name: file for file in files}
    languages = _card_data(body).get("language")
    return Repository(
        name,
        commit,
        models,
        vision,
        _license_of(body, _parse_texts(body.get("tags"))),
        _gated_kind(body.get("gated")),
        _parse_texts([languages] if isinstance(languages, str) else languages),
        any(file.name == "README.md" for file in files),
        _header_facts(body),
        # All three or none: such a model is converted here.
        tuple(by_name[text] for text in UNCONVERTED) if by_name.keys() >= set(UNCONVERTED) else (),
    )


def _parse_file(row: Any) -> RemoteFile | None:
    """Return a file of a listing; None where its name or size is missing."""
    if not isinstance(row, dict) or not isinstance(row.get("rfilename"), str):
        return None
    lfs = row.get("lfs")
    stored: dict[str, Any] = lfs if isinstance(lfs, dict) else {}
    # Large files have their size in both places, small ones only in one.
    size = _parse_number(row.get("size")) or _parse_number(stored.get("size"))
    sha256 = _parse_text(stored.get("sha256")).lower()
    return RemoteFile(row["rfilename"], size, sha256 if _SHA256.fullmatch(sha256) else "") if size else None


def _header_facts(row: dict[str, Any]) -> dict[str, object]:
    """Return what the Hub read from a model's header; its chat template, which is long, is left out."""
    facts = row.get("gguf")
    if not isinstance(facts, dict):
        return {}
    known: dict[str, object] = {key: _parse_number(facts.get(key)) for key in ("total", "context_length")}
    known["architecture"] = _parse_text(facts.get("architecture"))
    return {key: value for key, value in known.items() if value}


def _license_of(row: dict[str, Any], tags: tuple[str, ...]) -> str:
    tagged = next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "")
    return (tagged or _parse_text(_card_data(row).get("license"))).lower()


def _card_data(row: dict[str, Any]) -> dict[str, Any]:
    data = row.get("cardData")
    return data if isinstance(data, dict) else {}


def _gated_kind(value: Any) -> str:
    return value if value in ("auto", "manual") else "manual" if value else ""


def _parse_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 < value < 1 << 62 else 0  # NaN is not either


def _parse_text(value: Any) -> str:
    # Whatever turns lines around or breaks them could make a list say something else.
    return value[:MOST_TEXT] if isinstance(value, str) and is_visible(value) else ""


def _parse_texts(value: Any) -> tuple[str, ...]:
    found = (_parse_text(text) for text in value[:MOST_TEXT]) if isinstance(value, list) else ()
    return tuple(filter(None, found))


def _parse_time(value: Any) -> float:
    try:
        return max(0.0, datetime.fromisoformat(value).timestamp())
    except (TypeError, ValueError, OverflowError, OSError):
        return 0.0


def _clean_card(data: bytes, headers: dict[str, str]) -> str:
    if "html" in headers.get("content-type", ""):
        raise ValueError("a page for people")
    # Some cards have a byte order mark, and Windows' line ends.
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", _FRONT_MATTER.sub("", text, count=1) if text.lstrip().startswith("---") else text).strip()
