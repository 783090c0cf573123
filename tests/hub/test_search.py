"""Searching the Hub, reading repositories, cards and headers: over real HTTP, with everything that goes wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import (
    AccessGated,
    FileNotOnHub,
    HubBusy,
    HubUnreachable,
    NetworkOff,
    RepositoryMissing,
    TokenRefused,
)
from app.core.errors.model_errors import ModelUnreadable
from app.core.events import CancelToken
from app.core.gguf import check_model, read_beginning, read_header
from app.features.error_messages import sentence_for
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_search import FIRST_HEADER_BYTES, MOST_CARD_BYTES, PAGE_ROWS, FoundRepository, HubQuery, HubSearch
from app.hub.network import Network
from tests.helpers import gguf_files
from tests.helpers.fake_hub import COMMIT, FakeHub
from tests.helpers.program import wait_until

GB = 10**9
REPO = "org/model-GGUF"
MODEL = gguf_files.padded(gguf_files.header({"general.architecture": "llama"}, [("weights", (32,), 0, 0)])) + bytes(128)


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def make_hub(fake: FakeHub, tmp_path: Path) -> Callable[..., HubSearch]:
    """A Hub of the program's, as a person has set up the network."""

    def make(deadline_s: float = 15.0, **access: Any) -> HubSearch:
        how = NetworkAccess(**({"endpoint": fake.url} | access))
        return HubSearch(Network(lambda: how, ConnectionLedger(tmp_path / "connections.jsonl")), deadline_s)

    return make


@pytest.fixture
def hub(make_hub: Callable[..., HubSearch]) -> HubSearch:
    return make_hub()


def names(hub: HubSearch, **query: Any) -> list[str]:
    return [found.repo for found in hub.search(HubQuery(**query)).found]


# Search


def test_a_row_tells_what_the_hub_knows(fake: FakeHub, hub: HubSearch) -> None:
    fake.add(
        REPO,
        {},
        downloads=5000,
        likes=70,
        lastModified="2026-10-01T00:00:00.000Z",
        tags=["gguf", "license:apache-2.0"],
        pipeline_tag="image-text-to-text",
        gated="manual",
        gguf={"total": 4 * GB, "architecture": "qwen3", "context_length": 32768, "chat_template": "{{ x }}"},
    )
    page = hub.search(HubQuery())
    assert page.found == (
        FoundRepository(REPO, 5000, 70, 1790812800.0, "apache-2.0", "manual", True, 4 * GB, "qwen3", 32768),
    )
    assert not page.has_more


def test_the_hub_is_asked_for_what_runs_here(fake: FakeHub, hub: HubSearch) -> None:
    hub.search(HubQuery("smol lm", sort="trending", license="mit", vision=True))
    (request,) = fake.seen(path="/api/models")
    for part in ("filter=gguf", "filter=license%3Amit", "filter=image-text-to-text", "apps=llama.cpp", "limit=30",
                 "sort=trendingScore", "expand=gguf", "expand=gated"):  # fmt: skip
        assert part in request.path
    assert "search=smol+lm" in request.path or "search=smol%20lm" in request.path


@pytest.mark.parametrize(("sort", "first"), [("downloads", "o/b"), ("likes", "o/a"), ("last_modified", "o/c")])
def test_text_and_order(fake: FakeHub, hub: HubSearch, sort: str, first: str) -> None:
    fake.add("o/a", {}, downloads=1, likes=9)
    fake.add("o/b", {}, downloads=5, likes=3)
    fake.add("o/c", {}, lastModified="2026-11-01T00:00:00.000Z")
    assert names(hub, sort=sort)[0] == first
    assert names(hub, text="B") == ["o/b"]


