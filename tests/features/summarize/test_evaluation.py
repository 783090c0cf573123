"""Figures for summaries: what a data file may look like, what is counted, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rouge_score.rouge_scorer import RougeScorer

from app.core.errors.document_errors import DocumentUnreadable
from app.features.summarize.evaluate_summaries import (
    NOT_JSON,
    Evaluation,
    EvaluationExample,
    RougeScores,
    SkippedLine,
    examples_in,
    input_of,
    lead_of,
    numbers_of,
    score_summary,
    sentences_of,
    without_abstract,
)
from app.features.summarize.summary_result import (
    Check,
    CheckReason,
    ClaimAnchor,
    Coverage,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
)

BODY = (
    (True, "The lease"),
    (False, "The rent is 1,200 euros. It is paid on the first of each month. Heating is extra."),
    (False, "Notice is given 3 months before. The deposit is 2.4 times the rent."),
)
EXAMPLE = EvaluationExample(1, "lease", "Lease", BODY, "The rent is 1200 euros.\nNotice takes three months.")


def written(tmp_path: Path, *lines: object) -> Path:
    """A data file of these lines; what is no text is written as JSON."""
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines), "utf-8")
    return path


def test_documents_and_summaries_are_texts_or_lists(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"document": "One.\n\nTwo\nlines.", "summary": "S.", "title": "T", "id": "a", "language": "en"},
        "",
        {"document": ["One.", " ", "Two."], "summary": ["A.", "B."]},
    )
    assert list(examples_in(path)) == [
        EvaluationExample(1, "a", "T", ((False, "One."), (False, "Two\nlines.")), "S.", "en"),
        EvaluationExample(3, "line 3", "", ((False, "One."), (False, "Two.")), "A.\nB."),
    ]


def test_lines_of_aclsum_are_understood(tmp_path: Path) -> None:
    line = {
        "id": "E09-1056",
        "summary": {"challenge": "C .", "approach": "A .", "outcome": "O ."},
        "sentences": {"abstract": ["One ( et al . , 2007 ) .", "Two ."], "conclusion": ["Three .", "Four ."]},
    }
    (example,) = examples_in(written(tmp_path, line))
    assert isinstance(example, EvaluationExample)
    assert example.paragraphs == (
        (True, "Abstract"), (False, "One ( et al . , 2007 ) . Two ."), (True, "Conclusion"), (False, "Three . Four ."),
    )  # fmt: skip
    assert example.summary == "C .\nA .\nO ."
    assert lead_of(example) == ["One ( et al . , 2007 ) .", "Two .", "Three ."]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        {"document": "One."},
        {"summary": "S."},
        {"document": "", "summary": "S."},
        {"document": [1, 2], "summary": "S."},
        {"document": {"a": 1}, "summary": "S."},
        {"document": "One.", "summary": 3},
        {"sentences": {"abstract": "not a list of"}, "summary": []},
        "[" * 100_000,
    ],
    ids=lambda line: str(line)[:30],
)
def test_a_line_that_is_no_example_is_left_out_and_the_rest_is_read(tmp_path: Path, line: object) -> None:
    good = {"document": "One.", "summary": "S."}
    first, second, third = examples_in(written(tmp_path, good, line, good))
    assert isinstance(first, EvaluationExample)
    assert isinstance(second, SkippedLine)
    assert second.line == 2
    assert isinstance(third, EvaluationExample)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.jsonl", "missing"), (tmp_path, "not_a_file")):
        with pytest.raises(DocumentUnreadable) as caught:
            list(examples_in(path))
        assert caught.value.reason == reason


def test_the_pipeline_gets_every_paragraph_under_its_heading() -> None:
    document = input_of(EXAMPLE)
    assert [block.text for block in document.blocks] == [text for _, text in BODY]
    assert [block.heading_path for block in document.blocks] == [(), ("The lease",), ("The lease",)]
    assert (document.name, document.title, document.pages) == ("lease", "Lease", 0)


def test_the_lead_are_the_first_three_sentences_without_headings() -> None:
    assert lead_of(EXAMPLE) == [
        "The rent is 1,200 euros.", "It is paid on the first of each month.", "Heating is extra."
    ]  # fmt: skip
    assert sentences_of("Dr. Miller owns 3.5 acres. No. 4 is\nhis. Why?") == [
        "Dr. Miller owns 3.5 acres.", "No. 4 is", "his.", "Why?"
    ]  # fmt: skip


@pytest.mark.parametrize("heading", ["Abstract", "Executive summary", "1 Zusammenfassung", "摘要"])
def test_what_is_named_like_an_abstract_is_left_out_up_to_the_next_heading(heading: str) -> None:
    own = ("Kilns are hot .", "Clay was burnt .")
    body = (
        (False, "By a potter."), (True, heading), (False, "Kilns are hot ."), (False, "So is fire."),
        (True, "Introduction"), (False, "Clay was burnt ."),
    )  # fmt: skip
    left = without_abstract(EvaluationExample(1, "a", "Kilns", body, "S.", "", own))
    assert left is not None
    assert left.paragraphs == ((False, "By a potter."), (True, "Introduction"), (False, "Clay was burnt ."))
    assert (left.sentences, left.summary, left.title) == (("Clay was burnt .",), "S.", "Kilns")
    assert lead_of(left) == ["Clay was burnt ."]


def test_without_an_abstract_or_anything_else_there_is_nothing_to_leave_out() -> None:
    assert without_abstract(EXAMPLE) is None
    assert (
        without_abstract(EvaluationExample(1, "a", "", ((True, "Abstract"), (False, "All."), (True, "End")), "S."))
        is None
    )


def test_numbers_are_compared_by_their_digits() -> None:
    assert numbers_of("1,200 euros, 1 200, 1.200,50 and 3rd in 2024.") == ["1200", "1", "200", "120050", "3", "2024"]
    assert numbers_of("1\u202f200 or 1’200") == ["1200", "1200"]


def test_rouge_is_the_librarys_own_with_sentences_divided() -> None:
    rouge = RougeScores()
    mine = rouge.score_text("The cats sat. They ran away.", ["They ran away.", "The cat sat."])
    theirs = RougeScorer(["rouge1", "rouge2", "rougeLsum"], use_stemmer=True)
    divided = theirs.score("The cats sat.\nThey ran away.", "They ran away.\nThe cat sat.")
    assert mine == {name: pytest.approx(value.fmeasure) for name, value in divided.items()}
    assert mine["rougeLsum"] == pytest.approx(1)  # in another order, which only the division forgives
    assert theirs.score("The cats sat. They ran away.", "They ran away. The cat sat.")["rougeLsum"].fmeasure < 1


def summary_of(*statements: Statement, blocks_read: int = 3) -> Summary:
    document = SummarizedDocument(0, "lease", "Lease", "", Coverage(3, blocks_read, 0, 0))
    return Summary("Lease", (document,), statements, SummaryOptions(), "en", "m.gguf", 1, 1)


def test_claims_numbers_coverage_and_words_are_counted() -> None:
    right = Statement("The rent is 1200 euros.", (ClaimAnchor(0, 2, None),))
    wrong = Statement(
        "Notice takes 4 months and the deposit is 2.4.",
        (ClaimAnchor(0, 3, None),),
        Check(False, CheckReason.NUMBER, "4"),
    )
    elsewhere = Statement("Notice takes 3 months.", (ClaimAnchor(0, 2, None),))  # right, but not in the block it cites
    blocks = input_of(EXAMPLE).blocks
    scored = score_summary(EXAMPLE, blocks, summary_of(right, wrong, elsewhere, blocks_read=2), RougeScores(), 2.0)
    assert (scored.claims, scored.claims_found) == (3, 2)
    assert (scored.numbers, scored.numbers_right) == (4, 2)
    assert (scored.blocks, scored.blocks_read) == (3, 2)
    assert scored.words_in == sum(len(text.split()) for _, text in BODY)
    assert scored.words_out == 5 + 9 + 4
    assert scored.rouge["rouge1"] > scored.lead["rouge2"]


def test_figures_are_means_of_rouge_and_shares_of_everything_else() -> None:
    statement = Statement("The rent is 1200 euros.", (ClaimAnchor(0, 2, None),))
    blocks, rouge = input_of(EXAMPLE).blocks, RougeScores()
    one = score_summary(EXAMPLE, blocks, summary_of(statement), rouge, 2.0)
    other = score_summary(EXAMPLE, blocks, summary_of(blocks_read=0), rouge, 4.0)
    fields = Evaluation([one, other], [SkippedLine(7, NOT_JSON)]).to_fields()
    assert fields["documents"] == 2
    assert fields["rouge"]["rouge1"] == pytest.approx(one.rouge["rouge1"] / 2, abs=1e-4)
    assert fields["lead3"]["rouge1"] == pytest.approx(one.lead["rouge1"], abs=1e-4)
    assert (fields["claims"], fields["claims_found"]) == (1, 1.0)
    assert (fields["numbers"], fields["numbers_right"], fields["coverage"]) == (1, 1.0, 0.5)
    assert (fields["seconds"], fields["seconds_per_document"]) == (6.0, 3.0)
    assert fields["errors"] == [{"line": 7, "reason": NOT_JSON}]


def test_without_documents_no_share_is_invented() -> None:
    fields = Evaluation().to_fields()
    assert fields["documents"] == 0
    assert {fields[name] for name in ("claims_found", "numbers_right", "coverage", "compression")} == {None}
    assert fields["rouge"] == {"rouge1": None, "rouge2": None, "rougeLsum": None}
