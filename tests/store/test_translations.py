"""What is stored of translations: segments, what became of them, counts, flags, and glossaries."""

from __future__ import annotations

import time

import pytest

from app.store.database import Database
from app.store.jobs import JobTable
from app.store.translation_store import (
    LanguagePair,
    MemoryEntry,
    SegmentCounts,
    SegmentOutcome,
    StoredSegment,
    TranslationMemory,
    TranslationOrigin,
    TranslationStore,
)
from tests.helpers.counting import thousand_steps

MANY = 20_000


@pytest.fixture
def store(database: Database) -> TranslationStore:
    return TranslationStore(database)


def fields(number: int, text: str = "word") -> dict[str, object]:
    return {"id": number, "content": [f"{text} {number}"]}


def filled(database: Database, count: int, title: str = "a") -> int:
    job = JobTable(database).add("translation", title, {})
    TranslationStore(database).add_segments(job.id, ((number, fields(number)) for number in range(1, count + 1)))
    return job.id


def outcomes(first: int, count: int, origin: str = "model", *, is_flagged: bool = False) -> list[SegmentOutcome]:
    return [
        SegmentOutcome(number, fields(number, "Wort"), origin, is_flagged) for number in range(first, first + count)
    ]


def test_segments_come_in_their_order_and_in_parts(database: Database, store: TranslationStore) -> None:
    job, other = filled(database, 2500), filled(database, 3)
    store.save_outcomes(job, outcomes(2, 1))
    assert store.read_segments(job, 1, 2) == [
        StoredSegment(1, fields(1), None),
        StoredSegment(2, fields(2), fields(2, "Wort")),
    ]
    assert [one.number for one in store.read_segments(job, 2499)] == [2499, 2500]
    assert [one.number for one in store.every_segment(job)] == list(range(1, 2501))
    assert store.read_segment(job, 7) == StoredSegment(7, fields(7), None)
    assert (store.read_segment(job, 2501), store.read_segment(other, 4), len(store.read_segments(other))) == (
        None,
        None,
        3,
    )


def test_how_they_stand_is_counted_by_origin(database: Database, store: TranslationStore) -> None:
    job, empty = filled(database, 10), JobTable(database).add("translation", "b", {}).id
    store.save_outcomes(job, [*outcomes(1, 3), *outcomes(4, 2, "memory"), *outcomes(6, 1, "kept", is_flagged=True)])
    assert store.count_segments([job, empty]) == {
        job: SegmentCounts(10, 6, 1, (("kept", 1), ("memory", 2), ("model", 3))),
        empty: SegmentCounts(),
    }


def test_what_is_there_from_some_origins_is_not_replaced(database: Database, store: TranslationStore) -> None:
    job = filled(database, 2)
    store.save_outcomes(job, [SegmentOutcome(1, {"content": ["mine"]}, "edited", False)])
    store.save_outcomes(job, outcomes(1, 2), never_over=("edited",))
    assert [one.target for one in store.read_segments(job)] == [{"content": ["mine"]}, fields(2, "Wort")]
    store.save_outcomes(job, [SegmentOutcome(1, {"content": ["mine, again"]}, "edited", False)])
    assert store.read_segments(job)[0].target == {"content": ["mine, again"]}


def test_outcomes_are_forgotten_for_one_or_all(database: Database, store: TranslationStore) -> None:
    job = filled(database, 4)
    store.save_outcomes(job, outcomes(1, 4, is_flagged=True))
    store.forget_outcomes(job, only=2)
    assert store.count_segments([job])[job] == SegmentCounts(4, 3, 3, (("model", 3),))
    store.forget_outcomes(job)
    assert store.count_segments([job])[job] == SegmentCounts(4)


def test_counts_follow_every_change(database: Database, store: TranslationStore) -> None:
    job = filled(database, 3)
    assert store.count_segments([job])[job] == SegmentCounts(3)
    store.save_outcomes(job, outcomes(1, 2, is_flagged=True))
    assert store.count_segments([job])[job] == SegmentCounts(3, 2, 2, (("model", 2),))
    store.forget_outcomes(job, only=1)
    assert store.count_segments([job])[job] == SegmentCounts(3, 1, 1, (("model", 1),))
    store.add_segments(job, [(4, fields(4))])
    assert store.count_segments([job])[job].segments == 4
    store.remove_segments(job)
    assert store.count_segments([job])[job] == SegmentCounts()