def test_filters(fake: FakeHub, hub: HubSearch) -> None:
    fake.add("o/small", {}, gguf={"total": 4 * GB}, tags=["gguf", "license:mit"])
    fake.add("o/large", {}, gguf={"total": 70 * GB}, tags=["gguf", "license:MIT", "license:mit"])
    fake.add("o/sees", {}, tags=["gguf", "image-text-to-text"])
    assert set(names(hub, most_bytes=8 * GB)) == {"o/small", "o/sees"}  # a size nobody knows may be small
    assert set(names(hub, license="mit")) == {"o/small", "o/large"}
    assert names(hub, vision=True) == ["o/sees"]


def test_a_larger_limit_shows_more_and_asks_only_for_what_is_new(fake: FakeHub, hub: HubSearch) -> None:
    for number in range(2 * PAGE_ROWS + 5):
        fake.add(f"o/m{number:02}", {}, downloads=1000 - number)
    first = hub.search(HubQuery())
    assert (len(first.found), first.has_more) == (PAGE_ROWS, True)
    second = hub.search(HubQuery(limit=2 * PAGE_ROWS))
    assert (len(second.found), second.has_more) == (2 * PAGE_ROWS, True)
    last = hub.search(HubQuery(limit=3 * PAGE_ROWS))
    assert (len(last.found), last.has_more) == (2 * PAGE_ROWS + 5, False)
    assert [found.repo for found in last.found] == sorted(found.repo for found in last.found)
    assert len(fake.seen(path="/api/models")) == 3
    assert len(hub.search(HubQuery(limit=7)).found) == 7


def test_pages_are_gone_through_until_enough_pass_a_filter(fake: FakeHub, hub: HubSearch) -> None:
    for number in range(3 * PAGE_ROWS):
        size = 70 * GB if number < 2 * PAGE_ROWS else GB
        fake.add(f"o/m{number:02}", {}, downloads=1000 - number, gguf={"total": size})
    assert len(names(hub, most_bytes=8 * GB)) == PAGE_ROWS


def test_a_next_page_is_asked_of_the_same_host(fake: FakeHub, hub: HubSearch) -> None:
    link = '<http://127.0.0.9:1/api/models?cursor=30&evil=1>; rel="next"'
    fake.fail("status", server="hub", status=200, headers={"Link": link}, body=b'[{"id":"o/a"}]')
    fake.add("o/b", {})
    hub.search(HubQuery())
    assert "cursor=30" in fake.seen(path="/api/models")[1].path


def test_what_was_asked_a_moment_ago_is_not_asked_again(
    fake: FakeHub, hub: HubSearch, make_hub: Callable[..., HubSearch]
) -> None:
    fake.add(REPO, {"a-Q4_0.gguf": MODEL, "README.md": b"Hello"})
    for _ in range(2):
        hub.search(HubQuery())
        hub.read_repository(REPO)
        hub.read_card(REPO, COMMIT)
        hub.read_beginning(REPO, COMMIT, "a-Q4_0.gguf")
    assert len(fake.seen("hub")) == 4


def test_an_answer_is_kept_for_the_one_who_asked(fake: FakeHub, tmp_path: Path) -> None:
    """With another token the Hub may say something else."""
    access = [NetworkAccess(endpoint=fake.url), NetworkAccess(endpoint=fake.url, token="secret")]
    hub = HubSearch(Network(lambda: access.pop(0), ConnectionLedger(tmp_path / "connections.jsonl")))
    hub.search(HubQuery())
    hub.search(HubQuery())
    assert [request.headers.get("authorization") for request in fake.seen("hub")] == [None, "Bearer secret"]


ODD: list[Any] = [None, 5, -1, 1e400, True, "", "text", [], [1], {}, {"a": 1}, [[]], "\x1b[31m", float("nan"), 1 << 200]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_fields_of_any_type_are_survived(fake: FakeHub, hub: HubSearch, odd: Any) -> None:
    keys = ("downloads", "likes", "lastModified", "tags", "gated", "pipeline_tag", "gguf", "cardData", "private")
    facts = {"gguf": {"total": odd, "architecture": odd, "context_length": odd}}
    rows = [{"id": "o/good"}, {"id": "o/odd"} | dict.fromkeys(keys, odd), {"id": "o/facts"} | facts, {"id": odd}, odd]
    fake.fail("status", server="hub", status=200, body=json.dumps(rows).encode())
    assert names(hub) == ["o/good", "o/odd", "o/facts"]


