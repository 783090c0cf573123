"""All checks beside the form of an answer, each with what it must find and what it must leave alone."""

from __future__ import annotations

import pytest

from app.features.translate.marking import shown_content
from app.features.translate.problems import (
    ProblemKind,
    TranslationProblem,
    flags_of,
    is_unusable,
    sentence_of,
    total_weight,
)
from app.features.translate.text_checks import (
    ExpectedLengths,
    different_number,
    is_other_language,
    is_same,
    leftover_words,
)
from app.features.translate.translation_events import FlagKind, GlossaryTerm, TranslationWish
from app.features.translate.translation_work import TranslationChecks
from app.language.language_detection import LanguageDetector

DETECTOR = LanguageDetector()
ENGLISH = "The tenant pays the rent every month until the third working day."
GERMAN = "Der Mieter zahlt die Miete jeden Monat bis zum dritten Werktag."


def kinds(source: str, target: str, pair: TranslationWish | None = None, *terms: GlossaryTerm) -> list[ProblemKind]:
    checks = TranslationChecks(pair or TranslationWish("de", "en"), DETECTOR)
    return [one.kind for one in checks.judge_answer(shown_content((source,)), target, terms).problems]


def test_a_good_translation_has_no_problem() -> None:
    assert kinds(ENGLISH, GERMAN) == []


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        (ENGLISH, "", ProblemKind.EMPTY),
        (ENGLISH, "Le locataire paie le loyer chaque mois jusqu'au troisième jour ouvrable.", ProblemKind.LANGUAGE),
        (ENGLISH, "Арендатор платит за квартиру каждый месяц до третьего рабочего дня.", ProblemKind.LANGUAGE),
        (ENGLISH, "Tenant pays rent every month, third working day.", ProblemKind.LANGUAGE),
        ("the old house", "the old house", ProblemKind.SAME),
        (ENGLISH, "Der Mieter zahlt.", ProblemKind.LENGTH),
        ("It has 42 doors.", "Es hat 24 Türen.", ProblemKind.NUMBER),
    ],
)
def test_each_fault_is_found(source: str, target: str, kind: ProblemKind) -> None:
    assert kinds(source, target)[:1] == [kind]


def test_the_glossary_is_checked_and_what_obeys_it_passes() -> None:
    assert kinds(ENGLISH, GERMAN, None, GlossaryTerm("tenant", "Mieter"), GlossaryTerm("rent", "Miete")) == []
    assert kinds(ENGLISH, GERMAN, None, GlossaryTerm("tenant", "Pächter")) == [ProblemKind.GLOSSARY]


@pytest.mark.parametrize(
    ("text", "source", "target", "is_other"),
    [
        (GERMAN, "en", "de", False),
        (ENGLISH, "en", "de", True),
        ("Where is the station?", "en", "de", True),
        ("Ja, gern.", "en", "de", False),
        ("賃借人は毎月第三営業日までに家賃を支払います。", "en", "ja", False),
        (
            "租户每个月在第三个工作日之前支付租金，并且必须通过银行转账的方式完成支付，不得使用现金支付。",
            "en",
            "ja",
            True,
        ),
        ("賃借人は毎月家賃を支払います。", "en", "zh", True),
        ("Арендатор платит каждый месяц.", "en", "ru", False),
        ("The tenant pays every month.", "en", "ru", True),
        ("Microsoft Windows XP Professional", "en", "ru", False),
        ("O inquilino paga a renda todos os meses até ao terceiro dia útil.", "pt-BR", "pt-PT", False),
        ("Stanar plaća stanarinu svakog mjeseca do trećeg radnog dana u mjesecu.", "en", "sr", False),
    ],
)
def test_other_languages(text: str, source: str, target: str, is_other: bool) -> None:
    assert is_other_language(text, source, target, DETECTOR) is is_other


@pytest.mark.parametrize(
    ("text", "source", "target", "same"),
    [
        ("Microsoft Windows", "en", "de", False),
        ("Anna Lind, New York", "en", "de", False),
        ("Hotel", "en", "de", False),
        ("Radio hotel taxi", "en", "de", True),
        ("OK", "en", "ja", False),
        ("house", "en", "ja", True),
        ("the old house", "en", "en-GB", False),
    ],
)
def test_texts_that_stay_the_same(text: str, source: str, target: str, same: bool) -> None:
    assert is_same(text, text, source, target) is same