def test_the_next_flagged_one_comes_round_again(database: Database, store: TranslationStore) -> None:
    job, other = filled(database, 9), filled(database, 9)
    store.save_outcomes(job, [*outcomes(3, 1, is_flagged=True), *outcomes(7, 1, is_flagged=True)])
    store.save_outcomes(other, outcomes(5, 1, is_flagged=True))
    assert [store.next_flagged(job, after) for after in (0, 3, 6, 7, 9)] == [3, 7, 7, 3, 3]
    store.save_outcomes(job, [*outcomes(3, 1), *outcomes(7, 1)])
    assert store.next_flagged(job, 0) is None


def test_segments_go_with_their_job(database: Database, store: TranslationStore) -> None:
    job, other, jobs = filled(database, 3), filled(database, 2), JobTable(database)
    jobs.delete(job)
    assert len(store.read_segments(job)) == 3, "the deletion may be taken back"
    jobs.purge_deleted(but="translation")
    assert (len(store.read_segments(job)), jobs.list_ids("translation")) == (3, {job, other})
    jobs.purge_deleted()
    assert (store.read_segments(job), len(store.read_segments(other))) == ([], 2)
    assert jobs.list_ids("translation") == {other}


def test_what_was_deleted_is_removed_a_batch_at_a_time(database: Database, store: TranslationStore) -> None:
    job, other, jobs = filled(database, 2500), filled(database, 2), JobTable(database)
    jobs.delete(job)
    assert [row.id for row in jobs.deleted("translation", time.time() + 1)] == [job]
    assert (jobs.deleted("translation", 1.0), jobs.deleted("summary", time.time() + 1)) == ([], [])
    store.remove_segments(job)
    assert (store.read_segments(job), len(store.read_segments(other))) == ([], 2)