@pytest.mark.parametrize(
    "name", ["../../etc", "a/../b", "a/..", "/a", "a", "a/b/c", "a\\b", "C:/a", "a/b\0", "é/b", "a/b?x=1"]
)
def test_rows_with_hostile_names_are_left_out(fake: FakeHub, hub: HubSearch, name: str) -> None:
    fake.fail("status", server="hub", status=200, body=json.dumps([{"id": name}, {"id": "o/a"}]).encode())
    assert names(hub) == ["o/a"]


# A repository


def test_a_repository_lists_what_can_be_downloaded(fake: FakeHub, hub: HubSearch) -> None:
    big = {f"Q8_0/m-Q8_0-0000{part}-of-00002.gguf": MODEL + bytes(1000 * part) for part in (1, 2)}
    hostile = dict.fromkeys(("../evil.gguf", "C:\\evil.gguf", "/evil.gguf", "a\x00.gguf", "a\n.gguf"), MODEL)
    fake.add(
        REPO,
        {"m-Q4_K_M.gguf": MODEL, "mmproj-F16.gguf": MODEL, "imatrix.gguf": MODEL, "README.md": b"x"} | big | hostile,
        gated="auto",
        cardData={"license": "MIT", "language": ["en", "de"]},
        gguf={"total": 135_000_000, "architecture": "llama", "context_length": 8192, "chat_template": "long"},
    )
    found = hub.read_repository(REPO)
    assert [(model.name, model.tag, len(model.parts)) for model in found.models] == [
        ("m-Q4_K_M.gguf", "Q4_K_M", 1),
        ("Q8_0/m-Q8_0-00001-of-00002.gguf", "Q8_0", 2),
    ]
    assert found.models[0].parts[0].sha256 == fake.repos[REPO].files["m-Q4_K_M.gguf"].sha256
    assert found.models[1].size_bytes == 2 * len(MODEL) + 3000
    assert [file.name for file in found.vision] == ["mmproj-F16.gguf"]
    assert (found.commit, found.license, found.gated, found.languages) == (COMMIT, "mit", "auto", ("en", "de"))
    assert found.has_card
    assert found.facts == {"total": 135_000_000, "architecture": "llama", "context_length": 8192}


def test_a_revision_can_be_named(fake: FakeHub, hub: HubSearch) -> None:
    fake.add(REPO, {"m.gguf": MODEL})
    hub.read_repository(REPO, "refs/pr/1")
    assert fake.seen(path=f"/api/models/{REPO}/revision/refs%2Fpr%2F1?blobs=true")


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_listings_of_any_type_are_survived(fake: FakeHub, hub: HubSearch, odd: Any) -> None:
    siblings = [
        odd,
        {"rfilename": odd},
        {"rfilename": "a.gguf", "size": odd, "lfs": odd},
        {"rfilename": "good.gguf", "size": 9},
    ]
    siblings += [{"rfilename": "b.gguf", "size": 7, "lfs": {"sha256": odd, "size": odd}}]
    body = {
        "sha": COMMIT,
        "siblings": siblings,
        "cardData": {"language": odd, "license": odd},
        "tags": odd,
        "gguf": odd,
    }
    fake.fail("status", server="hub", status=200, body=json.dumps(body).encode())
    found = hub.read_repository(REPO)
    assert {"b.gguf", "good.gguf"} <= {model.name for model in found.models} <= {"a.gguf", "b.gguf", "good.gguf"}
    assert not found.has_card


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_without_a_commit_there_is_nothing_to_pin(fake: FakeHub, hub: HubSearch, odd: Any) -> None:
    fake.fail("status", server="hub", status=200, body=json.dumps({"sha": odd, "siblings": []}).encode())
    with pytest.raises(HubUnreachable, match="garbage"):
        hub.read_repository(REPO)


