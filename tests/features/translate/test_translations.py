"""Translations as they are kept: added from files, listed, searched, changed, edited, accepted, deleted, taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.documents.segments import Mark
from app.features.translate.translation_events import Formality, GlossaryTerm, TranslationSource, TranslationWish
from app.features.translate.translation_jobs import Adding, Row, TranslationJobs
from app.features.trash import DAY_S
from app.store.translation_store import LanguagePair, TranslationMemory
from tests.helpers.script import write_script
from tests.helpers.translations import GERMAN, add, asked, begin, lines, stored, text_file, translations_of, work_off

MODEL = Path("/any/model.gguf")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script")
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def copies(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "data" / "translations").glob("*/*"))


def words(row: Row) -> str:
    assert row.translated is not None
    return "".join(part for part in row.translated.content if isinstance(part, str))


def test_a_file_becomes_a_draft_with_its_segments_and_a_copy_of_its_bytes(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, fresh_home: Path
) -> None:
    path = text_file(tmp_path, "lease.txt")
    draft = add(app, path, TranslationWish("de"))
    assert (draft.title, draft.name, draft.format, draft.state) == ("lease", "lease.txt", "text", "draft")
    assert (draft.segments, draft.done, draft.flagged, draft.reused) == (6, 0, 0, 0)
    assert [row.segment.text for row in translations.segments.read_rows(draft.id)] == lines(6)
    path.unlink()
    (copy,) = (fresh_home / "data" / "translations").glob("*/*")
    assert copy.read_text("utf-8").startswith("Paragraph 1")
    assert translations.find() == [draft]


def test_the_language_is_found_where_there_is_enough_text_and_what_the_person_says_goes_before_it(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    path = tmp_path / "lease.txt"
    path.write_text("The tenant pays the rent on the first of each month, and the landlord keeps the roof dry. " * 4)
    draft = add(app, path, TranslationWish("de"))
    assert draft.source_language == "en"
    translations.change_wish(draft.id, TranslationWish("de", "nl"))
    assert stored(translations, draft.id).source_language == "nl"
    translations.change_wish(draft.id, TranslationWish("de"))
    assert stored(translations, draft.id).source_language == "en"


def test_parts_of_many_segments_are_read(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    draft = add(app, text_file(tmp_path, count=30))
    assert [row.segment.id for row in translations.segments.read_rows(draft.id, 11, 5)] == [11, 12, 13, 14, 15]
    assert translations.segments.read_row(draft.id, 30).segment.text == lines(30)[-1]
    with pytest.raises(KeyError):
        translations.segments.read_row(draft.id, 31)


def test_a_file_that_cannot_be_read_leaves_nothing(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, fresh_home: Path
) -> None:
    (tmp_path / "empty.docx").write_bytes(b"")
    (tmp_path / "blank.txt").write_text(" \n\n ")
    for name, reason in (("none.txt", "missing"), ("empty.docx", "empty"), ("blank.txt", "no_text")):
        with pytest.raises(DocumentUnreadable) as raised:
            add(app, tmp_path / name)
        assert raised.value.reason == reason
        assert Path(raised.value.path).name == name
    with pytest.raises(DocumentUnreadable):
        add(app, tmp_path)
    assert (translations.find(), copies(fresh_home)) == ([], [])


def test_adding_that_is_cancelled_leaves_nothing(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, fresh_home: Path
) -> None:
    cancel = CancelToken()
    adding = translations.add(text_file(tmp_path, count=3000), GERMAN, cancel)
    assert isinstance(next(adding), Adding)
    cancel.cancel()
    assert all(isinstance(event, Adding) for event in adding)
    assert (translations.find(), copies(fresh_home)) == ([], [])


def test_a_file_that_is_added_twice_is_one_draft_until_something_is_begun_or_chosen(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, fresh_home: Path
) -> None:
    path = text_file(tmp_path)
    first, second, other = add(app, path), add(app, path), add(app, text_file(tmp_path, "other.txt"))
    assert translations.merge_twin(second.id).id == first.id
    assert translations.merge_twin(first.id).id == first.id
    assert translations.merge_twin(other.id).id == other.id
    assert {one.id for one in translations.find()} == {first.id, other.id}
    assert copies(fresh_home) == ["a.txt", "other.txt"]
    third = add(app, path)
    translations.change_wish(first.id, replace(GERMAN, target="fr"))
    assert translations.merge_twin(third.id).id == third.id


def test_what_an_ended_program_left_half_added_goes_and_so_does_the_copy_of_what_was_deleted(
    app: Fireside, tmp_path: Path, fresh_home: Path
) -> None:
    kept, gone = add(app, text_file(tmp_path, "kept.txt")), add(app, text_file(tmp_path, "gone.txt"))
    app.translations.delete(gone.id)
    adding = app.translations.add(text_file(tmp_path, "half.txt", count=3000), GERMAN, CancelToken())
    next(adding)
    words = fresh_home / "cache" / "documents" / ".fireside-ab12.jsonl"
    words.write_text("of a saving that was killed")
    app.began_at = 0.0
    app.housekeeping.remove_unreferenced()
    assert words.exists()
    assert copies(fresh_home) == ["gone.txt", "half.txt", "kept.txt"], "a deletion may be taken back"
    with app.database.transaction() as connection:
        connection.execute("UPDATE jobs SET created_at = 1 WHERE state = 'adding'")
    again = build_program()
    try:
        again.housekeeping.remove_unreferenced()
        assert (copies(fresh_home), words.exists()) == (["gone.txt", "kept.txt"], False), "it is in the trash"
        again.began_at += 31 * DAY_S
        again.housekeeping.remove_unreferenced()
        assert copies(fresh_home) == ["kept.txt"]
        assert [one.id for one in again.translations.find()] == [kept.id]
        with again.database.reading() as connection:
            ids = {row[0] for row in connection.execute("SELECT DISTINCT job_id FROM translation_segments")}
        assert ids == {kept.id}
    finally:
        again.close()


def test_those_at_work_or_waiting_are_first_then_the_newest(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    done = begin(app, text_file(tmp_path, "done.txt"))
    work_off(translations)
    draft = add(app, text_file(tmp_path, "draft.txt"))
    first, second = begin(app, text_file(tmp_path, "1.txt")), begin(app, text_file(tmp_path, "2.txt"))
    assert [one.id for one in translations.find()] == [first.id, second.id, draft.id, done.id]


def test_they_are_found_by_title_name_and_text_on_either_side(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, "größe.txt", word="glaze"))
    assert [one.id for one in translations.find("größe glaze")] == [row.id]
    begin(app, text_file(tmp_path, "other.txt", word="kiln"))
    work_off(translations)
    translations.rename(row.id, " The potter's book ")
    for query in ("potter", "größe", "glaze", "glaze said"):
        assert [one.id for one in translations.find(query)] == [row.id], query
    assert len(translations.find("said")) == 2
    assert translations.find("lathe") == []
    assert stored(translations, row.id).title == "The potter's book"


def test_a_second_document_with_the_same_text_is_not_asked_again(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, script: Path
) -> None:
    begin(app, text_file(tmp_path, "a.txt"))
    second = begin(app, text_file(tmp_path, "b.txt", count=8))
    work_off(translations)
    assert set(asked(script).values()) == {1}
    assert (stored(translations, second.id).reused, stored(translations, second.id).done) == (6, 8)


def test_another_wish_takes_back_what_was_translated_and_the_old_one_is_found_again(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, script: Path
) -> None:
    row = begin(app, text_file(tmp_path))
    work_off(translations)
    formal = TranslationWish("de", "en", Formality.FORMAL)
    translations.change_wish(row.id, formal)
    changed = stored(translations, row.id)
    assert (changed.state, changed.done, changed.wish) == ("draft", 0, formal)
    translations.begin_translations([row.id])
    work_off(translations)
    assert set(asked(script).values()) == {2}
    translations.change_wish(row.id, GERMAN)
    translations.begin_translations([row.id])
    work_off(translations)
    assert set(asked(script).values()) == {2}
    assert stored(translations, row.id).reused == 6


def test_a_term_that_is_added_costs_only_the_segments_that_have_it(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, script: Path
) -> None:
    path = tmp_path / "mixed.txt"
    path.write_text("\n\n".join([*lines(3, "kiln"), *lines(3, "glaze")]), "utf-8")
    row = begin(app, path)
    work_off(translations)
    translations.words.keep_glossary("en", "de", [GlossaryTerm("glaze", "Glasur")])
    assert translations.words.read_glossary("en", "de") == (GlossaryTerm("glaze", "Glasur"),)
    assert translations.words.read_glossary("en", "fr") == ()
    translations.begin_translations([row.id])
    work_off(translations)
    times = asked(script)
    assert {text: times[text] for text in lines(3, "glaze")} == dict.fromkeys(lines(3, "glaze"), 2)
    assert {text: times[text] for text in lines(3, "kiln")} == dict.fromkeys(lines(3, "kiln"), 1)


def test_what_a_person_writes_stays_and_is_used_for_the_same_text_elsewhere(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path))
    work_off(translations)
    edited = translations.segments.edit_segment(row.id, 2, ("Absatz zwei.",))
    assert edited == translations.segments.read_row(row.id, 2)
    assert edited.translated is not None
    assert (words(edited), edited.translated.origin) == ("Absatz zwei.", TranslationSource.EDITED)
    translations.change_wish(row.id, TranslationWish("de", "en", domain="pottery"))
    assert stored(translations, row.id).done == 1
    translations.begin_translations([row.id])
    work_off(translations)
    assert words(translations.segments.read_row(row.id, 2)) == "Absatz zwei."
    other = begin(app, text_file(tmp_path, "b.txt"))
    work_off(translations)
    assert words(translations.segments.read_row(other.id, 2)) == "Absatz zwei."
    translations.change_wish(row.id, TranslationWish("fr", "en"))
    assert stored(translations, row.id).done == 0, "it was not French"


def test_an_edit_without_the_marks_of_the_source_is_refused(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    path = tmp_path / "a.html"
    path.write_text("<p>The tenant pays <b>960</b> euros.</p>", "utf-8")
    draft = add(app, path)
    (segment,) = (row.segment for row in translations.segments.read_rows(draft.id))
    with pytest.raises(ValueError, match="marks"):
        translations.segments.edit_segment(draft.id, 1, ("Der Mieter zahlt 960 Euro.",))
    opening, closing = (part for part in segment.content if isinstance(part, Mark))
    row = translations.segments.edit_segment(draft.id, 1, ("Der Mieter zahlt ", opening, "960", closing, " Euro."))
    assert translations.segments.read_row(draft.id, 1) == row


def test_flags_are_walked_through_and_accepted(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("One odd.\n\nTwo.\n\nThree odd.\n\nFour.", "utf-8")
    row = begin(app, path)
    work_off(translations)
    assert stored(translations, row.id).flagged == 2
    assert [translations.segments.next_flagged(row.id, after) for after in (0, 1, 2, 3, 4)] == [1, 3, 3, 1, 1]
    accepted = translations.segments.accept(row.id, 1)
    assert accepted.translated is not None
    assert accepted.translated.accepted
    assert (stored(translations, row.id).flagged, translations.segments.next_flagged(row.id, 3)) == (1, 3)
    translations.segments.edit_segment(row.id, 3, ("Drei.",))
    assert (stored(translations, row.id).flagged, translations.segments.next_flagged(row.id, 0)) == (0, None)


def test_an_accepted_segment_is_not_asked_again_but_a_flagged_one_is(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, script: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("One odd.\n\nTwo.\n\nThree odd.", "utf-8")
    row = begin(app, path)
    work_off(translations)
    translations.segments.accept(row.id, 1)
    translations.begin_translations([row.id])
    work_off(translations)
    assert asked(script) == {"One odd.": 1, "Two.": 1, "Three odd.": 2}
    again = translations.segments.read_row(row.id, 1).translated
    assert again is not None
    assert again.accepted


def test_one_segment_is_translated_again(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, script: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("One odd.\n\nTwo.\n\nThree odd.", "utf-8")
    row = begin(app, path)
    work_off(translations)
    translations.translate_again(row.id, 3)
    assert (stored(translations, row.id).state, stored(translations, row.id).done) == ("queued", 2)
    work_off(translations)
    assert asked(script) == {"One odd.": 1, "Two.": 1, "Three odd.": 2}


def test_nothing_happens_to_a_segment_that_is_not_translated_when_it_is_accepted(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    draft = add(app, text_file(tmp_path))
    assert translations.segments.accept(draft.id, 1).translated is None
    assert stored(translations, draft.id).done == 0


def test_an_estimate_counts_what_is_left(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    row = begin(app, text_file(tmp_path))
    estimate = translations.estimate(row.id, CancelToken())
    assert estimate is not None
    assert (estimate.segments, estimate.known) == (6, 0)
    assert estimate.tokens > 0
    work_off(translations)
    again = add(app, text_file(tmp_path, "b.txt", count=8))
    estimate = translations.estimate(again.id, CancelToken())
    assert estimate is not None
    assert (estimate.segments, estimate.known) == (8, 6)
    assert estimate.seconds is not None
    cancelled = CancelToken()
    cancelled.cancel()
    assert translations.estimate(again.id, cancelled) is None


def test_typed_text_is_in_the_list_and_changes_in_its_place(app: Fireside, translations: TranslationJobs) -> None:
    first = translations.keep_text("Good morning.", "Guten Morgen.", GERMAN, "en", "model.gguf")
    assert (first.title, first.state, first.format, first.name) == ("Good morning.", "done", "typed", "")
    assert (first.model, first.source_language) == ("model.gguf", "en")
    second = translations.keep_text("Good evening.", "Guten Abend.", GERMAN, "en", "model.gguf", id=first.id)
    assert (second.id, second.title) == (first.id, "Good evening.")
    assert translations.typed_text(first.id) == ("Good evening.", "Guten Abend.")
    assert [one.id for one in translations.find("abend")] == [first.id]
    translations.rename(first.id, "Greeting")
    assert translations.keep_text("Good night.", "Gute Nacht.", GERMAN, "en", "", id=first.id).title == "Greeting"
    translations.delete(first.id)
    assert (translations.find(), translations.get(first.id)) == ([], None)
    translations.restore(first.id)
    assert [one.title for one in translations.find()] == ["Greeting"]


def test_a_long_typed_text_is_called_by_its_first_words(translations: TranslationJobs) -> None:
    text = "The tenant pays the rent by the fifth working day of each month. Dogs are not allowed."
    kept = translations.keep_text(text, "x", GERMAN, "en", "model.gguf")
    assert kept.title == "The tenant pays the rent by the fifth working day of each month. Dogs are not…"
    assert translations.keep_text(f"{text} Cats are.", "x", GERMAN, "en", "", id=kept.id).title == kept.title


def test_the_model_is_the_tabs_else_the_chats(app: Fireside, translations: TranslationJobs, starter: Path) -> None:
    assert translations.engines.model_path() == starter
    app.change_settings("models", translate_path=str(starter.with_name("other.gguf")))
    assert translations.engines.model_path() is not None


def test_a_memory_is_taken_to_another_computer(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = begin(app, text_file(tmp_path))
    work_off(translations)
    translations.segments.edit_segment(row.id, 1, ("Absatz eins.",))
    translations.words.export_tmx(tmp_path / "memory.tmx")
    monkeypatch.setenv("FIRESIDE_HOME", str(tmp_path / "other"))
    other = build_program()
    try:
        list(other.engine.load(MODEL))
        assert translations_of(other).words.import_tmx(tmp_path / "memory.tmx") == 7
        there = begin(other, text_file(tmp_path))
        work_off(other.translations)
        assert stored(other.translations, there.id).reused == 6
        assert words(other.translations.segments.read_row(there.id, 1)) == "Absatz eins."
        assert set(asked(script).values()) == {1}
        with pytest.raises(DocumentUnreadable):
            other.translations.words.import_tmx(tmp_path / "a.txt")
    finally:
        other.close()


@pytest.mark.parametrize("ending", [".html", ".csv", ".tmx"])
def test_both_sides_are_saved_side_by_side(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, ending: str
) -> None:
    row = begin(app, text_file(tmp_path, count=2))
    work_off(translations)
    translations.files.save_bilingual(row.id, tmp_path / f"out{ending}")
    written = (tmp_path / f"out{ending}").read_text("utf-8-sig")
    for text in lines(2):
        assert written.count(text) == 2, "the source, and within the answer"


def test_a_person_is_asked_on_behalf_of_the_tab(app: Fireside, translations: TranslationJobs) -> None:
    translations.engines.ask = lambda swap: True
    assert app.translations.engines.ask(None)  # type: ignore[arg-type]
    with translations.engines.open_engine(CancelToken()) as engine:
        assert engine is app.engine


def test_the_memory_can_be_looked_through_and_deleted_by_entry_document_pair_and_all(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    first = begin(app, text_file(tmp_path, "one.txt", count=2, word="house")).id
    begin(app, text_file(tmp_path, "two.txt", count=2, word="wall"), TranslationWish("fr", "en"))
    work_off(translations)
    token = CancelToken()
    everything = translations.search_memory(token)
    sources = lines(2, "house") + lines(2, "wall")
    assert [one.source for one in everything.newest] == sources[::-1]
    assert TranslationMemory(app.database).size_bytes() > 0
    (one,) = translations.search_memory(token, "1 HOUSE").newest
    assert (one.source, one.pair) == (sources[0], LanguagePair("en", "de"))
    assert translations.words.delete_entries([one.id]) == 1
    of_first = translations.search_memory(token, translation_id=first)
    assert [each.source for each in of_first.newest] == [sources[1]]
    assert translations.words.count_pairs() == {LanguagePair("en", "de"): 1, LanguagePair("en", "fr"): 2}
    assert translations.words.delete_entries(translations.search_memory(token, pair=LanguagePair("en", "de")).ids) == 1
    assert translations.words.delete_entries(None) == 2
    assert translations.search_memory(token).ids == ()
    assert all(row.translated is not None for row in translations.segments.read_rows(first)), (
        "the document keeps its translation"
    )
