"""Prompts with variables: filled, found, listed by use, and out of files and into them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bootstrap import Fireside, build_program
from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import PromptsUnreadable
from app.features.prompt_library import (
    BUILTIN,
    LibraryPrompt,
    PromptLibrary,
    fill_in,
    find_variables,
    read_file,
    write_json,
    write_markdown,
)


@pytest.fixture
def app() -> Iterator[Fireside]:
    made = build_program()
    yield made
    made.close()


@pytest.fixture
def library(app: Fireside) -> PromptLibrary:
    return app.chats.prompts()


def names(library: PromptLibrary, typed: str = "") -> list[str]:
    return [one.name for one in library.find(typed)]


def test_variables_stand_in_braces_and_other_braces_are_text() -> None:
    text = 'Put {text} into {the language}, as {"json": 1}, {{literally}}, {text} and {}.'
    assert find_variables(text) == ("text", "the language")
    now = fill_in(text, {"text": "a cat"})
    assert now == 'Put a cat into {the language}, as {"json": 1}, {literally}, a cat and {}.'


@given(st.text(alphabet="{}ab \n0", max_size=30))
def test_any_text_can_be_filled_and_nothing_but_braces_goes(text: str) -> None:
    now = fill_in(text, {})
    assert now.replace("{", "").replace("}", "") == text.replace("{", "").replace("}", "")
    assert all(f"{{{name}}}" in now for name in find_variables(text))


def test_a_value_is_put_in_as_it_is() -> None:
    assert fill_in("{clipboard}", {"clipboard": r"\1 {{x}} {date}"}) == r"\1 {{x}} {date}"
    assert fill_in("{clipboard}", {"clipboard": ""}) == "{clipboard}", "there is nothing to fill it with"


def test_what_was_used_comes_first_built_in_or_not(library: PromptLibrary) -> None:
    own = library.store.create("Zebra", "Stripes of {animal}")
    assert names(library) == ["Zebra", *(name for _, name, _ in BUILTIN)]
    library.note_use(library.find("proofread")[0])
    assert names(library)[:2] == ["Proofread", "Zebra"]
    library.note_use(library.find("zebra")[0])
    assert library.all()[0].number == own.id
    library.show_builtin(wanted=False)
    assert names(library) == ["Zebra"]
    assert library.get("proofread") is None
    library.show_builtin(wanted=True)
    assert names(library)[:2] == ["Zebra", "Proofread"]


def test_names_are_found_before_texts(library: PromptLibrary) -> None:
    library.show_builtin(wanted=False)
    for name, text in (("Write a summary", "Short."), ("Summary", "Long."), ("Letter", "Begin with a summary.")):
        library.store.create(name, text)
    assert names(library, "sum") == ["Summary", "Write a summary", "Letter"]
    assert names(library, "a wri") == ["Write a summary"]
    assert names(library, "nothing like it") == []
    quick = [[one.name for one in library.complete(typed)] for typed in ("be", "beg", "begin with a", "short", "etc")]
    assert quick == [[], ["Letter"], ["Letter"], ["Write a summary"], []]


def test_built_in_ones_are_whole_and_ask_for_something() -> None:
    keys = [key for key, _, _ in BUILTIN]
    assert len(set(keys)) == len(keys)
    assert all(find_variables(text) for _, _, text in BUILTIN)
    assert not any(key.isdecimal() for key in keys), "numbers are those of saved ones"


def test_json_and_markdown_come_back_as_they_were(tmp_path: Path) -> None:
    prompts = [
        LibraryPrompt("1", 'With "quotes": and {x}', "Line\n\n---\nname: not this\n"),
        LibraryPrompt("2", "Ünïcode", "文字"),
    ]
    write_json(tmp_path / "all.json", prompts)
    assert read_file(tmp_path / "all.json") == [(one.name, one.text) for one in prompts]
    for one in prompts:
        write_markdown(tmp_path / "one.md", one)
        assert read_file(tmp_path / "one.md") == [(one.name, one.text.strip("\n"))]


def test_any_text_file_is_a_prompt_and_front_matter_of_others_is_read(tmp_path: Path) -> None:
    (tmp_path / "Plain words.txt").write_text("Tell me about {topic}.\n", "utf-8")
    assert read_file(tmp_path / "Plain words.txt") == [("Plain words", "Tell me about {topic}.")]
    (tmp_path / "other.md").write_bytes(b"---\r\ntags: [a]\r\ntitle: 'Review'\r\n---\r\nReview {code}\r\n")
    assert read_file(tmp_path / "other.md") == [("Review", "Review {code}")]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('{"form": "fireside-prompts", "version": 2, "prompts": []}', PromptsUnreadable("", "newer")),
        ('[{"name": "a"}]', PromptsUnreadable("", "unknown")),
        ("{", PromptsUnreadable("", "damaged")),
        ("[" * 100_000, PromptsUnreadable("", "damaged")),
    ],
)
def test_what_has_no_prompts_says_so(tmp_path: Path, content: str, error: PromptsUnreadable) -> None:
    path = tmp_path / "file.json"
    path.write_text(content, "utf-8")
    with pytest.raises(PromptsUnreadable) as caught:
        read_file(path)
    assert caught.value.reason == error.reason


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe\x00\x81")
    (tmp_path / "empty.md").write_text("---\nname: a\n---\n", "utf-8")
    for name, reason in (("gone.md", "missing"), ("binary.md", "not_text"), ("empty.md", "empty")):
        with pytest.raises(AppError) as caught:
            read_file(tmp_path / name)
        assert isinstance(caught.value, DocumentUnreadable)
        assert caught.value.reason == reason


def test_entries_without_a_text_are_left_out(tmp_path: Path) -> None:
    entries = [{"name": "a", "text": "x"}, {"name": "b"}, "c", {"text": "y"}, {"name": "d", "text": " "}]
    raw = {"form": "fireside-prompts", "version": 1, "prompts": entries}
    (tmp_path / "mixed.json").write_text(json.dumps(raw), "utf-8")
    assert read_file(tmp_path / "mixed.json") == [("a", "x"), ("mixed", "y")]