@pytest.mark.parametrize("name", ["missing/repo", "a", "a/../b", "../x", "a/b/c", "a/b?x=1", "", "a b/c"])
def test_a_repository_that_does_not_exist(hub: HubSearch, name: str) -> None:
    with pytest.raises(RepositoryMissing):
        hub.read_repository(name)


def test_a_private_repository_looks_as_if_there_were_none(fake: FakeHub, make_hub: Callable[..., HubSearch]) -> None:
    fake.add(REPO, {"m.gguf": MODEL}, private=True, open_to=("mine",))
    for token in ("", "other"):
        with pytest.raises(RepositoryMissing):
            make_hub(token=token).read_repository(REPO)
    assert make_hub(token="mine").read_repository(REPO).models


# The card


@pytest.mark.parametrize(
    ("card", "text"),
    [
        (b"---\nlicense: mit\n---\n# Title\n\nHello", "# Title\n\nHello"),
        (b"---\r\nlicense: mit\r\n---\r\n# Title\r\nHello", "# Title\nHello"),
        (b"\xef\xbb\xbf---\na: b\n---\nHello", "Hello"),
        (b"---\n---\nHello", "Hello"),
        (b"---\nnever ends\nHello", "---\nnever ends\nHello"),
        (b"Hello\n\n---\n\nafter a line\n\n---\n\nend", "Hello\n\n---\n\nafter a line\n\n---\n\nend"),
        (b"\xff\xfe caf\xc3\xa9", "�� café"),
        (b"a\0b\x1b[31mc\td", "ab[31mc\td"),
        (b"", ""),
    ],
)
def test_a_card_is_text_for_people(fake: FakeHub, hub: HubSearch, card: bytes, text: str) -> None:
    fake.add(REPO, {"README.md": card})
    assert hub.read_card(REPO, COMMIT) == text


def test_a_long_card_is_cut(fake: FakeHub, hub: HubSearch) -> None:
    fake.add(REPO, {"README.md": b"x" * 3 * MOST_CARD_BYTES})
    assert hub.read_card(REPO, COMMIT) == "x" * MOST_CARD_BYTES


def test_a_repository_without_a_card_has_an_empty_one(fake: FakeHub, hub: HubSearch) -> None:
    fake.add(REPO, {})
    assert hub.read_card(REPO, COMMIT) == ""
    with pytest.raises(RepositoryMissing):
        hub.read_card("missing/repo", COMMIT)


# Headers


def test_64_kib_of_a_model_are_read(fake: FakeHub, hub: HubSearch, starter: Path) -> None:
    fake.add(REPO, {"m.gguf": starter})
    data = hub.read_beginning(REPO, COMMIT, "m.gguf")
    with starter.open("rb") as file:
        assert data == file.read(FIRST_HEADER_BYTES)
    # The server counts after it has sent, which a busy machine may do later than the answer is read.
    wait_until(lambda: fake.sent_of("/blob/") == FIRST_HEADER_BYTES, "what was sent to be counted")
    assert read_beginning(data).architecture_value("block_count") == 30


def test_the_whole_header_is_read_piece_by_piece(fake: FakeHub, hub: HubSearch, starter: Path) -> None:
    fake.add(REPO, {"m.gguf": starter})
    hub.read_beginning(REPO, COMMIT, "m.gguf")
    data = hub.read_header(REPO, COMMIT, "m.gguf")
    assert read_header(data) == check_model(starter)
    starts = [request.range_start for request in fake.seen("storage")]
    assert starts == [
        0,
        *(FIRST_HEADER_BYTES << doubled for doubled in range(5)),
    ]  # each byte once, the first of them with the estimate
    assert len(data) == 2 * 1024 * 1024
    wait_until(lambda: fake.sent_of("/blob/") == len(data), "what was sent to be counted")


