"""JSON in pieces: the same as the standard parser says, whatever the blocks, and within bounds what is hostile."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.exchange import json_pieces
from app.features.exchange.json_pieces import JsonPiece, JsonPieces, NotJson

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def pieces(data: bytes, lists: tuple[str, ...] = ()) -> list[JsonPiece]:
    return [one for one in JsonPieces(io.BytesIO(data), lists) if one is not None]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_pieces, "CHUNK_BYTES", 7)


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1, " "]), st.booleans(), st.integers(1, 9))
def test_the_elements_of_a_list_are_those_of_the_standard_parser(
    values: list[Any], indent: Any, is_ascii: bool, size: int
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "CHUNK_BYTES", size)
        found = pieces(data)
    assert [one.problem for one in found] == [""] * len(values)
    assert [one.value for one in found] == json.loads(data.decode("utf-8", "replace"))
    assert all(one.is_element and not one.key for one in found)


@given(st.dictionaries(st.text(min_size=1, max_size=6), VALUES, max_size=5), st.lists(VALUES, max_size=4))
def test_members_of_an_object_come_by_their_keys_and_its_list_in_elements(
    members: dict[str, Any], chats: list[Any]
) -> None:
    members = {key: value for key, value in members.items() if key != "chats"}
    data = json.dumps({**members, "chats": chats, "end": 1}).encode()
    found = pieces(data, ("chats",))
    members["end"] = 1
    assert {one.key: one.value for one in found if not one.is_element} == json.loads(json.dumps(members))
    assert [one.value for one in found if one.is_element] == chats


@pytest.mark.parametrize("data", [b"", b"   ", b"hello", b'"[]"', b"12", b"\xff\xfe[\0]\0", b"<html>"])
def test_what_is_no_list_and_no_object_is_no_json(data: bytes) -> None:
    with pytest.raises(NotJson):
        pieces(data)


def problems(data: bytes, lists: tuple[str, ...] = ()) -> list[Any]:
    return [one.problem or one.value for one in pieces(data, lists)]


@pytest.mark.usefixtures("small")
def test_a_file_that_was_cut_off_gives_what_is_whole() -> None:
    assert problems(b'\xef\xbb\xbf [{"a": 1}, {"b": "x]"}, {"c": ') == [{"a": 1}, {"b": "x]"}, "cut_off"]
    assert problems(b'[{"a": 1},') == [{"a": 1}, "cut_off"]
    assert problems(b'[{"a": "never closed, 1]}') == ["cut_off"]
    assert problems(b'{"chats": [1, 2, ', ("chats",)) == [1, 2, "cut_off"]


@pytest.mark.usefixtures("small")
def test_a_damaged_element_leaves_the_others_alone() -> None:
    assert problems(b'[1, {"a" 1}, {"b": nul}, "\\x", -, 2] trailing') == [
        1,
        "damaged",
        "damaged",
        "damaged",
        "damaged",
        2,
    ]
    assert problems(b"[" + b"9" * 5000 + b", 2]") == ["damaged", 2]


def test_what_is_too_deep_or_too_large_is_skipped_without_being_held(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    assert problems(b"[1, " + deep + b", 2]") == [1, "too_deep", 2]
    monkeypatch.setattr(json_pieces, "MOST_BYTES", 100_000)
    monkeypatch.setattr(json_pieces, "MOST_VALUES", 1_000)
    assert problems(b'[1, "' + b"x" * 2_000_000 + b'", 2]') == [1, "too_large", 2]
    assert problems(b"[1, [" + b"0," * 2_000 + b"0], 2]") == [1, "too_large", 2]


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\1a ', max_size=60).map(str.encode))
def test_anything_ends_without_an_exception_of_its_own(data: bytes) -> None:
    try:
        pieces(b"[" + data)
        pieces(b"{" + data, ("a",))
        pieces(data)
    except NotJson:
        pass
