"""Saving translations: the same format with its layout, new documents, parts, and what is never written over."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document
from lxml import etree, html

from app.bootstrap import Fireside, build
from app.core.errors import DiskFull, DocumentGone, DocumentLocked, FolderNotWritable, TargetIsOpen, TargetIsSource
from app.core.events import CancelToken
from app.documents.segments import Mark, Segment, SegmentKind
from app.features.translation.memory import read_tmx
from app.features.translation.problems import flag_words
from app.features.translation.recomposed import NOT_TRANSLATED
from app.features.translation.result import Flag, FlagKind, Row, Translated, TranslationSource, TranslationWish
from app.features.translation.saving import COLUMNS, endings_of, file_name, save_bilingual
from app.features.translation.translations import Saved, TranslationJobs
from app.store.translations import LanguagePair
from tests.helpers.disks import small_disk
from tests.helpers.documents import pdf_pages, shown
from tests.helpers.pdf_files import Lock, Page, write_pdf
from tests.helpers.script import write_script
from tests.helpers.translations import (
    GERMAN,
    add,
    begin,
    lines,
    stored,
    text_file,
    translations_of,
    until_segment,
    work_off,
)

MODEL = Path("/any/model.gguf")
ARABIC = TranslationWish("ar", "en")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fireside]:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    app = build()
    list(app.engine.load(MODEL))
    yield app
    app.close()


@pytest.fixture
def translations(app: Fireside) -> TranslationJobs:
    return translations_of(app)


def save(translations: TranslationJobs, translation_id: int, path: Path) -> Saved:
    *_, last = translations.files.save(translation_id, path, CancelToken())
    assert isinstance(last, Saved)
    assert last.path == path
    assert sorted(one.name for one in path.parent.glob(".fireside-*")) == []
    return last


def partly(translations: TranslationJobs, translation_id: int, count: int) -> None:
    work = until_segment(translations, count)
    next(work)
    translations.stop(translation_id)
    list(work)


def test_a_text_comes_back_in_its_form_whatever_became_of_its_file(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    path = text_file(tmp_path / "in", "lease.txt")
    row = begin(app, path)
    work_off(translations)
    assert endings_of(row) == (".txt",)
    assert file_name(translations.get(row.id), ".txt") == "lease (Deutsch).txt"
    path.unlink()
    saved = save(translations, row.id, tmp_path / "out.txt")
    assert saved == Saved(tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text("utf-8") == "\n\n".join(f"You said: {one}" for one in lines(6)) + "\n"


def test_a_word_document_keeps_its_layout_and_says_its_language(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    path, made = tmp_path / "lease.docx", Document()
    made.add_heading("Lease", 1)
    rent = made.add_paragraph("The rent is ")
    rent.add_run("960 euros").bold = True
    rent.add_run(".")
    made.save(str(path))
    row = begin(app, path, ARABIC)
    work_off(translations)
    saved = save(translations, row.id, tmp_path / "out.docx")
    assert (saved.keeps_layout, saved.untranslated, saved.refused) == (True, (), ())
    document = Document(str(tmp_path / "out.docx"))
    texts = [one.text for one in document.paragraphs]
    assert texts == ["You said: Lease", "You said: The rent is 960 euros."]
    assert document.element.xpath("//w:bidi")


def test_what_is_not_translated_yet_stays_and_says_so(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, "lease.txt", count=4))
    partly(translations, row.id, 2)
    assert file_name(translations.get(row.id), ".txt") == "lease (Deutsch, partial).txt"
    saved = save(translations, row.id, tmp_path / "out.txt")
    assert (saved.untranslated, saved.is_marked) == ((3, 4), True)
    written = (tmp_path / "out.txt").read_text("utf-8").rstrip().split("\n\n")
    first, second, third, fourth = lines(4)
    assert written == [
        f"You said: {first}", f"You said: {second}", NOT_TRANSLATED + third, NOT_TRANSLATED + fourth,
    ]  # fmt: skip


def test_where_a_mark_would_break_something_what_is_not_translated_is_only_listed(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    path = tmp_path / "texts.json"
    path.write_text(json.dumps({"a": "Good morning to you.", "b": "Good evening to you.", "n": 7}), "utf-8")
    row = begin(app, path)
    partly(translations, row.id, 1)
    saved = save(translations, row.id, tmp_path / "out.json")
    assert (saved.untranslated, saved.is_marked) == ((2,), False)
    assert json.loads((tmp_path / "out.json").read_text("utf-8")) == {
        "a": "You said: Good morning to you.", "b": "Good evening to you.", "n": 7,
    }  # fmt: skip


def test_a_segment_without_words_is_not_said_to_be_untranslated(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("item,price\nrent,960.00\n", "utf-8")
    draft = add(app, path)
    words = [one.segment.text for one in translations.segments.rows(draft.id)]
    saved = save(translations, draft.id, tmp_path / "out.csv")
    assert [words[number - 1] for number in saved.untranslated] == [one for one in words if one != "960.00"]
    assert "960.00" in (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[1].split(",")


def test_the_source_is_never_replaced(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    path = text_file(tmp_path)
    before = path.read_bytes()
    row = begin(app, path)
    work_off(translations)
    (tmp_path / "link.txt").symlink_to(path)
    (tmp_path / "hard.txt").hardlink_to(path)
    for name in ("a.txt", "link.txt", "hard.txt"):
        with pytest.raises(TargetIsSource):
            list(translations.files.save(row.id, tmp_path / name, CancelToken()))
    assert path.read_bytes() == before


@pytest.mark.parametrize("lock", [".~lock.out.txt#", "~$out.txt", "~$t.txt"])
def test_a_file_that_an_office_program_has_open_is_not_replaced(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, lock: str
) -> None:
    row = begin(app, text_file(tmp_path))
    work_off(translations)
    (tmp_path / lock).write_text("somebody")
    save(translations, row.id, tmp_path / "out.txt")
    with pytest.raises(TargetIsOpen):
        list(translations.files.save(row.id, tmp_path / "out.txt", CancelToken()))
    (tmp_path / lock).unlink()
    (tmp_path / "out.txt").write_text("older")
    save(translations, row.id, tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text("utf-8").startswith("You said")


def test_a_folder_that_is_not_there_and_a_copy_that_is_gone_are_told(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path))
    work_off(translations)
    with pytest.raises(FolderNotWritable):
        list(translations.files.save(row.id, tmp_path / "none" / "out.txt", CancelToken()))
    translations._copies.remove(row.id)
    with pytest.raises(DocumentGone):
        list(translations.files.save(row.id, tmp_path / "out.txt", CancelToken()))
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("ending", [".txt", ".html", ".csv"])
def test_a_full_disk_is_told_and_what_is_there_stays(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / "lease.txt"
    path.write_text("\n\n".join(f"{line} It stands beside the river." * 20 for line in lines(60)), "utf-8")
    row = begin(app, path)
    work_off(translations)
    with small_disk(tmp_path / "stick", 64 * 1024) as folder:
        out = folder / f"out{ending}"
        out.write_text("earlier", "utf-8")
        with pytest.raises(DiskFull):
            if ending == ".txt":
                save(translations, row.id, out)
            else:
                translations.files.save_bilingual(row.id, out)
        assert [one.name for one in folder.iterdir()] == [out.name]
        assert out.read_text("utf-8") == "earlier"


def test_saving_that_is_cancelled_changes_nothing(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    row = begin(app, text_file(tmp_path))
    work_off(translations)
    out, cancel = tmp_path / "out.txt", CancelToken()
    out.write_text("older")
    cancel.cancel()
    assert not any(isinstance(event, Saved) for event in translations.files.save(row.id, out, cancel))
    assert (out.read_text(), sorted(one.name for one in tmp_path.glob(".fireside-*"))) == ("older", [])


def pdf(folder: Path) -> Path:
    path = folder / "lease.pdf"
    path.write_bytes(pdf_pages([shown("The rent of the flat is 960 euros."), shown("Notice is given in writing.")]))
    return path


@pytest.mark.parametrize("ending", [".docx", ".html"])
def test_a_pdf_becomes_a_new_document_with_anchors_of_its_pages(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, ending: str
) -> None:
    row = begin(app, pdf(tmp_path))
    assert (row.format, row.segments, endings_of(row)) == ("blocks", 2, (".docx", ".html"))
    work_off(translations)
    (tmp_path / "lease.pdf").unlink()
    assert file_name(translations.get(row.id), ending) == f"lease (Deutsch){ending}"
    out = tmp_path / f"out{ending}"
    saved = save(translations, row.id, out)
    assert (saved.keeps_layout, saved.untranslated) == (False, ())
    expected = ["p. 1", "You said: The rent of the flat is 960 euros.", "p. 2", "You said: Notice is given in writing."]
    if ending == ".docx":
        document = Document(str(out))
        assert [one.text for one in document.paragraphs] == expected
        assert document.element.xpath("//w:bookmarkStart/@w:name") == ["page_1", "page_2"]
        assert document.core_properties.language == "de"
    else:
        page = html.fromstring(out.read_bytes())
        assert [one.text for one in page.iter("p")] == expected
        assert ([one.get("id") for one in page.iter("p")][::2], page.get("lang")) == (["page-1", "page-2"], "de")


def test_a_part_of_a_pdf_says_what_is_not_translated(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, pdf(tmp_path), ARABIC)
    partly(translations, row.id, 1)
    saved = save(translations, row.id, tmp_path / "out.html")
    assert (saved.untranslated, saved.is_marked) == ((2,), True)
    page = html.fromstring((tmp_path / "out.html").read_bytes())
    assert f"{NOT_TRANSLATED}Notice is given in writing." in [one.text for one in page.iter("p")]
    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")


def test_a_password_is_asked_for_and_stays_in_memory(
    app: Fireside, translations: TranslationJobs, tmp_path: Path, fresh_home: Path
) -> None:
    path = tmp_path / "locked.pdf"
    page = Page()
    page.text(72, 100, "The rent is 960 euros a month.")
    write_pdf(path, [page], lock=Lock("secret-word", "owner"))
    with pytest.raises(DocumentLocked):
        add(app, path)
    draft = add(app, path, GERMAN, password="secret-word")
    assert stored(translations, draft.id).segments == 1
    written = [one.read_bytes() for one in fresh_home.rglob("*") if one.is_file()]
    assert not any(b"secret-word" in one for one in written)


def test_headings_lists_tables_and_code_of_a_new_document(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    path = tmp_path / "note.ipynb"
    source = "# Kilns\n\nTwo of them:\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n"
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": source},
        {"cell_type": "code", "metadata": {}, "source": "print(1)", "outputs": [], "execution_count": None},
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    row = begin(app, path)
    assert row.format == "blocks"
    work_off(translations)
    save(translations, row.id, tmp_path / "out.docx")
    save(translations, row.id, tmp_path / "out.html")
    document = Document(str(tmp_path / "out.docx"))
    styles = {one.text: one.style.name for one in document.paragraphs}
    assert styles["You said: Kilns"] == "Heading 1"
    assert styles["You said: one"] == "List Bullet"
    assert [[cell.text for cell in one.cells] for one in document.tables[0].rows] == [
        ["You said: a", "You said: b"], ["You said: c", "You said: d"],
    ]  # fmt: skip
    assert "print(1)" in styles
    page = html.fromstring((tmp_path / "out.html").read_bytes())
    assert [one.text for one in page.iter("li")] == ["You said: one", "You said: two"]
    assert [one.text for one in page.iter("td")] == [f"You said: {one}" for one in "abcd"]
    assert ([one.text for one in page.iter("h1")], [one.text for one in page.iter("code")]) == (
        ["You said: Kilns"], ["print(1)"],
    )  # fmt: skip
    etree.fromstring(b"<x>" + etree.tostring(page) + b"</x>")


RENT = Segment(1, ("The rent is ", Mark("open", 1, "bold"), "960", Mark("close", 1), " euros <a month>."), page=2)
MIETE = ("Die Miete ist ", Mark("open", 1, "bold"), "960", Mark("close", 1), " Euro.")
FORMULA = ("=SUM(A1)",)
TERM = Flag(FlagKind.GLOSSARY, "deposit", "Kaution")
ROWS = [
    Row(RENT, Translated(1, MIETE)),
    Row(
        Segment(2, FORMULA, SegmentKind.CELL),
        Translated(2, FORMULA, TranslationSource.KEPT, (Flag(FlagKind.UNTRANSLATED),)),
    ),
    Row(Segment(3, ("A deposit",)), Translated(3, ("Ein Pfand",), flags=(TERM,))),
    Row(Segment(4, ("Press ", Mark("single", 1, "code", "Ctrl+C"), Mark("single", 2, "break"), "now")), None),
    Row(Segment(5, ("odd",)), Translated(5, ("seltsam",), flags=(Flag(FlagKind.LENGTH),), accepted=True)),
]  # fmt: skip


def saved(folder: Path, ending: str, target: str = "de") -> Path:
    path = folder / f"out{ending}"
    save_bilingual(iter(ROWS), path, title="lease <1>", source="en", target=target)
    return path


def test_a_table_has_every_segment_with_its_flags(tmp_path: Path) -> None:
    page = html.fromstring(saved(tmp_path, ".html").read_bytes())
    rows = [[cell.text_content() for cell in row.iter("td")] for row in page.iter("tr")][1:]
    assert rows == [
        ["1", "The rent is <g1>960</g1> euros <a month>.", "Die Miete ist <g1>960</g1> Euro."],
        ["2", "=SUM(A1)", "=SUM(A1)This could not be translated."],
        ["3", "A deposit", "Ein PfandGlossary says “Kaution” for “deposit”."],
        ["4", "Press Ctrl+C\nnow", ""],
        ["5", "odd", "seltsam"],
    ]
    assert [one.text for one in page.iter("title")] == ["lease <1>"]
    assert [one.text for one in page.iter("th")] == [None, "English", "Deutsch"]


def test_each_side_has_its_language_and_direction(tmp_path: Path) -> None:
    page = html.fromstring(saved(tmp_path, ".html", "ar").read_bytes())
    first = next(iter(page.xpath("//tr[@id='segment-1']")))
    assert [(cell.get("lang"), cell.get("dir")) for cell in first][1:] == [("en", "ltr"), ("ar", "rtl")]


def test_a_spreadsheet_gets_columns_and_no_formulas(tmp_path: Path) -> None:
    with saved(tmp_path, ".csv").open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    assert tuple(head) == COLUMNS
    rent = ["The rent is <g1>960</g1> euros <a month>.", "Die Miete ist <g1>960</g1> Euro."]
    assert rows[0] == ["1", "2", "paragraph", *rent, "model", "", ""]
    assert rows[1][2:6] == ["cell", "'=SUM(A1)", "'=SUM(A1)", "kept"]
    assert rows[2][7] == "Glossary says “Kaution” for “deposit”."
    assert rows[3][4:] == ["", "", "", ""]
    assert rows[4][6] == "yes"


def test_a_memory_has_what_is_translated(tmp_path: Path) -> None:
    entries = list(read_tmx(saved(tmp_path, ".tmx")))
    assert {one.pair for one in entries} == {LanguagePair("en", "de")}
    assert [one.target for one in entries][1:] == ['["Ein Pfand"]', '["seltsam"]']


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderNotWritable):
        save_bilingual(iter(ROWS), tmp_path / "none" / "out.html", title="", source="en", target="de")


@pytest.mark.parametrize("kind", list(FlagKind))
def test_every_flag_has_its_words(kind: FlagKind) -> None:
    (words,) = flag_words(RENT, Translated(1, ("x",), flags=(Flag(kind, "960", "wanted"),)), "de")
    assert words.endswith(".")
    assert "{" not in words


def test_words_say_which_way_it_is() -> None:
    def said(target: str, *flag: str) -> str:
        return flag_words(RENT, Translated(1, (target,), flags=(Flag(FlagKind(flag[0]), *flag[1:]),)), "pt-BR")[0]

    assert said("x", "length") == "Much shorter than the original."
    assert said("x" * 200, "length") == "Much longer than the original."
    assert said("x", "number", "960") == "“960” is missing."
    assert said("x", "number", "7") == "“7” is not in the original."
    assert said("x", "language") == "This does not look like Portuguese (Brazil)."