def test_more_is_read_where_64_kib_do_not_tell_the_shape(fake: FakeHub, hub: HubSearch) -> None:
    keys = {"block_count": 2, "embedding_length": 64, "attention.head_count": 4}
    metadata: dict[str, Any] = {"general.architecture": "llama", "general.description": "x" * 100_000}
    metadata |= {f"llama.{key}": value for key, value in keys.items()}
    data = gguf_files.padded(gguf_files.header(metadata | {"words": ["x" * 1000] * 900}, [("w", (32,), 0, 0)])) + bytes(
        128
    )
    fake.add(REPO, {"m.gguf": data})
    found = hub.read_beginning(REPO, COMMIT, "m.gguf")
    assert len(found) == 2 * FIRST_HEADER_BYTES
    assert read_beginning(found).architecture_value("block_count") == 2


def test_a_host_without_ranges_is_read_from_the_beginning(fake: FakeHub, hub: HubSearch, starter: Path) -> None:
    fake.add(REPO, {"m.gguf": starter})
    fake.fail("ignore_range", times=-1)
    assert read_header(hub.read_header(REPO, COMMIT, "m.gguf")) == check_model(starter)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"no model at all" * 1000, "not_gguf"), (b"GGUF\x03\0\0\0" + bytes(8), "truncated"), (MODEL[:60], "truncated")],
)
def test_what_is_no_model_is_said(fake: FakeHub, hub: HubSearch, data: bytes, reason: str) -> None:
    fake.add(REPO, {"m.gguf": data})
    for read in (hub.read_beginning, hub.read_header):
        with pytest.raises(ModelUnreadable) as caught:
            read(REPO, COMMIT, "m.gguf")
        assert (caught.value.path, caught.value.reason) == ("m.gguf", reason)


@pytest.mark.parametrize("name", ["missing.gguf", "../m.gguf", "/m.gguf", "C:\\m.gguf"])
def test_a_file_that_is_not_there(fake: FakeHub, hub: HubSearch, name: str) -> None:
    fake.add(REPO, {"m.gguf": MODEL})
    with pytest.raises(FileNotOnHub):
        hub.read_header(REPO, COMMIT, name)


@pytest.mark.parametrize(("token", "has_token"), [("", False), ("other", True)])
def test_a_gated_model(fake: FakeHub, make_hub: Callable[..., HubSearch], token: str, has_token: bool) -> None:
    fake.add(REPO, {"m.gguf": MODEL}, gated="manual", open_to=("mine",))
    hub = make_hub(token=token)
    assert hub.read_repository(REPO).gated == "manual"
    with pytest.raises(AccessGated) as caught:
        hub.read_beginning(REPO, COMMIT, "m.gguf")
    assert (caught.value.repo, caught.value.has_token) == (REPO, has_token)
    assert make_hub(token="mine").read_beginning(REPO, COMMIT, "m.gguf") == MODEL


def test_the_storage_host_gets_no_token(fake: FakeHub, make_hub: Callable[..., HubSearch]) -> None:
    fake.add(REPO, {"m.gguf": MODEL})
    make_hub(token="secret").read_beginning(REPO, COMMIT, "m.gguf")
    assert [request.headers["authorization"] for request in fake.seen("hub")] == ["Bearer secret"]
    assert [request.headers.get("authorization") for request in fake.seen("storage")] == [None]


# What goes wrong, for every kind of question