def test_counting_and_stepping_look_at_few_of_many_thousand_segments(
    database: Database, store: TranslationStore
) -> None:
    job = filled(database, MANY)
    store.save_outcomes(job, [*outcomes(1, MANY // 2), *outcomes(MANY // 2 + 1, MANY // 2, "memory")])
    store.save_outcomes(job, outcomes(MANY - 3, 1, is_flagged=True))

    def look() -> None:
        assert store.count_segments([job])[job].done == MANY
        for _ in range(100):
            store.count_segments([job])
        assert store.next_flagged(job, 1) == MANY - 3
        assert store.read_segment(job, MANY) is not None
        assert len(store.read_segments(job, MANY // 2, 50)) == 50

    counted = thousand_steps(database, lambda: store.count_segments([job]))
    assert counted < 20 * MANY // 1000, "the segments are gone through once"
    assert thousand_steps(database, look) < 5, "and not again"


def test_each_pair_of_languages_has_its_glossary_in_the_order_it_was_given(store: TranslationStore) -> None:
    terms = [("rent", "Miete"), ("Fireside", "Fireside"), ("deposit", "Kaution")]
    store.keep_glossary("en", "de", terms)
    store.keep_glossary("en", "fr", [("rent", "loyer")])
    assert (store.read_glossary("en", "de"), store.read_glossary("de", "en")) == (terms, [])
    store.keep_glossary("en", "de", terms[1:])
    assert (store.read_glossary("en", "de"), store.read_glossary("en", "fr")) == (terms[1:], [("rent", "loyer")])


def test_a_job_is_queued_behind_all_others(database: Database) -> None:
    jobs = JobTable(database)
    first, second = jobs.add("translation", "a", {}, state="draft"), jobs.add("summary", "b", {})
    jobs.queue_last(first.id)
    assert [(job.id, job.state) for job in jobs.find()] == [(second.id, "queued"), (first.id, "queued")]
    with pytest.raises(KeyError):
        jobs.queue_last(99)


# The translation memory in the store: which entry is found for what, and what replaces what.


PAIR, KEY = LanguagePair("en", "de"), b"\x00\xff"
MADE = TranslationOrigin("formal", "ab", "model.gguf 7", 1)


@pytest.fixture
def memory(database: Database) -> TranslationMemory:
    return TranslationMemory(database)


def entry(
    target: str, *, key: bytes = KEY, pair: LanguagePair = PAIR, context: str = "", made: TranslationOrigin = MADE
) -> MemoryEntry:
    return MemoryEntry(pair, key, "source", target, context, made)


def own(target: str, *, context: str = "", formality: str = "") -> MemoryEntry:
    return MemoryEntry(PAIR, KEY, "source", target, context, TranslationOrigin(formality), is_own=True)


@pytest.mark.parametrize(
    "other",
    [
        {"pair": LanguagePair("en", "fr")},
        {"pair": LanguagePair("", "de")},
        {"key": b"other"},
        {"context": "menu"},
        {"made": TranslationOrigin("", "ab", "model.gguf 7", 1)},
        {"made": TranslationOrigin("formal", "", "model.gguf 7", 1)},
        {"made": TranslationOrigin("formal", "ab", "other.gguf 7", 1)},
        {"made": TranslationOrigin("formal", "ab", "model.gguf 7", 2)},
    ],
)
def test_what_a_model_made_is_found_only_for_just_the_same(memory: TranslationMemory, other: dict[str, object]) -> None:
    memory.save_entries([entry("Haus"), entry("other", **other)])  # type: ignore[arg-type]
    assert memory.find(PAIR, KEY, "", MADE) == "Haus"
    asked = {"pair": PAIR, "key": KEY, "context": "", "made": MADE} | other
    assert memory.find(**asked) == "other"  # type: ignore[arg-type]
    assert memory.find(PAIR, b"nothing", "", MADE) is None


def test_a_later_one_for_the_same_replaces_the_earlier(memory: TranslationMemory) -> None:
    assert memory.save_entries([entry("Haus"), entry("Gebäude")]) == 2
    assert memory.find(PAIR, KEY, "", MADE) == "Gebäude"
    assert len(list(memory.iterate_entries())) == 1


def test_a_persons_own_goes_before_any_models(memory: TranslationMemory) -> None:
    memory.save_entries([own("Heim"), entry("Haus")])
    assert memory.find(PAIR, KEY, "", MADE) == "Heim"
    assert memory.find(PAIR, KEY, "", TranslationOrigin()) == "Heim"


def test_of_a_persons_own_that_of_the_same_context_goes_first_and_one_of_another_does_not_count(
    memory: TranslationMemory,
) -> None:
    memory.save_entries([own("Datei", context="menu"), own("Akte"), entry("Feile", context="tools")])
    assert memory.find(PAIR, KEY, "menu", MADE) == "Datei"
    assert memory.find(PAIR, KEY, "tools", MADE) == "Akte"
    assert memory.find(PAIR, KEY, "", MADE) == "Akte"


def test_of_a_persons_own_one_of_another_form_of_address_does_not_count(memory: TranslationMemory) -> None:
    memory.save_entries([own("Kommst du?", formality="informal"), entry("Kommen Sie?")])
    assert memory.find(PAIR, KEY, "", MADE) == "Kommen Sie?"
    assert memory.find(PAIR, KEY, "", TranslationOrigin("informal")) == "Kommst du?"
    memory.save_entries([own("Kommen?")])
    assert memory.find(PAIR, KEY, "", MADE) == "Kommen?"


def test_all_of_them_are_given_in_the_order_they_came(memory: TranslationMemory) -> None:
    entries = [entry(f"{number}", key=f"{number}".encode()) for number in range(1200)]
    assert memory.save_entries(iter(entries)) == 1200
    assert [one.target for one in memory.iterate_entries()] == [one.target for one in entries]
    (first, *_) = memory.iterate_entries()
    assert (first.pair, first.made, first.is_own) == (PAIR, MADE, False)
    assert first.made_at > 0


def test_what_is_deleted_is_in_no_file_any_more_and_the_rest_stays(
    memory: TranslationMemory, database: Database
) -> None:
    others = [
        entry(f"stays {n}", key=str(n).encode(), pair=PAIR if n % 2 else LanguagePair("", "fr")) for n in range(1500)
    ]
    gone = [entry(f"Zqxmarker {n}", key=b"k%d" % n, context=f"Zqxmarker {n}") for n in range(1500)]
    memory.save_entries(others + gone)
    assert memory.count_pairs() == {PAIR: 2250, LanguagePair("", "fr"): 750}
    ids = memory.find_ids(PAIR, (one.key for one in gone))
    assert len(ids) == 1500
    before = memory.size_bytes()
    assert memory.delete(ids) == 1500
    assert memory.delete(ids) == 0
    assert 0 < memory.size_bytes() < before
    assert [one.target for one in memory.iterate_entries()] == [one.target for one in others]
    assert {one.pair for one in memory.iterate_entries(PAIR)} == {PAIR}
    for file in database.path.parent.rglob("*"):
        assert b"Zqxmarker" not in file.read_bytes(), file
