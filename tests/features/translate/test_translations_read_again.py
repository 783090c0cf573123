"""Translations of documents whose pages were pictures: what is read or corrected later is taken over where wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.events import CancelToken
from app.documents.segments import Content
from app.features.document_library import DocumentStored
from app.features.page_reading.corrections import PageCorrections
from app.features.translate.translation_events import TranslationEnded, TranslationSource, TranslationWish
from app.features.translate.translation_jobs import TranslationJobs
from app.store.document_store import StoredDocument
from tests.helpers.pdf_files import Page
from tests.helpers.scans import drawn, scan
from tests.helpers.script import write_script
from tests.helpers.translations import add, asked, begin, stored, until_segment, work_off

RENT, PETS, KEYS = "The rent is 1,450 euros.", "Pets may be kept.", "There are two keys."
FIRST = f"# Lease\n\n{RENT}\n\n{PETS}"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script")
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@pytest.fixture
def lease(app: Fireside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pages that a person has typed off."""
    monkeypatch.setenv("PATH", str(tmp_path))  # no tesseract, which would look for words in them
    path = scan(tmp_path / "lease.pdf", drawn([Page(), Page()], tmp_path, 20), 20)
    *_, last = app.documents.read_file(path, CancelToken())
    assert isinstance(last, DocumentStored)
    correct(app, correct(app, last.document, FIRST), KEYS, page=2)
    return path


def correct(app: Fireside, document: StoredDocument, text: str, *, page: int = 1) -> StoredDocument:
    corrected = PageCorrections(app.documents, document.id).correct_page(page, text, CancelToken())
    assert corrected is not None
    return corrected


def shown(translations: TranslationJobs, number: int) -> list[tuple[str, str]]:
    """Segments beside their translations."""
    rows = translations.segments.read_rows(number)
    return [(one.segment.text, words(one.translated.content) if one.translated else "") for one in rows]


def words(content: Content) -> str:
    return "".join(part for part in content if isinstance(part, str))


def translated(app: Fireside, translations: TranslationJobs, path: Path) -> int:
    number = begin(app, path).id
    work_off(translations)
    return number


def test_what_was_corrected_is_taken_over_when_that_is_wanted_and_only_it_is_asked(
    app: Fireside, translations: TranslationJobs, script: Path, lease: Path
) -> None:
    number = translated(app, translations, lease)
    translations.segments.edit_segment(number, 3, ("Haustiere sind erlaubt.",))
    before = shown(translations, number)
    document = translations.source_document(number)
    assert document is not None and not translations.is_outdated(number)

    corrected = correct(app, document, FIRST.replace("1,450", "1,540").replace(PETS, f"No smoking.\n\n{PETS}"))
    assert (translations.source_document(number), translations.is_outdated(number)) == (corrected, True)
    assert shown(translations, number) == before
    translations.take_again(number)
    row = stored(translations, number)
    assert (row.state, row.segments, row.done) == ("queued", 5, 3)
    assert not translations.is_outdated(number)
    work_off(translations)
    assert shown(translations, number) == [
        ("Lease", "You said: Lease"),
        ("The rent is 1,540 euros.", "You said: The rent is 1,540 euros."),
        ("No smoking.", "You said: No smoking."),
        (PETS, "Haustiere sind erlaubt."),
        (KEYS, f"You said: {KEYS}"),
    ]
    assert translations.segments.read_row(number, 4).translated.origin is TranslationSource.EDITED  # type: ignore[union-attr]
    assert set(asked(script).values()) == {1}
    assert [one.id for one in translations.find("smoking")] == [number]


def test_given_up_again_a_correction_leaves_nothing_to_take_over(
    app: Fireside, translations: TranslationJobs, script: Path, lease: Path
) -> None:
    number = translated(app, translations, lease)
    document = translations.source_document(number)
    assert document is not None
    document = correct(app, document, FIRST.replace("1,450", "1,540"))
    correct(app, document, FIRST)
    assert not translations.is_outdated(number)


def test_one_that_is_not_begun_follows_its_document_when_it_is(
    app: Fireside, translations: TranslationJobs, script: Path, lease: Path, tmp_path: Path
) -> None:
    draft = add(app, lease)
    document = translations.source_document(draft.id)
    assert document is not None
    correct(app, document, f"{FIRST}\n\nNo smoking.")
    assert [text for text, _ in shown(translations, draft.id)] == ["Lease", RENT, PETS, KEYS]
    translations.begin_translations([draft.id])
    work_off(translations)
    assert [text for text, _ in shown(translations, draft.id)] == ["Lease", RENT, PETS, "No smoking.", KEYS]
    *_, saved = translations.files.save(draft.id, tmp_path / "out.html", CancelToken())
    page = (tmp_path / "out.html").read_text("utf-8")
    assert page.index("You said: No smoking.") < page.index(f"You said: {KEYS}")
    assert saved.untranslated == ()  # type: ignore[union-attr]


def test_a_draft_is_saved_with_the_document_that_its_segments_are_of(
    app: Fireside, translations: TranslationJobs, script: Path, lease: Path, tmp_path: Path
) -> None:
    number = translated(app, translations, lease)
    document = translations.source_document(number)
    assert document is not None
    translations.change_wish(number, TranslationWish("pt", "en"))
    assert stored(translations, number).state == "draft"
    correct(app, document, f"Before all.\n\n{FIRST}")
    translations.segments.edit_segment(number, 4, ("Duas chaves.",))
    list(translations.files.save(number, tmp_path / "out.html", CancelToken()))
    page = (tmp_path / "out.html").read_text("utf-8")
    assert "Duas chaves." in page and "Before all." not in page
    assert PETS in page


def test_taken_again_while_it_is_at_work_nothing_of_the_earlier_segments_is_stored(
    app: Fireside, translations: TranslationJobs, script: Path, lease: Path
) -> None:
    number = begin(app, lease).id
    document = translations.source_document(number)
    assert document is not None
    work = until_segment(translations, 1)
    next(work)
    correct(app, document, f"Before all.\n\n{FIRST}")
    translations.take_again(number)
    list(work)
    assert shown(translations, number) == [
        (text, f"You said: {text}") for text in ("Before all.", "Lease", RENT, PETS, KEYS)
    ]


def test_taken_again_in_the_moment_in_which_it_is_done_it_goes_on_with_what_is_new(
    app: Fireside, translations: TranslationJobs, script: Path, lease: Path
) -> None:
    number = begin(app, lease).id
    document = translations.source_document(number)
    assert document is not None
    work = translations.run(CancelToken())
    next(one for one in work if isinstance(one.event, TranslationEnded))
    correct(app, document, f"Before all.\n\n{FIRST}")
    translations.take_again(number)
    list(work)
    assert shown(translations, number)[0] == ("Before all.", "You said: Before all.")
    assert stored(translations, number).state == "done"
