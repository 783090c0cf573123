"""Who writes a summary where nobody chose: by the model, the length of the text, and what was found of earlier ones."""

from __future__ import annotations

import pytest

from app.features.summarize.method import ClaimScore, is_short, method_for, score_claims
from app.features.summarize.summary_result import (
    Check,
    CheckReason,
    ClaimAnchor,
    Form,
    Method,
    Statement,
    SummaryOptions,
)
from tests.features.summarize.pipeline import document


@pytest.mark.parametrize(
    ("weights", "asked", "of_short", "of_long"),
    [
        (1.35e8, SummaryOptions(), Method.DIGEST, Method.DIGEST),
        (5e8, SummaryOptions(), Method.DIGEST, Method.DIGEST),
        (1.5e9, SummaryOptions(), Method.MODEL, Method.DIGEST),
        (1.5e9, SummaryOptions(form=Form.PARAGRAPHS), Method.MODEL, Method.DIGEST),
        (4e9, SummaryOptions(), Method.MODEL, Method.MODEL),
        (0, SummaryOptions(), Method.MODEL, Method.MODEL),
        (1.35e8, SummaryOptions(method=Method.MODEL), Method.MODEL, Method.MODEL),
        (27e9, SummaryOptions(method=Method.DIGEST), Method.DIGEST, Method.DIGEST),
        (1.35e8, SummaryOptions(form=Form.QUESTIONS), Method.DIGEST, Method.DIGEST),
        (1.5e9, SummaryOptions(form=Form.QUESTIONS), Method.MODEL, Method.MODEL),
        (1.5e9, SummaryOptions(form=Form.OWN, instruction="Only prices"), Method.MODEL, Method.MODEL),
        (1.5e9, SummaryOptions(language="de"), Method.MODEL, Method.MODEL),
    ],
)
def test_small_models_are_asked_about_short_texts_and_where_sentences_will_not_do(
    weights: float, asked: SummaryOptions, of_short: Method, of_long: Method
) -> None:
    assert method_for(asked, weights, is_short=True) is of_short
    assert method_for(asked, weights) is of_long


@pytest.mark.parametrize(
    ("earlier", "method"),
    [
        (ClaimScore(9, 5), Method.DIGEST),
        (ClaimScore(9, 6), Method.MODEL),
        (ClaimScore(3, 0), Method.MODEL),
        (ClaimScore(9, 9, 6, 3), Method.DIGEST),
        (ClaimScore(9, 9, 6, 4), Method.MODEL),
        (ClaimScore(9, 9, 3, 0), Method.MODEL),
        (None, Method.MODEL),
    ],
    ids=["5 of 9", "6 of 9", "too few to say", "wrong numbers", "right numbers", "few numbers", "nothing known"],
)
def test_a_model_that_wrote_what_was_not_there_is_not_asked_again(earlier: ClaimScore | None, method: Method) -> None:
    for short in (True, False):
        assert method_for(SummaryOptions(), 4e9, is_short=short, earlier=earlier) is method
    assert method_for(SummaryOptions(method=Method.MODEL), 4e9, earlier=earlier) is Method.MODEL
    assert method_for(SummaryOptions(form=Form.QUESTIONS), 4e9, earlier=earlier) is Method.MODEL


@pytest.mark.parametrize(("text", "repeated"), [("The rent is 960 euros. ", 69), ("租金每月九百六十元。", 53)])
def test_a_text_is_short_up_to_about_a_page_in_any_script(text: str, repeated: int) -> None:
    assert is_short([document(text * repeated)])
    assert not is_short([document(text * repeated), document(text)])


def test_numbers_count_where_their_claim_was_found_or_their_digits_are_there_and_uncompared_claims_not_at_all() -> None:
    texts = {1: "It cost 3,700 crowns in 1954.", 2: "There were 12 kilns.", 3: "It stood for thirty-one days."}
    claims = [
        Statement("In 1954 it cost 3\u202f700 crowns.", (ClaimAnchor(0, 1, None),)),
        Statement(
            "Of 12 kilns 3 are left.",
            (ClaimAnchor(0, 1, None), ClaimAnchor(0, 2, None)),
            Check(False, CheckReason.NUMBER),
        ),
        Statement("It stood for 31 days.", (ClaimAnchor(0, 3, None),)),
        Statement("Es waren 99.", (), Check(False, CheckReason.LANGUAGE)),
    ]
    assert score_claims(claims, lambda _document, number: texts[number]) == ClaimScore(3, 2, 5, 4)
