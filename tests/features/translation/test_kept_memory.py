"""The memory of one wish: what is found again, with whose marks, and what a glossary changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.documents.segments import Content, Mark
from app.features.translation.memory import KeptMemory, key_of, model_key, own_entry, with_marks_of
from app.features.translation.result import Formality, Term, TranslationWish
from app.store.translations import OpenedMemory, Pair, TranslationMemory, opened_memory

PAIR = Pair("en", "de")
SOURCE: Content = ("Pay ", Mark("open", 1, "bold"), "now", Mark("close", 1), Mark("single", 2, "image"))
TARGET: Content = (Mark("open", 1, "bold"), "Jetzt", Mark("close", 1), " zahlen", Mark("single", 2, "image"))


@pytest.fixture
def store() -> Iterator[TranslationMemory]:
    with opened_memory(None) as opened:
        yield opened.memory


def memory(store: TranslationMemory, wish: TranslationWish | None = None, model: str = "a.gguf 7") -> KeptMemory:
    return KeptMemory(store, wish or TranslationWish("de"), PAIR, model=model, prompt_version=1)


def test_the_same_words_with_the_same_marks_are_found_in_the_looks_of_the_source(store: TranslationMemory) -> None:
    memory(store).keep(SOURCE, TARGET)
    assert memory(store).find(SOURCE) == TARGET
    italic: Content = ("Pay ", Mark("open", 1, "italic"), "now", Mark("close", 1), Mark("single", 2, "note", "3"))
    assert memory(store).find(italic) == (
        Mark("open", 1, "italic"), "Jetzt", Mark("close", 1), " zahlen", Mark("single", 2, "note", "3"),
    )  # fmt: skip
    assert memory(store).find(("Pay now",)) is None
    assert memory(store).find(SOURCE, "menu") is None


def test_of_a_glossary_only_the_terms_of_the_text_count(store: TranslationMemory) -> None:
    wish = TranslationWish("de", glossary=(Term("tenant", "Mieter"), Term("roof", "Dach")))
    memory(store, wish).keep(("The tenant pays.",), ("Der Mieter zahlt.",))
    longer = TranslationWish("de", glossary=(*wish.glossary, Term("cellar", "Keller")))
    assert memory(store, longer).find(("The tenant pays.",)) == ("Der Mieter zahlt.",)
    other = TranslationWish("de", glossary=(Term("tenant", "Mietpartei"),))
    assert memory(store, other).find(("The tenant pays.",)) is None
    assert memory(store).find(("The tenant pays.",)) is None


@pytest.mark.parametrize(
    "wish", [TranslationWish("de", formality=Formality.FORMAL), TranslationWish("de", domain="a lease")]
)
def test_another_wish_is_another_translation(store: TranslationMemory, wish: TranslationWish) -> None:
    memory(store).keep(("Come in.",), ("Komm rein.",))
    assert memory(store, wish).find(("Come in.",)) is None
    memory(store, wish).keep(("Come in.",), ("Treten Sie ein.",))
    assert memory(store, wish).find(("Come in.",)) == ("Treten Sie ein.",)
    assert memory(store).find(("Come in.",)) == ("Komm rein.",)


def test_a_persons_own_is_found_whatever_the_model_and_the_glossary(store: TranslationMemory) -> None:
    store.keep([own_entry(PAIR, SOURCE, TARGET)])
    wish = TranslationWish("de", domain="a lease", glossary=(Term("pay", "zahlen"),))
    assert memory(store, wish, "b.gguf 9").find(SOURCE) == TARGET


@pytest.mark.parametrize("kept", ["no JSON", '["Jetzt zahlen"]', '[["open", 1, "", ""], ["open", 2, "", ""]]'])
def test_what_has_not_the_marks_of_the_source_is_not_used(kept: str) -> None:
    assert with_marks_of(SOURCE, kept) is None


def test_keys_tell_words_from_marks() -> None:
    assert key_of(("a", Mark("single", 1, "break"))) == key_of(("a", Mark("single", 1, "tab", "x")))
    assert len({key_of(one) for one in [("a",), ("b",), ("a", Mark("single", 1)), (Mark("single", 1), "a")]}) == 4


def test_a_model_is_told_by_the_name_and_size_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    assert model_key(path) == "a.gguf 0"
    path.write_bytes(b"1234567")
    assert model_key(path) == "a.gguf 7"


def test_a_memory_is_opened_beside_another_program_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "fireside.db"
    with opened_memory(path) as first, opened_memory(path) as second:
        assert (first.is_kept, first.moved_aside) == (True, None)
        memory(first.memory).keep(SOURCE, TARGET)
        assert memory(second.memory).find(SOURCE) == TARGET
    with opened_memory(path) as again:
        assert memory(again.memory).find(SOURCE) == TARGET


def test_where_the_file_cannot_be_used_the_memory_lasts_as_long_as_its_block(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with opened_memory(tmp_path / "data" / "fireside.db") as opened:
        assert isinstance(opened, OpenedMemory)
        assert not opened.is_kept
        memory(opened.memory).keep(SOURCE, TARGET)
        assert memory(opened.memory).find(SOURCE) == TARGET