Call = Callable[..., object]
CALLS: dict[str, Call] = {
    "search": lambda hub, cancel=None: hub.search(HubQuery("x"), cancel),
    "repository": lambda hub, cancel=None: hub.read_repository(REPO, cancel=cancel),
    "card": lambda hub, cancel=None: hub.read_card(REPO, COMMIT, cancel),
    "beginning": lambda hub, cancel=None: hub.read_beginning(REPO, COMMIT, "m.gguf", cancel),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def problem(call: Call, hub: HubSearch) -> AppError:
    """The situation, told with a sentence."""
    with pytest.raises(AppError) as caught:
        call(hub)
    assert sentence_for(caught.value).text
    return caught.value


@every_call
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 500}, "server"),
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "30"}}, "server"),
        ({"kind": "refuse_connection"}, "server"),
        ({"kind": "html"}, "captive_portal"),
        ({"kind": "status", "status": 511}, "captive_portal"),
        ({"kind": "status", "status": 418}, "garbage"),
        ({"kind": "status", "status": 404, "body": b"[1]"}, "garbage"),
        ({"kind": "status", "status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "refused"),
    ],
    ids=lambda value: f"{value['kind']} {value.get('status', '')}" if isinstance(value, dict) else value,
)
def test_an_answer_that_is_none(fake: FakeHub, hub: HubSearch, call: Call, fault: dict[str, Any], reason: str) -> None:
    fake.add(REPO, {"m.gguf": MODEL, "README.md": b"x"})
    fake.fail(**fault, server="hub", times=-1)
    found = problem(call, hub)
    assert len(fake.seen("hub")) == 1, "nothing is waited for and asked again"
    assert isinstance(found, HubUnreachable)
    assert found.reason == reason
    fake.heal()
    call(hub)  # nothing of it was kept


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"\xff\xfe", b"null", b"5", b'{"error": 1}', b'"text"', b"[" * 200_000, b"[1" * 90_000,
     b" " * 17_000_000],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
@pytest.mark.parametrize("name", ["search", "repository"])
def test_garbage(fake: FakeHub, hub: HubSearch, name: str, body: bytes) -> None:
    fake.fail("status", server="hub", status=200, body=body)
    found = problem(CALLS[name], hub)
    assert isinstance(found, HubUnreachable)
    assert found.reason == "garbage"


@every_call
@pytest.mark.parametrize(
    ("headers", "wait_s"), [({"Retry-After": "42"}, 42), ({"RateLimit": '"api";r=0;t=17'}, 17), ({}, 0)]
)
def test_too_many_questions(fake: FakeHub, hub: HubSearch, call: Call, headers: dict[str, str], wait_s: int) -> None:
    fake.fail("status", server="hub", status=429, headers=headers)
    found = problem(call, hub)
    assert isinstance(found, HubBusy)
    assert found.wait_s == wait_s
    assert len(fake.seen("hub")) == 1  # and not asked again at once


@every_call
def test_a_hub_that_takes_too_long(fake: FakeHub, make_hub: Callable[..., HubSearch], call: Call) -> None:
    fake.fail("slow", server="hub")
    found = problem(call, make_hub(deadline_s=0.2))
    assert isinstance(found, HubUnreachable)
    assert found.reason == "timeout"


def test_a_storage_that_stalls(fake: FakeHub, make_hub: Callable[..., HubSearch], starter: Path) -> None:
    fake.add(REPO, {"m.gguf": starter})
    fake.fail("stall", after_bytes=1000)
    found = problem(CALLS["beginning"], make_hub(deadline_s=0.3))
    fake.release()
    assert isinstance(found, HubUnreachable)
    assert found.reason == "timeout"


@every_call
def test_nobody_listens(make_hub: Callable[..., HubSearch], call: Call) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = problem(call, make_hub(endpoint=f"http://127.0.0.1:{unused.getsockname()[1]}"))
    assert isinstance(found, HubUnreachable)
    assert found.reason == "refused"


@every_call
def test_a_token_that_is_not_taken(fake: FakeHub, make_hub: Callable[..., HubSearch], call: Call) -> None:
    fake.require_token = "right"
    assert isinstance(problem(call, make_hub(token="wrong")), TokenRefused)


@every_call
def test_nothing_is_sent_while_the_network_is_off(
    fake: FakeHub, make_hub: Callable[..., HubSearch], call: Call
) -> None:
    assert isinstance(problem(call, make_hub(allowed=False)), NetworkOff)
    assert not fake.requests


@every_call
def test_a_cancel_is_heard_at_once(fake: FakeHub, hub: HubSearch, call: Call) -> None:
    fake.fail("slow", server="hub")
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(HubUnreachable):
        call(hub, cancel)
