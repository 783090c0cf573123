"""What a weak model changes is found by tables, and right translations are left alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from app.features.translate.marking import shown_content
from app.features.translate.problems import ProblemKind, TranslationProblem
from app.features.translate.translation_events import TranslationWish
from app.features.translate.translation_work import TranslationChecks
from app.features.translate.word_checks import (
    added_number,
    changed_negation,
    changed_opposite,
    changed_word,
    foreign_figure,
    lost_number,
    untranslated_word,
)
from app.language.language_detection import LanguageDetector

PAIRS = Path(__file__).parents[2] / "data" / "translations" / "pairs.tsv"
DETECTOR = LanguageDetector()


@cache
def judged() -> dict[str, list[tuple[str, tuple[TranslationProblem, ...]]]]:
    """The pairs of the file, with all that the checks say of each."""
    found: dict[str, list[tuple[str, tuple[TranslationProblem, ...]]]] = {"right": [], "wrong": []}
    for line in PAIRS.read_text("utf-8").splitlines():
        kind, ours, theirs, source, target = line.split("\t")
        checks = TranslationChecks(TranslationWish(theirs, ours), DETECTOR)
        found[kind].append((target, checks.judge_answer(shown_content((source,)), target).problems))
    return found


def test_most_of_what_is_wrong_is_found() -> None:
    wrong = judged()["wrong"]
    missed = [target for target, problems in wrong if not problems]
    assert len(wrong) >= 20
    assert len(missed) <= 0.3 * len(wrong), missed


def test_what_is_right_is_left_alone() -> None:
    right = judged()["right"]
    flagged = [(target, problems) for target, problems in right if problems]
    assert len(right) >= 40
    assert len(flagged) <= 0.05 * len(right), flagged


@pytest.mark.parametrize(
    ("source", "target", "pair", "said"),
    [
        ("On Tuesday it rains.", "Am Donnerstag regnet es.", ("en", "de"), "Tuesday"),
        ("On Black Friday it rains.", "Am Black Friday regnet es.", ("en", "de"), ""),
        ("It opens in January.", "Es öffnet am 3. 1.", ("en", "de"), ""),
        ("It opens in January.", "Es öffnet im Februar.", ("en", "de"), "January"),
        ("He may march on.", "Er darf weitergehen.", ("en", "de"), ""),
        ("two dogs", "ein Hundepaar", ("en", "de"), ""),
        ("two dogs", "drei Hunde", ("en", "de"), "two"),
        ("twelve years", "viele Jahre", ("en", "de"), "twelve"),
        ("twelve years", "12 Jahre", ("en", "de"), ""),
        ("twenty-one years", "21 Jahre", ("en", "de"), ""),
        ("treinta y dos años", "32 years", ("es", "en"), ""),
        ("vingt et un ans", "21 years", ("fr", "en"), ""),
        ("two dogs", "γάτα", ("en", "el"), ""),
        ("It costs fifteen euros.", "Das kostet fünfzig Euro.", ("en", "de"), "fifteen"),
        ("Wracamy za czternaście dni.", "We are back in fourteen days.", ("pl", "en"), ""),
        ("W ciągu czternastu dni.", "Within forty days.", ("pl", "en"), "czternastu"),
        ("Four hundred people came.", "400 Menschen kamen.", ("en", "de"), ""),
        ("Six mille francs.", "6000 francs.", ("fr", "en"), ""),
        ("Er kommt immer zu spät.", "He comes late.", ("de", "en"), "immer"),
        ("Er kommt immer noch zu spät.", "He still comes late.", ("de", "en"), ""),
        ("He is always late.", "Llega tarde todos los días.", ("en", "es"), ""),
        ("Siempre que llueve cierro.", "I close when it rains.", ("es", "en"), ""),
    ],
)
def test_a_word_became_another(source: str, target: str, pair: tuple[str, str], said: str) -> None:
    assert changed_word(source, target, pair) == said


@pytest.mark.parametrize(
    ("source", "target", "pair", "said"),
    [
        ("It closes between 9 and 11.", "Es ist nicht erlaubt.", ("en", "de"), "9"),
        ("It closes at 3 p.m.", "Cierra a las quince horas.", ("en", "es"), ""),
        ("Read chapter 4.", "Lisez le chapitre IV.", ("en", "fr"), ""),
        ("1 guest came.", "Es kam ein Gast.", ("en", "de"), ""),
        ("No se encuentra %2$s en %1$s.", "%s has no %s.", ("es", "en"), ""),
    ],
)
def test_a_small_number_is_nowhere(source: str, target: str, pair: tuple[str, str], said: str) -> None:
    assert lost_number(source, target, pair) == said


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("The law comes into force in April.", "Das Gesetz tritt am 1. April in Kraft.", "1"),
        ("The law comes into force on the first of April.", "Das Gesetz tritt am 1. April in Kraft.", ""),
        ("It lasted some years.", "Es dauerte 3 Jahre.", "3"),
        ("It lasted three years.", "Es dauerte 3 Jahre.", ""),
        ("It happened in May.", "Es geschah im 5. Monat.", ""),
        ("They met at noon.", "Sie trafen sich um 12 Uhr.", ""),
        ("Use the A4 paper.", "Nimm das A4-Papier.", ""),
    ],
)
def test_a_small_number_was_added(source: str, target: str, said: str) -> None:
    assert added_number(source, target, ("en", "de")) == said


def test_words_with_a_sharp_s_are_compared() -> None:
    assert changed_opposite("The bag is small.", "Die Tasche ist groß.", ("en", "de")) == ("small", "groß")
    assert changed_word("dreißig Tage", "forty days", ("de", "en")) == "dreißig"
    assert untranslated_word("Das ist größer.", "This is größer.", ("de", "en")) == "größer"


def test_a_persons_own_term_may_be_anything() -> None:
    assert changed_word("Five Ways is near.", "Das Wegekreuz ist nah.", ("en", "de"), ["Five Ways"]) == ""
    assert untranslated_word("the bridge", "die bridge", ("en", "de"), ["bridge"]) == ""


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("It was not closed.", "Es war geschlossen.", "not"),
        ("It was closed.", "Es war nicht geschlossen.", "nicht"),
        ("It was not closed.", "Es war unverschlossen.", ""),
        ("Not until May.", "Erst im Mai.", ""),
    ],
)
def test_a_negation_was_lost_or_added(source: str, target: str, said: str) -> None:
    assert changed_negation(source, target, ("en", "de")) == said


@pytest.mark.parametrize(
    ("source", "target", "pair", "said"),
    [
        ("1,200 km", "1,200 km", ("en", "de"), "1,200"),
        ("12.50 euros", "12.50 Euro", ("en", "de"), "12.50"),
        ("€12.50", "€12.50", ("en", "de"), "12.50"),
        ("Section 2.10", "Abschnitt 2.10", ("en", "de"), ""),
        ("at 12.50", "um 12.50 Uhr", ("en", "de"), ""),
        ("1.250 Euro", "1.250 euros", ("de", "en"), "1.250"),
        ("1.250 Euro", "1.250 euros", ("de", "fr"), ""),
        ("192.168.100.200", "192.168.100.200", ("en", "de"), ""),
    ],
)
def test_separators_of_another_language(source: str, target: str, pair: tuple[str, str], said: str) -> None:
    assert foreign_figure(source, target, pair) == said


@pytest.mark.parametrize(
    ("source", "target", "pair", "said"),
    [
        ("The lighthouse is old.", "Die Lighthouse ist alt.", ("en", "de"), "Lighthouse"),
        ("The neighbours left.", "Los neighbours se fueron.", ("en", "es"), "neighbours"),
        ("He opened the window.", "Он открыл window.", ("en", "ru"), "window"),
        ("The option “window” is new.", "Die Option „window“ ist neu.", ("en", "de"), ""),
        ("The hotel is full.", "Das Hotel ist voll.", ("en", "de"), ""),
    ],
)
def test_a_common_english_word_was_left(source: str, target: str, pair: tuple[str, str], said: str) -> None:
    assert untranslated_word(source, target, pair) == said


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("The lane is narrow here.", "Die Gasse ist hier breit.", ProblemKind.OPPOSITE),
        ("The train leaves at noon today.", "Der Zug 火车 fährt heute mittags ab.", ProblemKind.GARBLED),
        ("It opens at half past six.", "Es öffnet um halb sieben.", None),
    ],
)
def test_opposites_and_garbled_words_are_problems(source: str, target: str, kind: ProblemKind | None) -> None:
    problems = (
        TranslationChecks(TranslationWish("de", "en"), DETECTOR).judge_answer(shown_content((source,)), target).problems
    )
    assert [one.kind for one in problems] == ([] if kind is None else [kind])


def test_each_fault_has_its_kind() -> None:
    kinds = {problem.kind for _, problems in judged()["wrong"] for problem in problems}
    assert kinds >= {ProblemKind.WORD, ProblemKind.NEGATION, ProblemKind.SEPARATORS, ProblemKind.SOURCE_WORD}
