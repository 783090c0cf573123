"""A statement is compared with what it cites, and gets the sentence that bears it out."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.documents.blocks import Block, Kind
from app.features.summary.checks import Cited, verify
from app.features.summary.result import Check, Reason

LAWSUITS = (
    "During the year the group was party to two proceedings, both begun before 2023. Both were settled in October for "
    "a total of 3.7 million, of which 2.9 million had been provided for in earlier years."
)
PENSIONS = "The gap between obligations and plan assets widened to 11.2 million as rates fell in the last quarter."
LEASE = "The tenant, Anna Lopez, may give notice three months before the end of a year. Pets are not allowed."


def block(number: int, text: str, page: int | None = 1, headings: tuple[str, ...] = (), document: int = 0) -> Cited:
    return Cited(document, Block(number, Kind.PARAGRAPH, text, page, headings))


def checked(statement: str, *texts: str, quote: str = "") -> Check:
    return verify(statement, [block(number, text) for number, text in enumerate(texts, 1)], quote).check


def test_a_statement_is_anchored_at_the_sentence_that_bears_it_out() -> None:
    verdict = verify("The lawsuits were settled for a total of 3.7 million.", [block(27, LAWSUITS, 27)])
    (anchor,) = verdict.anchors
    assert verdict.check == Check()
    assert (anchor.document, anchor.block_id, anchor.page) == (0, 27, 27)
    assert anchor.text == LAWSUITS[anchor.start : anchor.end]
    assert anchor.text.startswith("Both were settled in October for a total of 3.7 million")


def test_a_number_that_is_not_there_is_told_with_the_one_in_its_place() -> None:
    check = checked("Two lawsuits were settled for 3.1 million.", LAWSUITS)
    assert (check.found, check.reason, check.said, check.page_says) == (
        False,
        Reason.NUMBER,
        "3.1 million",
        "3.7 million",
    )
    assert check.differs


def test_a_number_without_any_comparable_one_is_only_not_found() -> None:
    check = checked("The tenant Anna Lopez may give notice and pays 450 euros for pets.", LEASE)
    assert (check.reason, check.said, check.page_says, check.differs) == (Reason.NUMBER, "450 euros", "", False)


def test_a_name_that_is_not_there_is_told_with_the_one_in_its_place() -> None:
    check = checked("The tenant Maria Lopez may give notice three months before the end of a year.", LEASE)
    assert (check.reason, check.said, check.page_says) == (Reason.NAME, "Maria Lopez", "Anna Lopez")


def test_a_name_in_a_heading_or_in_a_block_nearby_is_no_alarm() -> None:
    text = "He may give notice three months before the end of a year."
    cited = block(5, text, headings=("Lease of Peter Miller",))
    assert verify("Peter Miller may give notice three months before the end of a year.", [cited]).check.found
    nearby = [block(4, "The flat was let to Peter Miller in May.")]
    assert verify("Peter Miller may give notice three months before the end of a year.", [block(5, text)]).check == (
        Check(False, Reason.NAME, "Peter Miller", "")
    )
    assert verify("Peter Miller may give notice three months before it ends.", [block(5, text)], "", nearby).check.found


def test_a_not_that_only_one_of_both_has_is_told_where_the_statement_repeats_the_sentence() -> None:
    check = checked(
        "The loan may be repaid by the town before 2030.", "The loan may not be repaid by the town before 2030."
    )
    assert (check.found, check.reason, check.page_says) == (False, Reason.SUPPORT, "loan may not be repaid")
    assert (
        checked(
            "The loan may not be repaid by the town before 2030.", "The loan may be repaid by the town before 2030."
        ).said
        == "not"
    )
    assert checked("Pets are not only allowed but welcome here.", "Pets are allowed and even welcome here.").found


def test_a_name_from_another_sentence_is_told_where_the_statement_repeats_this_one() -> None:
    text = "Ingrid Solheim has led the harbour since May 2021. Her deputy Tomas Ferreira came from Aveiro."
    check = checked("Tomas Ferreira has led the harbour since May 2021.", text)
    assert (check.reason, check.said, check.page_says) == (Reason.NAME, "Tomas Ferreira", "Ingrid Solheim")


def test_a_number_from_another_sentence_is_told_where_the_statement_repeats_this_one() -> None:
    text = "The ferry to Sandholm sailed 1,096 times that year. The ferry to Grey Point sailed 388 times that year."
    check = checked("The ferry to Sandholm sailed 388 times that year.", text)
    assert (check.reason, check.said, check.page_says) == (Reason.NUMBER, "388", "1,096")


def test_a_statement_about_something_else_is_not_supported() -> None:
    check = checked("Solar panels were installed on the roof of the new building.", LAWSUITS)
    assert (check.found, check.reason, check.differs) == (False, Reason.SUPPORT, False)


def test_a_statement_moves_to_the_nearby_block_that_carries_it() -> None:
    statement = "The gap between obligations and plan assets widened to 11.2 million."
    verdict = verify(statement, [block(1, LAWSUITS)], "", [block(2, PENSIONS, 28), block(3, LEASE)])
    assert verdict.check.found
    assert (verdict.anchors[0].block_id, verdict.anchors[0].page) == (2, 28)


def test_a_statement_that_cites_nothing_is_looked_for_nearby() -> None:
    found = verify("Both were settled in October for 3.7 million.", [], "", [block(1, LEASE), block(2, LAWSUITS)])
    assert found.check.found and [anchor.block_id for anchor in found.anchors] == [2]
    lost = verify("Solar panels were installed on the roof.", [], "", [block(1, LEASE)])
    assert (lost.check.found, lost.check.reason, lost.anchors) == (False, Reason.SUPPORT, ())
    assert verify("Solar panels were installed.", []).check.reason is Reason.SUPPORT


def test_a_wrong_citation_does_not_make_a_wrong_number_right() -> None:
    verdict = verify("Two lawsuits were settled for 11.2 million.", [block(1, LAWSUITS)], "", [block(2, PENSIONS)])
    assert (verdict.check.found, verdict.check.page_says) == (False, "3.7 million")


@pytest.mark.parametrize(
    ("quote", "found", "reason"),
    [
        ("settled in October for a total of 3.7 million", True, None),
        ("“settled  in October for a total of 3.7 million”", True, None),
        ("setled in October for a totall of 3.7 million", True, Reason.CLOSE_MATCH),
        ("settled in October for a total of 3.1 million", False, Reason.QUOTE_NOT_FOUND),
        ("the claimants withdrew everything they had said", False, Reason.QUOTE_NOT_FOUND),
    ],
)
def test_a_quotation_is_there_nearly_there_or_not(quote: str, found: bool, reason: Reason | None) -> None:
    check = checked("Both proceedings were settled in October.", LAWSUITS, quote=quote)
    assert (check.found, check.reason) == (found, reason)


def test_a_quotation_in_a_nearby_block_moves_the_statement_there() -> None:
    quote = "plan assets widened to 11.2 million"
    verdict = verify("Rates fell in the last quarter.", [block(1, LAWSUITS)], quote, [block(2, PENSIONS)])
    assert verdict.check.found
    assert verdict.anchors[0].block_id == 2


def test_at_most_three_places_are_given_the_best_first() -> None:
    texts = [
        "Pets are kept.",
        "Pets are not allowed in the flat.",
        "The flat has pets.",
        "Pets.",
        "Allowed flat pets here.",
    ]
    verdict = verify("Pets are not allowed in the flat.", [block(n, text) for n, text in enumerate(texts, 1)])
    assert len(verdict.anchors) == 3
    assert verdict.anchors[0].block_id == 2


def test_blocks_with_the_same_number_in_two_documents_are_told_apart() -> None:
    verdict = verify(
        "The gap between obligations and plan assets widened to 11.2 million.",
        [block(1, LEASE, document=0)],
        "",
        [block(1, PENSIONS, document=1)],
    )
    assert verdict.check.found
    assert verdict.anchors[0].document == 1


@pytest.mark.parametrize(
    ("statement", "is_compared"),
    [
        ("Гавань была построена богатым купцом из соседнего города.", False),
        ("В 1871 году гавань построила Анна Петрова.", False),
        ("港は商人によって建てられました。", False),
        ("Die Bucht wurde von einem reichen Kaufmann aus dem Nachbarort für seine Familie gebaut.", False),
        ("Der Hafen wurde von der Kauffrau Anna Lopez gebaut und ist der größte im Land.", True),
        ("Der Hafen wurde im Jahr 1871 gebaut und ist der größte im Land.", True),
    ],
)
def test_what_cannot_be_compared_with_another_language_is_never_told_as_found(
    statement: str, is_compared: bool
) -> None:
    text = "The harbour was built in 1871 by the merchant Anna Lopez, and it is the largest of the country."
    check = checked(statement, text)
    assert (check.found, check.is_compared) == (is_compared, is_compared)
    assert not checked("В 1999 году гавань построила Анна.", text).found, "a number that is not there is told as such"
    assert checked("В 1999 году гавань построила Анна.", text).reason is Reason.NUMBER


GERMAN = "Die Entwicklung von Debian ist für jeden zugänglich, und es gibt mehrere Organisationen in Europa."
JAPANESE = "ミラー作業はほとんどがスクリプトにより完全自動化で行われ、操作は不要です。"


@pytest.mark.parametrize(
    ("statement", "text", "told"),
    [
        ("Die Entwicklung von Debian ist für jeden zugänglich.", GERMAN, None),
        ("Debians Entwicklung ist jedem zugänglich.", GERMAN, None),
        ("Für jeden zugänglicher ist die Entwicklung von Debian.", GERMAN, None),
        ("Die Entwicklung von Debian ist für jeden debenommen zugänglich.", GERMAN, (Reason.NAME, "debenommen")),
        ("ミラー作業はほとんど完全自動化で行われます。", JAPANESE, None),
        ("ミラー作業のメンバーを使用する方法はスクリプトです。", JAPANESE, (Reason.SUPPORT, "")),
        ("Debian has 3 organisations in Europe for you and me.", f"{GERMAN} Es sind 3.", (Reason.LANGUAGE, "")),
    ],
)
def test_what_is_garbled_is_not_told_as_found_where_the_model_does_not_know_the_language(
    statement: str, text: str, told: tuple[Reason, str] | None
) -> None:
    assert checked(statement, text).found, "otherwise words of its own are a model's right"
    check = verify(statement, [block(1, text)], closely=True).check
    assert (None if check.found else (check.reason, check.said)) == told


def test_a_summary_in_another_language_is_judged_by_its_numbers_and_codes() -> None:
    text = "The harbour handled 3.7 million tonnes of goods in the year 2024, and it was the best year of all."
    right = "Der Hafen schlug im Jahr 2024 rund 3,7 Millionen Tonnen um, und das war die größte Menge von allen."
    assert checked(right, text).found
    wrong = checked(right.replace("3,7", "3,9"), text)
    assert (wrong.reason, wrong.said, wrong.page_says) == (Reason.NUMBER, "3,9 Millionen Tonnen", "")


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (
            "Die Hafengebühren steigen am 1. Januar 2025 um 2,5 Prozent.",
            "Ab dem 1.1.2025 steigen die Hafengebühren um 2,5 %.",
        ),
        (
            "Le loyer est de 1 250 euros par mois depuis le 3 mars 2024.",
            "Depuis le 03/03/2024, le loyer est de 1.250 € par mois.",
        ),
        ("El puerto movió 3,7 millones de toneladas en 2024.", "En 2024 el puerto movió 3.700.000 toneladas."),
        ("港口在2024年3月3日处理了370万吨货物。", "2024年3月3日，港口处理了370万吨货物。"),
        ("Порт обработал 3,7 млн тонн грузов в 2024 году.", "В 2024 году порт обработал 3,7 миллиона тонн грузов."),
        ("항구는 2024년 3월 3일에 화물을 처리했다.", "2024년 3월 3일 항구는 화물을 처리하였다."),
    ],
)
def test_the_same_in_other_spellings_is_found_in_other_languages(statement: str, text: str) -> None:
    assert checked(statement, text) == Check()


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("Die Hafengebühren steigen um 3,5 Prozent.", "Ab dem 1.1.2025 steigen die Hafengebühren um 2,5 %."),
        ("El puerto movió 3,7 mil millones de toneladas.", "En 2024 el puerto movió 3.700.000 toneladas."),
        ("港口在2024年4月3日处理了370万吨货物。", "2024年3月3日，港口处理了370万吨货物。"),
        ("Порт обработал 3,7 млрд тонн грузов.", "В 2024 году порт обработал 3,7 миллиона тонн грузов."),
    ],
)
def test_a_changed_number_is_seen_in_other_languages(statement: str, text: str) -> None:
    check = checked(statement, text)
    assert check.reason is Reason.NUMBER
    assert check.page_says


@pytest.mark.parametrize("statement", ["", "  ", "Yes.", "…", "[12]", "。", "\x00", "🙂"])
def test_statements_of_nothing_do_no_harm(statement: str) -> None:
    assert verify(statement, [block(1, LAWSUITS), block(2, "")], statement, [block(3, "…")]).anchors


LONG = 1_000_000


UNITS = ("7", "a", "1,", "1 234 567 ", "Ab ", "1:", "five ", "a-", " ", "五")
"""How long they take is said by `make bench`."""


@pytest.mark.parametrize("unit", UNITS)
def test_a_block_of_a_million_letters_of_one_kind_is_compared(unit: str) -> None:
    text = unit * (LONG // len(unit))
    verify("Anna Lopez paid 3.7 million euros on 3 March 2024.", [block(1, text)], "paid 3.7 million euros")


# Properties.

VOCABULARY = (
    "harbour ship crane tonnes euros council Ingrid Solheim Quay 3.7 million 2024 not may 12% km of the in March 5 "
    "was were (Aurora) 1,284 days und Straße été 港口 F1 GPT-4"
)
WORDS = st.sampled_from(VOCABULARY.split())
SENTENCES = st.lists(st.lists(WORDS, min_size=4, max_size=14), min_size=1, max_size=5)


@given(SENTENCES, st.data())
def test_a_sentence_copied_from_its_block_is_always_found(sentences: list[list[str]], data: st.DataObject) -> None:
    written = [" ".join(words).capitalize() + "." for words in sentences]
    copied = data.draw(st.sampled_from(written))
    verdict = verify(copied, [block(1, " ".join(written))], copied)
    assert verdict.check == Check()


@given(SENTENCES, st.data())
def test_a_digit_changed_to_a_number_that_occurs_nowhere_is_always_seen(
    sentences: list[list[str]], data: st.DataObject
) -> None:
    written = [" ".join(words).capitalize() + "." for words in sentences]
    copied = data.draw(st.sampled_from(written))
    places = [at for at, letter in enumerate(copied) if letter.isdigit()]
    assume(places)
    at = data.draw(st.sampled_from(places))
    changed = copied[:at] + data.draw(st.sampled_from("123456789")) + copied[at + 1 :]
    run = next(one[0] for one in re.finditer(r"\d+", changed) if one.start() <= at < one.end())
    text = " ".join(written)
    assume(run not in re.findall(r"\d+", text))
    verdict = verify(changed, [block(1, text)])
    assert not verdict.check.found
