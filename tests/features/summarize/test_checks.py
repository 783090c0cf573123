"""Statements beside what they cite: quotations, numbers, words, echoes; what is said of it, which wrong ones pass."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.documents.blocks import Block, BlockKind
from app.features.summarize import summary_prompts
from app.features.summarize.checks import CitedBlock, find_quote, verify_statement
from app.features.summarize.point_answers import cited_runs, read_points, without_repeats
from app.features.summarize.sections import whole_section
from app.features.summarize.summary_messages import check_words, statements_words
from app.features.summarize.summary_result import Check, CheckReason, ClaimAnchor, Form, Statement
from app.language.text_facts import missing_number
from tests.features.summarize.pipeline import document
from tests.helpers.harbour import GALLERY, ReportClaim, gallery_text, judged, report_blocks, report_claims

LAWSUITS = (
    "During the year the group was party to two proceedings, both begun before 2023. Both were settled in October for "
    "a total of 3.7 million, of which 2.9 million had been provided for in earlier years."
)
PENSIONS = "The gap between obligations and plan assets widened to 11.2 million as rates fell in the last quarter."
LEASE = "The tenant, Anna Lopez, may give notice three months before the end of a year. Pets are not allowed."


def block(
    number: int, text: str, page: int | None = 1, headings: tuple[str, ...] = (), document: int = 0
) -> CitedBlock:
    return CitedBlock(document, Block(number, BlockKind.PARAGRAPH, text, page, headings))


def checked(statement: str, *texts: str, quote: str = "") -> Check:
    return verify_statement(statement, [block(number, text) for number, text in enumerate(texts, 1)], quote).check


def test_a_statement_is_anchored_at_the_sentence_that_bears_it_out() -> None:
    verdict = verify_statement("The lawsuits were settled for a total of 3.7 million.", [block(27, LAWSUITS, 27)])
    (anchor,) = verdict.anchors
    assert verdict.check == Check()
    assert (anchor.document, anchor.block_id, anchor.page) == (0, 27, 27)
    assert anchor.text == LAWSUITS[anchor.start : anchor.end]
    assert anchor.text.startswith("Both were settled in October for a total of 3.7 million")


def test_a_statement_of_two_sentences_is_found_beside_the_block_that_it_cites() -> None:
    """As a small model copies them, with the number of the block before."""
    statement = " ".join((LAWSUITS, PENSIONS)).split(". ")[1] + ". " + PENSIONS
    cited, beside = block(26, LEASE, 26), block(27, f"{LAWSUITS} {PENSIONS}", 27)
    verdict = verify_statement(statement, [cited], nearby=[cited, beside])
    assert verdict.check == Check()
    first = verdict.anchors[0]
    assert (first.block_id, first.text) == (27, statement)
    wrong = verify_statement(statement.replace("3.7", "3.1"), [cited], nearby=[cited, beside]).check
    assert (wrong.found, wrong.said) == (False, "3.1 million")


def test_a_number_that_is_not_there_is_told_with_the_one_in_its_place() -> None:
    check = checked("Two lawsuits were settled for 3.1 million.", LAWSUITS)
    assert (check.found, check.reason, check.said, check.page_says) == (
        False,
        CheckReason.NUMBER,
        "3.1 million",
        "3.7 million",
    )
    assert check.differs


def test_a_number_without_any_comparable_one_is_only_not_found() -> None:
    check = checked("The tenant Anna Lopez may give notice and pays 450 euros for pets.", LEASE)
    assert (check.reason, check.said, check.page_says, check.differs) == (CheckReason.NUMBER, "450 euros", "", False)


def test_a_name_that_is_not_there_is_told_with_the_one_in_its_place() -> None:
    check = checked("The tenant Maria Lopez may give notice three months before the end of a year.", LEASE)
    assert (check.reason, check.said, check.page_says) == (CheckReason.NAME, "Maria Lopez", "Anna Lopez")


def test_a_name_in_a_heading_or_in_a_block_nearby_is_no_alarm() -> None:
    text = "He may give notice three months before the end of a year."
    cited = block(5, text, headings=("Lease of Peter Miller",))
    assert verify_statement("Peter Miller may give notice three months before the end of a year.", [cited]).check.found
    nearby = [block(4, "The flat was let to Peter Miller in May.")]
    assert verify_statement(
        "Peter Miller may give notice three months before the end of a year.", [block(5, text)]
    ).check == (Check(False, CheckReason.NAME, "Peter Miller", ""))
    assert verify_statement(
        "Peter Miller may give notice three months before it ends.", [block(5, text)], "", nearby
    ).check.found


def test_a_not_that_only_one_of_both_has_is_told_where_the_statement_repeats_the_sentence() -> None:
    check = checked(
        "The loan may be repaid by the town before 2030.", "The loan may not be repaid by the town before 2030."
    )
    assert (check.found, check.reason, check.page_says) == (False, CheckReason.SUPPORT, "loan may not be repaid")
    assert (
        checked(
            "The loan may not be repaid by the town before 2030.", "The loan may be repaid by the town before 2030."
        ).said
        == "not"
    )
    assert checked("Pets are not only allowed but welcome here.", "Pets are allowed and even welcome here.").found


@pytest.mark.parametrize(
    ("statement", "text", "said", "page_says"),
    [
        (
            "It was passed with a wide majority.",
            "It was in May that the bill was passed with a narrow majority.",
            "wide",
            "narrow",
        ),
        ("Die Miete sank im Herbst um ein Drittel.", "Die Miete stieg im Herbst um ein Drittel.", "sank", "stieg"),
        (
            "Der Rat tagt jeden zweiten mittwoch im Saal.",
            "Der Rat tagt jeden zweiten Dienstag im Saal und nicht am Hafen.",
            "mittwoch",
            "",
        ),
    ],
)
def test_an_opposite_or_another_day_in_the_same_words_is_told(
    statement: str, text: str, said: str, page_says: str
) -> None:
    check = checked(statement, text)
    assert (check.found, check.reason, check.said, check.page_says) == (False, CheckReason.SUPPORT, said, page_says)


def test_a_name_from_another_sentence_is_told_where_the_statement_repeats_this_one() -> None:
    text = "Ingrid Solheim has led the harbour since May 2021. Her deputy Tomas Ferreira came from Aveiro."
    check = checked("Tomas Ferreira has led the harbour since May 2021.", text)
    assert (check.reason, check.said, check.page_says) == (CheckReason.NAME, "Tomas Ferreira", "Ingrid Solheim")


def test_a_number_from_another_sentence_is_told_where_the_statement_repeats_this_one() -> None:
    text = "The ferry to Sandholm sailed 1,096 times that year. The ferry to Grey Point sailed 388 times that year."
    check = checked("The ferry to Sandholm sailed 388 times that year.", text)
    assert (check.reason, check.said, check.page_says) == (CheckReason.NUMBER, "388", "1,096")


def test_a_statement_about_something_else_is_not_supported() -> None:
    check = checked("Solar panels were installed on the roof of the new building.", LAWSUITS)
    assert (check.found, check.reason, check.differs) == (False, CheckReason.SUPPORT, False)


HARBOUR = (
    "Goods rose to 3.4 million tonnes in 2024, after 3.2 million tonnes in 2023. See harbour.example (§ 4.b) for μ."
)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("Goods rose after 3.2 million tonnes in 2023.销售收入 rose to 3.4 million tonnes.", "2023.销售收入"),
        ("Goods rose to 3.4 million tonnes in 2024, after 3.2 million tonnes 销售.", "销售"),
        ("Goods rose to 3.4 million tonnes in 2024.يفة", "2024.يفة"),
        ("Goods rose to 3.4 million tonnes in 2024._the tonnes were 3.2 million.", "2024._the"),
        ("Goods rose to 3.4 million tonnes.inoa in 2024.", "tonnes.inoa"),
        ("Goods rose to 3.4 million tonnes.The tonnes were 3.2 million.", "tonnes.The"),
        ("Goods rose to 3.4 million tonnes in 2024. Goods rose to 3.4 million tonnes in 2024.", ""),
    ],
)
def test_what_a_grammar_or_a_weak_model_garbled_is_not_found(statement: str, said: str) -> None:
    check = checked(statement, HARBOUR)
    assert (check.found, check.reason, check.said) == (False, CheckReason.GARBLED, said)


@pytest.mark.parametrize(
    "statement",
    [
        "Goods rose to 3.4 million tonnes in 2024; see harbour.example.",
        "Goods rose (§ 4.b), i.e. to 3.4 million tonnes, in 2024.",
        "Goods, in μ or δ, rose to 3.4 million tonnes in 2024…",
        "Goods rose to 3.4 million tonnes. Goods rose after 3.2 million tonnes.",
    ],
)
def test_what_only_looks_garbled_is_found(statement: str) -> None:
    assert checked(statement, HARBOUR).found


def test_a_summary_in_other_letters_than_its_text_is_not_garbled() -> None:
    verdict = verify_statement("В 2024 году порт принял 3,4 млн тонн грузов.", [block(1, HARBOUR)])
    assert verdict.check.reason is CheckReason.LANGUAGE


def test_a_statement_moves_to_the_nearby_block_that_carries_it() -> None:
    statement = "The gap between obligations and plan assets widened to 11.2 million."
    verdict = verify_statement(statement, [block(1, LAWSUITS)], "", [block(2, PENSIONS, 28), block(3, LEASE)])
    assert verdict.check.found
    assert (verdict.anchors[0].block_id, verdict.anchors[0].page) == (2, 28)


def test_a_statement_that_cites_nothing_is_looked_for_nearby() -> None:
    found = verify_statement(
        "Both were settled in October for 3.7 million.", [], "", [block(1, LEASE), block(2, LAWSUITS)]
    )
    assert found.check.found and [anchor.block_id for anchor in found.anchors] == [2]
    lost = verify_statement("Solar panels were installed on the roof.", [], "", [block(1, LEASE)])
    assert (lost.check.found, lost.check.reason, lost.anchors) == (False, CheckReason.SUPPORT, ())
    assert verify_statement("Solar panels were installed.", []).check.reason is CheckReason.SUPPORT


def test_a_wrong_citation_does_not_make_a_wrong_number_right() -> None:
    verdict = verify_statement(
        "Two lawsuits were settled for 11.2 million.", [block(1, LAWSUITS)], "", [block(2, PENSIONS)]
    )
    assert (verdict.check.found, verdict.check.page_says) == (False, "3.7 million")


@pytest.mark.parametrize(
    ("quote", "found", "reason"),
    [
        ("settled in October for a total of 3.7 million", True, None),
        ("“settled  in October for a total of 3.7 million”", True, None),
        ("setled in October for a totall of 3.7 million", True, CheckReason.CLOSE_MATCH),
        ("settled in October for a total of 3.1 million", False, CheckReason.QUOTE_NOT_FOUND),
        ("the claimants withdrew everything they had said", False, CheckReason.QUOTE_NOT_FOUND),
    ],
)
def test_a_quotation_is_there_nearly_there_or_not(quote: str, found: bool, reason: CheckReason | None) -> None:
    check = checked("Both proceedings were settled in October.", LAWSUITS, quote=quote)
    assert (check.found, check.reason) == (found, reason)


def test_a_quotation_in_a_nearby_block_moves_the_statement_there() -> None:
    quote = "plan assets widened to 11.2 million"
    verdict = verify_statement("Rates fell in the last quarter.", [block(1, LAWSUITS)], quote, [block(2, PENSIONS)])
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
    verdict = verify_statement("Pets are not allowed in the flat.", [block(n, text) for n, text in enumerate(texts, 1)])
    assert len(verdict.anchors) == 3
    assert verdict.anchors[0].block_id == 2


def test_blocks_with_the_same_number_in_two_documents_are_told_apart() -> None:
    verdict = verify_statement(
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
    assert checked("В 1999 году гавань построила Анна.", text).reason is CheckReason.NUMBER


GERMAN = "Die Entwicklung von Debian ist für jeden zugänglich, und es gibt mehrere Organisationen in Europa."
JAPANESE = "ミラー作業はほとんどがスクリプトにより完全自動化で行われ、操作は不要です。"


@pytest.mark.parametrize(
    ("statement", "text", "told"),
    [
        ("Die Entwicklung von Debian ist für jeden zugänglich.", GERMAN, None),
        ("Debians Entwicklung ist jedem zugänglich.", GERMAN, None),
        ("Für jeden zugänglicher ist die Entwicklung von Debian.", GERMAN, None),
        ("Die Entwicklung von Debian ist für jeden debenommen zugänglich.", GERMAN, (CheckReason.NAME, "debenommen")),
        ("ミラー作業はほとんど完全自動化で行われます。", JAPANESE, None),
        ("ミラー作業のメンバーを使用する方法はスクリプトです。", JAPANESE, (CheckReason.SUPPORT, "")),
        ("Debian has 3 organisations in Europe for you and me.", f"{GERMAN} Es sind 3.", (CheckReason.LANGUAGE, "")),
    ],
)
def test_what_is_garbled_is_not_told_as_found_where_the_model_does_not_know_the_language(
    statement: str, text: str, told: tuple[CheckReason, str] | None
) -> None:
    assert checked(statement, text).found, "otherwise words of its own are a model's right"
    check = verify_statement(statement, [block(1, text)], closely=True).check
    assert (None if check.found else (check.reason, check.said)) == told


def test_a_summary_in_another_language_is_judged_by_its_numbers_and_codes() -> None:
    text = "The harbour handled 3.7 million tonnes of goods in the year 2024, and it was the best year of all."
    right = "Der Hafen schlug im Jahr 2024 rund 3,7 Millionen Tonnen um, und das war die größte Menge von allen."
    assert checked(right, text).found
    wrong = checked(right.replace("3,7", "3,9"), text)
    assert (wrong.reason, wrong.said, wrong.page_says) == (CheckReason.NUMBER, "3,9 Millionen Tonnen", "")


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
    assert check.reason is CheckReason.NUMBER
    assert check.page_says


@pytest.mark.parametrize("statement", ["", "  ", "Yes.", "…", "[12]", "。", "\x00", "🙂"])
def test_statements_of_nothing_do_no_harm(statement: str) -> None:
    assert verify_statement(statement, [block(1, LAWSUITS), block(2, "")], statement, [block(3, "…")]).anchors


LONG = 100_000
"""Letters; what took the square of them would take hours."""

UNITS = ("7", "a", "1,", "1 234 567 ", "Ab ", "1:", "five ", "a-", " ", "五")
"""How long they take is said by `make bench`."""


@pytest.mark.parametrize("unit", [*UNITS[:3], *(pytest.param(unit, marks=pytest.mark.slow) for unit in UNITS[3:])])
def test_a_block_of_very_many_letters_of_one_kind_is_compared(unit: str) -> None:
    text = unit * (LONG // len(unit))
    verify_statement("Anna Lopez paid 3.7 million euros on 3 March 2024.", [block(1, text)], "paid 3.7 million euros")


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
    verdict = verify_statement(copied, [block(1, " ".join(written))], copied)
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
    verdict = verify_statement(changed, [block(1, text)])
    assert not verdict.check.found


TEXT = (
    "The ﬁrst  “state-of-\nthe-art” model — so it said — reached 96.6 %  in\u00a02020, and the Ca\u00adfe\u0301 closed."
)


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ('the first "state-of-the-art" model', "The ﬁrst  “state-of-\nthe-art” model"),
        ("model - so it said - reached", "model — so it said — reached"),
        ("reached 96.6% in 2020", "reached 96.6 %  in\u00a02020"),
        ("and the café closed", "and the Ca\u00adfe\u0301 closed"),
        ("“reached 96.6 % in 2020…”", "reached 96.6 %  in\u00a02020"),
    ],
)
def test_a_quotation_is_found_letter_by_letter(quote: str, there: str) -> None:
    found = find_quote(quote, TEXT)
    assert found is not None and found.is_exact
    assert TEXT[found.start : found.end] == there


def test_a_quotation_with_a_slip_is_a_near_match() -> None:
    text = "It says: the first state-of-the-art model, so it said."
    found = find_quote("the first state-of-the-art modell so it said", text)
    assert found is not None and not found.is_exact
    assert text[found.start : found.end].startswith("the first")


@pytest.mark.parametrize("quote", ["reached 96.7 % in 2020", "reached 96.6 % in 2021", "nothing of the kind", "", "…"])
def test_other_words_or_other_digits_are_not_found(quote: str) -> None:
    assert find_quote(quote, TEXT) is None


def test_digits_cut_in_two_are_no_match() -> None:
    assert find_quote("the total of the year was 412 in euros", "and the total of the year was 4123 in euros") is None


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("It cost 3.7 million.", "It cost 3,700,000."),
        ("It cost 3,700,000.", "It cost 3.7 million."),
        ("It cost $3.7m.", "The price was 3.7 million dollars."),
        ("It cost 3,7 Mio. €.", "Der Preis betrug 3.700.000 Euro."),
        ("It cost 1,250.50 euros.", "Es kostete 1.250,50 €."),
        ("It cost 12 million of euros.", "It cost €12 million."),
        ("It has 1284 seats.", "It has 1 284 seats."),
        ("It has 7,500 seats.", "It has 7.500 Plätze."),
        ("It has 1,23,456 seats.", "It has 123456 seats."),
        ("It has 110M parameters.", "It has 110 million parameters."),
        ("It rose by 8%.", "It rose by 8 per cent."),
        ("It rose by 8 percent.", "Es stieg um 8 Prozent."),
        ("It rose by .5 points.", "It rose by 0.50 points."),
        ("It is 2 km long.", "It is 2,000 metres long."),
        ("It is 2 kilometres long.", "It is 2 km long."),
        ("It took two weeks.", "It took 14 days."),
        ("It takes 90 minutes.", "It takes 1.5 hours."),
        ("A notice of 60 days is due.", "A 60-day notice is due."),
        ("A year is given.", "1 year is given."),
        ("3 parties signed.", "Three parties signed."),
        ("Three parties signed.", "3 parties signed."),
        ("25 people came.", "Twenty-five people came."),
        ("21 Tage bleiben.", "Einundzwanzig Tage bleiben."),
        ("It lost 3,000,000 dollars.", "It lost three million dollars."),
        ("Between 5 and 10 km were built.", "5-10 km were built."),
        ("The 4th attempt worked.", "The fourth attempt worked."),
        ("It opens at 2:30 pm.", "It opens at 14:30."),
        ("It holds 16 GB.", "It holds 16 gb of memory."),
        ("About 3.7 million came.", "3,712,455 people came."),
        ("Nearly 3.8 million came.", "3,712,455 people came."),
        ("Mehr als 3,7 Millionen kamen.", "3.712.455 Menschen kamen."),
        ("Revenue was 412 million.", "Group revenue (in millions)\t2024\nServices\t412"),
        ("The share was 31 %.", "Share (%)\t31\t29"),
        ("(1) The rent rises. (2) Pets stay out.", "The rent rises. Pets stay out."),
        ("1. The rent rises.", "The rent rises."),
        ("It happened in 1990.", "It happened in the 1990s."),
        ("It is version 1.2.3.", "Version 1.2.3 is out."),
        ("The number is 12345678901234567890123456789012345.", "No. 12345678901234567890123456789012345 it is."),
    ],
)
def test_a_number_is_found_in_another_spelling(statement: str, text: str) -> None:
    assert missing_number(statement, [text]) is None


@pytest.mark.parametrize(
    ("statement", "text", "said", "page_says"),
    [
        ("It cost 3.7 billion.", "It cost 3.7 million.", "3.7 billion", "3.7 million"),
        ("It is 11.5 km deep.", "It is 11.5 metres deep.", "11.5 km", "11.5 metres"),
        ("It took 2.4 days on average.", "It took 2.4 hours on average.", "2.4 days", "2.4 hours"),
        ("It cost 410 dollars.", "It cost 410 euros.", "410 dollars", "410 euros"),
        ("It gained 5 % of the votes.", "It gained 5 percentage points.", "5 %", "5 percentage points"),
        ("It took 14 % of the vote.", "It took 14 parties to agree.", "14 %", "14"),
        ("Four parties signed it.", "Three parties signed it.", "Four", "Three"),
        ("The rent rises by 9 percent.", "The rent rises by 8 percent.", "9 percent", "8 percent"),
        ("About 3.8 million came in all.", "3,712,455 people came in all.", "3.8 million", ""),
        ("Of 3.71 million many came.", "3,712,455 people came.", "3.71 million", ""),
        ("More than 3.8 million came.", "3,712,455 people came.", "3.8 million", ""),
        ("It is version 1.2.4 now.", "It is version 1.2.3 now.", "1.2.4", "1.2.3"),
        ("It opens at 3 pm.", "It opens at 14:30.", "3 pm", "14:30"),
        ("It happened in 2025.", "It happened on 3 March 2024.", "2025", ""),
        ("A score of 2 is given.", "A score is given if two aspects match.", "2", ""),
        ("The range is [-8, 1].", "The range is [-1, 1].", "8", ""),
    ],
)
def test_a_changed_number_or_unit_is_seen(statement: str, text: str, said: str, page_says: str) -> None:
    assert missing_number(statement, [text]) == (said, page_says)


@pytest.mark.parametrize("statement", ["Five reasons are given.", "One thing matters.", "The first of them failed."])
def test_a_small_number_in_letters_is_no_alarm_where_nothing_is_counted(statement: str) -> None:
    assert missing_number(statement, ["Reasons are given: price, weight, colour, noise and smell. It matters."]) is None


DATES = [
    "3 March 2024", "March 3, 2024", "March 3rd, 2024", "3rd of March 2024", "2024-03-03", "03.03.2024", "3.3.24",
    "03/03/2024", "3. März 2024", "3 mars 2024", "3 de marzo de 2024", "3 marzo 2024", "3 de março de 2024",
    "3 maart 2024", "3 марта 2024", "2024年3月3日", "2024년 3월 3일", "3–5 March 2024",
]  # fmt: skip


@pytest.mark.parametrize("said", [*DATES[:-1], "March 2024", "3 March"])
def test_a_date_is_found_in_every_spelling(said: str) -> None:
    for there in DATES:
        text = f"The contract was signed on {there} in Bern."
        assert missing_number(f"It was signed on {said}.", [text]) is None, there


@pytest.mark.parametrize("said", ["4 March 2024", "2023-03-03", "03.04.2024", "April 2024", "April 3rd"])
def test_another_day_month_or_year_is_seen_in_every_spelling(said: str) -> None:
    for there in DATES[:-1]:
        text = f"The contract was signed on {there} in Bern."
        missing = missing_number(f"The contract was signed on {said}.", [text])
        assert missing is not None, there
        assert (missing.said, missing.page_says) == (said, there)


def test_the_year_of_a_date_may_stand_elsewhere() -> None:
    assert missing_number("It was signed on 3 March 2024.", ["Report for 2024", "It was signed on 3 March."]) is None
    assert missing_number("It was signed on 3 March 2023.", ["Report for 2024", "It was signed on 3 March."])


DIFFERS = Check(False, CheckReason.NUMBER, "3.1 million", "3.7 million")
MISSING = Check(False, CheckReason.SUPPORT)


@pytest.mark.parametrize(
    ("check", "pages", "words"),
    [
        (Check(), "p. 12", "Found on p. 12."),
        (Check(), "", "Found in the text."),
        (DIFFERS, "p. 12", "This says “3.1 million”, the page says “3.7 million”."),
        (DIFFERS, "slide 3", "This says “3.1 million”, the slide says “3.7 million”."),
        (DIFFERS, "source 2", "This says “3.1 million”, the text says “3.7 million”."),
        (Check(False, CheckReason.NUMBER, "3.1 million"), "p. 12", "“3.1 million” wasn’t found on p. 12."),
        (Check(False, CheckReason.NAME, "Anna"), "chapter 4", "“Anna” wasn’t found in chapter 4."),
        (Check(False, CheckReason.GARBLED, "2023.销售"), "p. 2", "“2023.销售” wasn’t found on p. 2."),
        (Check(False, CheckReason.GARBLED), "p. 2", "It says the same thing twice."),
        (MISSING, "pp. 3, 4", "Not found on pp. 3, 4."),
        (Check(False, CheckReason.SUPPORT, "", "may not be renewed"), "p. 2", "The page says “may not be renewed”."),
        (Check(False, CheckReason.QUOTE_NOT_FOUND, "so"), "p. 2", "The quoted text wasn’t found on p. 2."),
        (
            Check(True, CheckReason.CLOSE_MATCH, "so", "So"),
            "p. 2",
            "Found on p. 2, with slightly different letters.",
        ),
        (
            Check(False, CheckReason.LANGUAGE),
            "p. 2",
            "It’s in a different language than the page and couldn’t be compared with it.",
        ),
        (Check(False, CheckReason.NAME, "Anna", "Maria B."), "p. 1", "This says “Anna”, the page says “Maria B”."),
    ],
)
def test_a_check_is_told_in_one_sentence(check: Check, pages: str, words: str) -> None:
    unit = pages.partition(" ")[0]
    assert check_words(check, pages, {"p.": "page", "pp.": "page"}.get(unit, unit)) == words


def statements(*checks: Check, page: int | None = 1) -> list[Statement]:
    return [Statement("A.", (ClaimAnchor(0, 1, page),), check) for check in checks]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (statements(*[Check()] * 5, DIFFERS), ("6 statements: 5 found on their page", "1 differs")),
        (statements(*[Check()] * 6), ("6 statements: all found on their page", "")),
        (statements(DIFFERS, DIFFERS, MISSING), ("3 statements: none found on their page", "2 differ, 1 not found")),
        (statements(Check()), ("1 statement: found on its page", "")),
        (
            statements(Check(), Check(False, CheckReason.LANGUAGE), MISSING),
            ("3 statements: 1 found on their page", "1 not found, 1 couldn’t be compared"),
        ),
        (statements(MISSING), ("1 statement: none found on its page", "1 not found")),
        (statements(Check(), MISSING, page=None), ("2 statements: 1 found in the text", "1 not found")),
        ([], ("No statements", "")),
    ],
)
def test_statements_are_counted_by_how_they_came_out(given: list[Statement], words: tuple[str, str]) -> None:
    assert statements_words(given) == words


def test_nothing_is_ever_called_verified() -> None:
    said = [check_words(Check(found, reason, "a", says), "p. 1")
            for found in (True, False) for reason in (None, *CheckReason) for says in ("", "b")]  # fmt: skip
    assert all(said) and not any("verif" in one.casefold() or "!" in one for one in said)


GIVEN = document("The school at Quay 7 trained 18 apprentices.")
SECTION = replace(whole_section(0, GIVEN.blocks), number=1, of=2)
LAST_LINES = [
    messages[-1].text.splitlines()[-1]
    for most in (1, 8)
    for messages in (
        summary_prompts.map_messages(GIVEN, SECTION, "en", most, is_small=True),
        summary_prompts.merge_messages("[1] It is old.", "", "en", most, is_small=True),
        summary_prompts.write_messages(
            Form.BULLETS, [("a", "[1] Old.")], "", "en", most=most, are_points=True, is_small=True
        ),
    )
]


@pytest.mark.parametrize("line", LAST_LINES)
def test_what_was_asked_is_no_part_of_the_answer(line: str) -> None:
    assert line.startswith("The ")
    answer = f"[7] {line} The school trained 18 apprentices.\n[8] {line}1.\n[9] {line}\n[6] {line} 2019-07-31 x.\n"
    assert [(one.text, one.ids) for one in read_points(answer, range(10))] == [
        ("The school trained 18 apprentices.", (7,))
    ]
    assert [text for one in answer.splitlines() for text, _ in cited_runs(one)] == [
        "The school trained 18 apprentices."
    ]


def test_a_text_that_speaks_of_sentences_keeps_its_words() -> None:
    text = "The most important sentence was never written down."
    assert [one.text for one in read_points(f"[1] {text}\n", [1])] == [text]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "The lender may end the loan after a missed payment of thirty days.",
            "The tenant may end the loan after a missed payment of thirty days.",
        ),
        ("Revenue of Alpha rose by 5 % in 2024.", "Revenue of Beta rose by 5 % in 2024."),
        ("Alice voted for the plan to build the quay.", "Bob voted for the plan to build the quay."),
        ("Kiln 1 was built in 1801 and repaired in 1901.", "Boat 1 was built in 1801 and repaired in 1901."),
        (
            "The ferry to Sandholm was stopped by ice in January.",
            "The ferry to Grey Point was stopped by ice in January.",
        ),
        (
            "Der Mieter trägt alle Kosten der Reparatur im Haus.",
            "Der Vermieter trägt alle Kosten der Reparatur im Haus.",
        ),
    ],
)
def test_another_name_or_thing_is_another_point(one: str, other: str) -> None:
    assert without_repeats([one, other], str) == [one, other]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The town has sold the old kiln.", "The town had sold the old kiln."),
        ("The kiln was repaired by the town of Lindvik.", "The kiln was repaired by the town of Lindvik again."),
        ("The council decides about the quays of Lindvik.", "The council decided about the quays of Lindvik."),
        ("Repairing the roof cost the town a lot.", "The repairing of the roof cost the town a lot."),
    ],
)
def test_the_same_in_another_form_is_one(one: str, other: str) -> None:
    assert without_repeats([one, other], str) == [max(one, other, key=len)]


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    return report_blocks()


@pytest.mark.parametrize("claim", report_claims("right"), ids=lambda one: one.text[:40])
def test_a_right_claim_in_other_words_is_found_and_opens_a_cited_block(claim: ReportClaim, blocks: list[Block]) -> None:
    verdict = judged(claim, blocks)
    assert verdict.check.found, verdict.check
    texts = {block.id: block.text for block in blocks}
    assert verdict.anchors[0].block_id in claim.cites
    assert all(texts[one.block_id][one.start : one.end] == one.text for one in verdict.anchors)


def test_changed_numbers_units_dates_and_names_are_all_seen(blocks: list[Block]) -> None:
    kinds = {"number", "unit", "date", "name swapped"}
    wrong = [claim for claim in report_claims("wrong") if claim.kind in kinds]
    assert len(wrong) > 12
    assert [claim.text for claim in wrong if judged(claim, blocks).check.found] == []


def test_the_gallery_of_wrong_claims_that_pass_is_as_the_checks_are(blocks: list[Block]) -> None:
    assert GALLERY.read_text("utf-8") == gallery_text(blocks), "run: python -m tests.helpers.harbour"
