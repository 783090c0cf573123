"""Source and translation side by side in files: HTML, CSV and TMX, with what was flagged in words."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from lxml import html

from app.core.errors import FolderNotWritable
from app.documents.segments import Mark, Segment, SegmentKind
from app.features.translation.memory import read_tmx
from app.features.translation.problems import flag_words
from app.features.translation.result import Flag, FlagKind, Origin, Row, Translated
from app.features.translation.saving import COLUMNS, save_bilingual
from app.store.translations import Pair

RENT = Segment(1, ("The rent is ", Mark("open", 1, "bold"), "960", Mark("close", 1), " euros <a month>."), page=2)
MIETE = ("Die Miete ist ", Mark("open", 1, "bold"), "960", Mark("close", 1), " Euro.")
FORMULA = ("=SUM(A1)",)
TERM = Flag(FlagKind.GLOSSARY, "deposit", "Kaution")
ROWS = [
    Row(RENT, Translated(1, MIETE)),
    Row(Segment(2, FORMULA, SegmentKind.CELL), Translated(2, FORMULA, Origin.KEPT, (Flag(FlagKind.UNTRANSLATED),))),
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
    assert {one.pair for one in entries} == {Pair("en", "de")}
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
