"""The glossary: which terms a text has, whether a translation obeys them, and its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.features.translate.glossary import (
    TermConsistency,
    TermGlossary,
    choose_terms,
    read_csv,
    violated_terms,
    write_csv,
)
from app.features.translate.translation_events import GlossaryTerm


def found(text: str, *sources: str, language: str = "en") -> list[str]:
    return [term.source for term in TermGlossary([GlossaryTerm(one, "x") for one in sources], language).found_in(text)]


@pytest.mark.parametrize(
    ("term", "text", "is_there"),
    [
        ("lease", "The Leases end.", True),
        ("lease", "Please release it.", False),
        ("policy", "These policies apply.", True),
        ("contract", "The contractor left.", False),
        ("rental contract", "Two rental contracts", True),
        ("rental contract", "A rental of a contract", False),
        ("IT", "Our IT department", True),
        ("IT", "I like it.", False),
        ("art", "An article", False),
        ("art", "Arts and crafts", True),
        ("café", "The CAFE is open", True),
        ("C++", "We write C++ and more", True),
    ],
)
def test_terms_in_english(term: str, text: str, is_there: bool) -> None:
    assert found(text, term) == ([term] if is_there else [])


@pytest.mark.parametrize(
    ("term", "text", "language"),
    [
        ("Vertrag", "Die Verträge gelten.", "de"),
        ("договор", "По договору аренды", "ru"),
        ("contrato", "Los contratos", "es"),
        ("契約", "この契約書は有効です。", "ja"),
        ("계약", "이 계약은 유효합니다", "ko"),
    ],
)
def test_terms_in_other_languages(term: str, text: str, language: str) -> None:
    assert found(text, term, language=language) == [term]


def test_of_two_terms_in_one_place_the_longer_one_counts() -> None:
    assert found("The rental contract is a contract.", "contract", "rental contract") == ["rental contract", "contract"]
    assert found("The rental contract ends.", "contract", "rental contract") == ["rental contract"]


def test_empty_and_doubled_terms_are_left_out() -> None:
    glossary = TermGlossary(
        [GlossaryTerm("", "x"), GlossaryTerm("a", ""), GlossaryTerm("tree", "Baum"), GlossaryTerm("tree", "Strauch")]
    )
    assert glossary.found_in("A tree") == (GlossaryTerm("tree", "Baum"),)
    assert not TermGlossary([])


def test_at_most_twelve_are_told_those_that_look_alike_side_by_side() -> None:
    names = ["alpha gate", "river", "alpha date", "mountain", "alpha rate"]
    told = [one.source for one in choose_terms(GlossaryTerm(name, "x") for name in names)]
    assert sorted(told) == sorted(names)
    assert {told.index(name) for name in names if name.startswith("alpha")} == {0, 1, 2}
    assert len(choose_terms(GlossaryTerm(f"name{n}", "x") for n in range(40))) == 12


@pytest.mark.parametrize(
    ("wanted", "text", "obeys"),
    [
        ("Mieter", "Die Mieterin und der Mieter", True),
        ("Mieter", "des Mieters", True),
        ("Mieter", "Der Pächter", False),
        ("rental contract", "These rental contracts", True),
        ("sözleşme", "Sözleşmesinden", True),
        ("договор", "по договору", True),
        ("契約", "この契約は", True),
        ("契約", "この約束は", False),
        ("Haus", "Hause", True),
        ("Haus", "Hauptstadt", False),
    ],
)
def test_whether_a_translation_obeys(wanted: str, text: str, obeys: bool) -> None:
    assert (violated_terms([GlossaryTerm("x", wanted)], text) == []) is obeys


def test_what_is_not_to_be_translated_must_be_there_exactly() -> None:
    term = GlossaryTerm("Fireside", "Fireside")
    assert violated_terms([term], "Das Programm Fireside") == []
    assert violated_terms([term], "Das Programm fireside") == [term]


@pytest.mark.parametrize(
    ("data", "terms"),
    [
        (b"source,target\r\nlease,Mietvertrag\r\n", [("lease", "Mietvertrag")]),
        ("\ufeffQuelle;Ziel\nlease;Mietvertrag\n".encode(), [("lease", "Mietvertrag")]),
        (b"lease\tMietvertrag\nrent\tMiete\n", [("lease", "Mietvertrag"), ("rent", "Miete")]),
        (b'"a, b","c; d"\n', [("a, b", "c; d")]),
        (b"Fireside\nlease,Mietvertrag\n", [("Fireside", "Fireside"), ("lease", "Mietvertrag")]),
        (b"Fireside,\n\n,nothing\n", [("Fireside", "Fireside")]),
        (b"a,1\na,2\n", [("a", "2")]),
        (b"a;1\rb;2\r", [("a", "1"), ("b", "2")]),
        ("lease;Mietvertrag\n".encode("utf-16"), [("lease", "Mietvertrag")]),
        (b"", []),
    ],
)
def test_its_file_is_read_in_every_usual_form(tmp_path: Path, data: bytes, terms: list[tuple[str, str]]) -> None:
    path = tmp_path / "terms.csv"
    path.write_bytes(data)
    assert read_csv(path) == tuple(GlossaryTerm(*pair) for pair in terms)


@pytest.mark.parametrize("data", [b"\xff\x00\xfa", b"a,b\0c"])
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "terms.csv"
    path.write_bytes(data)
    with pytest.raises(DocumentUnreadable, match="not_text"):
        read_csv(path)


def test_a_cell_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "terms.csv"
    path.write_text('a;"' + "b" * 200_000)
    with pytest.raises(DocumentUnreadable):
        read_csv(path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    terms = (
        GlossaryTerm("source", "Quelle"),
        GlossaryTerm('a "b"; c, d', "e\nf"),
        GlossaryTerm("Fireside", "Fireside"),
        GlossaryTerm("家", "Haus"),
    )
    write_csv(tmp_path / "terms.csv", terms)
    assert read_csv(tmp_path / "terms.csv") == terms
    assert (tmp_path / "terms.csv").read_bytes().startswith(b"\xef\xbb\xbf")


TEXTS = [
    "The Ministry of Works sent a letter to us.",
    "We saw the Ministry of Works in Lund.",
    "Later the Ministry of Works wrote again to Anna Lind.",
    "Our cook met Anna Lind on Monday.",
    "They told Anna Lind the truth.",
]


def test_only_names_that_are_there_three_times_count() -> None:
    found = TermConsistency([*TEXTS, "Once we met Peter Berg there."])
    found.learn_pair("Once we met Peter Berg there.", "Einmal trafen wir dort Peter Berg.")
    assert found.terms == ()


def test_a_name_that_stays_as_it_is_is_fixed_so() -> None:
    found = TermConsistency(TEXTS)
    found.learn_pair(TEXTS[3], "Unser Koch traf Anna Lind am Montag.")
    assert found.terms == (GlossaryTerm("Anna Lind", "Anna Lind"),)


def test_a_segment_that_is_nothing_but_the_name_fixes_it() -> None:
    found = TermConsistency([*TEXTS, "Ministry of Works"])
    found.learn_pair("Ministry of Works", "Ministerium für Bauten")
    assert found.terms == (GlossaryTerm("Ministry of Works", "Ministerium für Bauten"),)
    assert found.found_in(TEXTS[1]) == [GlossaryTerm("Ministry of Works", "Ministerium für Bauten")]
    assert found.found_in(TEXTS[4]) == []


def test_two_translations_that_share_a_run_of_words_fix_it() -> None:
    found = TermConsistency(TEXTS)
    found.learn_pair(TEXTS[4], "Sie sagten ihr die Wahrheit.")
    found.learn_pair(TEXTS[0], "Das Ministerium für Bauten schickte uns einen Brief.")
    assert found.terms == ()
    found.learn_pair(TEXTS[1], "In Lund sahen wir das Ministerium für Bauten.")
    assert found.terms == (GlossaryTerm("Ministry of Works", "Ministerium für Bauten"),)


def test_a_run_that_others_have_too_is_not_taken() -> None:
    found = TermConsistency(TEXTS)
    for text in ("Der alte Bau der Stadt steht.", "Der alte Bau der Stadt fiel.", "Der alte Bau der Stadt brennt."):
        found.learn_pair("Something else.", text)
    found.learn_pair(TEXTS[0], "Der alte Bau der Stadt schrieb uns.")
    found.learn_pair(TEXTS[1], "Wir sahen, wie Der alte Bau der Stadt kam.")
    assert found.terms == ()


def test_the_first_rendering_stays() -> None:
    found = TermConsistency([*TEXTS, "Ministry of Works"])
    found.learn_pair("Ministry of Works", "Bauministerium")
    found.learn_pair("Ministry of Works", "Arbeitsministerium")
    assert found.terms == (GlossaryTerm("Ministry of Works", "Bauministerium"),)


def test_words_without_capitals_are_no_names_and_german_nouns_neither() -> None:
    german = ["Wir sahen den Ofen dort.", "Sie sahen den Ofen hier.", "Er sah den Ofen nie."]
    found = TermConsistency(german, "de")
    found.learn_pair("Ofen", "kiln")
    assert found.terms == ()
    named = TermConsistency([text.replace("Ofen", "Ofen Nord") for text in german], "de")
    named.learn_pair("Ofen Nord", "North Kiln")
    assert named.terms == (GlossaryTerm("Ofen Nord", "North Kiln"),)
    russian = TermConsistency(["мы видели печь", "они видели печь", "он видел печь"], "ru")
    russian.learn_pair("печь", "kiln")
    assert russian.terms == ()


def test_in_scripts_without_spaces_characters_are_compared() -> None:
    found = TermConsistency(TEXTS)
    found.learn_pair(TEXTS[0], "建設省が私たちに手紙を送った。")
    found.learn_pair(TEXTS[1], "ルンドで建設省を見た。")
    assert found.terms == (GlossaryTerm("Ministry of Works", "建設省"),)
