"""The translation memory in the store: which entry is found for what, and what replaces what."""

from __future__ import annotations

import pytest

from app.store.database import Database
from app.store.memory import Entry, Made, Pair, TranslationMemory

PAIR, KEY = Pair("en", "de"), b"\x00\xff"
MADE = Made("formal", "ab", "model.gguf 7", 1)


@pytest.fixture
def memory(database: Database) -> TranslationMemory:
    return TranslationMemory(database)


def entry(target: str, *, key: bytes = KEY, pair: Pair = PAIR, context: str = "", made: Made = MADE) -> Entry:
    return Entry(pair, key, "source", target, context, made)


def own(target: str, *, context: str = "", formality: str = "") -> Entry:
    return Entry(PAIR, KEY, "source", target, context, Made(formality), is_own=True)


@pytest.mark.parametrize(
    "other",
    [
        {"pair": Pair("en", "fr")},
        {"pair": Pair("", "de")},
        {"key": b"other"},
        {"context": "menu"},
        {"made": Made("", "ab", "model.gguf 7", 1)},
        {"made": Made("formal", "", "model.gguf 7", 1)},
        {"made": Made("formal", "ab", "other.gguf 7", 1)},
        {"made": Made("formal", "ab", "model.gguf 7", 2)},
    ],
)
def test_what_a_model_made_is_found_only_for_just_the_same(memory: TranslationMemory, other: dict[str, object]) -> None:
    memory.keep([entry("Haus"), entry("other", **other)])  # type: ignore[arg-type]
    assert memory.find(PAIR, KEY, "", MADE) == "Haus"
    asked = {"pair": PAIR, "key": KEY, "context": "", "made": MADE} | other
    assert memory.find(**asked) == "other"  # type: ignore[arg-type]
    assert memory.find(PAIR, b"nothing", "", MADE) is None


def test_a_later_one_for_the_same_replaces_the_earlier(memory: TranslationMemory) -> None:
    assert memory.keep([entry("Haus"), entry("Gebäude")]) == 2
    assert memory.find(PAIR, KEY, "", MADE) == "Gebäude"
    assert len(list(memory.every())) == 1


def test_a_persons_own_goes_before_any_models(memory: TranslationMemory) -> None:
    memory.keep([own("Heim"), entry("Haus")])
    assert memory.find(PAIR, KEY, "", MADE) == "Heim"
    assert memory.find(PAIR, KEY, "", Made()) == "Heim"


def test_of_a_persons_own_that_of_the_same_context_goes_first_and_one_of_another_does_not_count(
    memory: TranslationMemory,
) -> None:
    memory.keep([own("Datei", context="menu"), own("Akte"), entry("Feile", context="tools")])
    assert memory.find(PAIR, KEY, "menu", MADE) == "Datei"
    assert memory.find(PAIR, KEY, "tools", MADE) == "Akte"
    assert memory.find(PAIR, KEY, "", MADE) == "Akte"


def test_of_a_persons_own_one_of_another_form_of_address_does_not_count(memory: TranslationMemory) -> None:
    memory.keep([own("Kommst du?", formality="informal"), entry("Kommen Sie?")])
    assert memory.find(PAIR, KEY, "", MADE) == "Kommen Sie?"
    assert memory.find(PAIR, KEY, "", Made("informal")) == "Kommst du?"
    memory.keep([own("Kommen?")])
    assert memory.find(PAIR, KEY, "", MADE) == "Kommen?"


def test_all_of_them_are_given_in_the_order_they_came(memory: TranslationMemory) -> None:
    entries = [entry(f"{number}", key=f"{number}".encode()) for number in range(1200)]
    assert memory.keep(iter(entries)) == 1200
    assert [one.target for one in memory.every()] == [one.target for one in entries]
    (first, *_) = memory.every()
    assert (first.pair, first.made, first.is_own) == (PAIR, MADE, False)
    assert first.made_at > 0


def test_what_is_deleted_is_in_no_file_any_more_and_the_rest_stays(
    memory: TranslationMemory, database: Database
) -> None:
    others = [entry(f"stays {n}", key=str(n).encode(), pair=PAIR if n % 2 else Pair("", "fr")) for n in range(1500)]
    gone = [entry(f"Zqxmarker {n}", key=b"k%d" % n, context=f"Zqxmarker {n}") for n in range(1500)]
    memory.keep(others + gone)
    assert memory.pairs() == {PAIR: 2250, Pair("", "fr"): 750}
    ids = memory.ids(PAIR, (one.key for one in gone))
    assert len(ids) == 1500
    before = memory.size_bytes()
    assert memory.delete(ids) == 1500
    assert memory.delete(ids) == 0
    assert 0 < memory.size_bytes() < before
    assert [one.target for one in memory.every()] == [one.target for one in others]
    assert {one.pair for one in memory.every(PAIR)} == {PAIR}
    for file in database.path.parent.rglob("*"):
        assert b"Zqxmarker" not in file.read_bytes(), file