@pytest.mark.parametrize(
    ("source", "translation", "pair", "said"),
    [
        ("猫は家の中で寝る。", "The cat 家の中 sleeps.", ("ja", "en"), "家の中"),
        ("Кот спит дома.", "The cat спит at home.", ("ru", "en"), "спит"),
        ("The cat sleeps in the house.", "Кот sleeps in the доме.", ("en", "ru"), "sleeps in the"),
        ("Use Windows at home now.", "Используйте Windows дома.", ("en", "ru"), ""),
        ("The cat sleeps.", "Die cat schläft.", ("en", "de"), ""),
        ("東京都に住む。", "住在東京都。", ("ja", "zh"), ""),
        ("猫のミケは寝る。", "ミケ sleeps.", ("ja", "en"), "ミケ"),
    ],
)
def test_what_was_left_in_the_script_of_the_source(
    source: str, translation: str, pair: tuple[str, str], said: str
) -> None:
    assert leftover_words(source, translation, *pair) == said


def test_names_of_the_glossary_may_stand_in_any_script() -> None:
    assert leftover_words("猫のミケは寝る。", "ミケ sleeps.", "ja", "en", ["ミケ"]) == ""


def test_the_length_that_is_expected_is_learnt() -> None:
    lengths = ExpectedLengths("en", "de")
    text = "A sentence of some forty characters here."
    assert lengths.length_fault(text, text[:15]) == "short"
    assert lengths.length_fault(text, text * 3) == "long"
    for _ in range(20):
        lengths.learn_lengths(text, text * 2)
    assert lengths.expected == 2
    assert lengths.length_fault(text, text * 3) == ""
    assert lengths.length_fault(text, text[:30]) == "short"


def test_a_dense_script_is_shorter_and_a_short_text_may_become_anything_but_very_long() -> None:
    assert ExpectedLengths("en", "zh").length_fault("The tenant pays the rent every month.", "租户每月支付租金。") == ""
    assert ExpectedLengths("zh", "en").length_fault("租户每月支付租金，直到第三个工作日为止，不得延迟。", ENGLISH) == ""
    assert ExpectedLengths("en", "de").length_fault("Edit", "Bearbeiten") == ""
    assert (
        ExpectedLengths("en", "de").length_fault(
            "Edit", "Bearbeiten heißt, einen Text zu ändern und ihn danach zu speichern"
        )
        == "long"
    )


def test_every_problem_has_a_weight_and_those_that_a_person_sees_a_flag() -> None:
    for kind in ProblemKind:
        assert total_weight([TranslationProblem(kind)]) > 0
        assert isinstance(sentence_of(TranslationProblem(kind, "x", "y"), "German"), str)
    assert {flag.kind for kind in ProblemKind for flag in flags_of([TranslationProblem(kind)])} == set(FlagKind) - {
        FlagKind.UNSURE
    }
    assert is_unusable([TranslationProblem(ProblemKind.NUMBER), TranslationProblem(ProblemKind.EMPTY)])
    assert not is_unusable([TranslationProblem(ProblemKind.LANGUAGE)])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("It costs 1,240.00 euros.", "Es kostet 1.240,00 Euro."),
        ("It costs 1,240.00 euros.", "Cela coûte 1 240,00 euros."),
        ("It costs 1,240.00 euros.", "Cela coûte 1\u202f240,00 euros."),
        ("1,000,000 people", "1’000’000 Personen"),
        ("12,34,567 rupees", "1,234,567 Rupien"),
        ("3.5 km", "3,5 km"),
        ("The year 2025", "سنة ٢٠٢٥"),
        ("2025 was good", "२०२५ अच्छा था"),
        ("2 million people", "200万人"),
        ("2 million people", "2.000.000 Menschen"),
        ("3 billion", "3 Milliarden"),
        ("10,000 yen", "1万円"),
        ("two days and 3 nights", "2 Tage und drei Nächte"),
        ("April 3, 2025", "2025年4月3日"),
        ("04/03/2025", "3. April 2025"),
        ("at 3:30 pm", "um 15:30 Uhr"),
        ("the 21st century", "das 21. Jahrhundert"),
        ("Version 1.2.3", "Fassung 1.2.3"),
        ("Call 555 0199 now", "Rufen Sie 555-0199 an"),
        ("GPT-4 and H2O", "GPT-4 und Wasser"),
        ("no number", "keine Zahl"),
        ("5 of 5", "5 von 5"),
        ("第3章", "Kapitel 3"),
    ],
)
def test_the_same_numbers(source: str, target: str) -> None:
    assert different_number(source, target) == ""
    assert different_number(target, source) == ""


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("42 doors", "43 Türen", "42"),
        ("42 doors", "Türen", "42"),
        ("Doors", "43 Türen", "43"),
        ("1.5 litres", "15 Liter", "1.5"),
        ("1,240 euros", "1.250 Euro", "1,240"),
        ("3 days", "4 Tage", "3"),
        ("5 and 5", "5", ""),
        ("50 and 50", "50", "50"),
        ("from 1990 to 1995", "von 1995 bis 1999", "1990"),
        ("2 million", "2 Milliarden", ""),
        ("20 million", "30 Millionen", "20"),
    ],
)
def test_other_numbers(source: str, target: str, said: str) -> None:
    assert different_number(source, target) == said
