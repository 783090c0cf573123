"""How answers are scored that a grammar held and that none held."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def benchmark_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def test_a_list_counts_each_thing_once_and_its_place() -> None:
    from grammars import Side, score_list
    from quality_texts import ListWanted

    wanted = ListWanted("en", ("Ada and Ben.", "Cleo."), "all people", (("Ada", 1), ("Ben", 1), ("Cleo", 2)))
    side = Side()
    score_list(side, [("Ada", (1,)), ("Ada", (1,)), ("Cleo", (1,)), ("Dora", ())], wanted)
    assert side.counts == {"lines": 4, "right": 2, "found": 2, "wanted": 3, "in_place": 1}
    assert side.mean_score == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3), abs=1e-3)
    score_list(side, [("Ada and Ben", (1,)), ("Cleo", (2,))], wanted)
    assert side.scores[-1] == 1.0
    nothing = ListWanted("en", ("Nobody.",), "all people", ())
    for said, score in (([], 1.0), ([("Ada", ())], 0.0)):
        score_list(side, said, nothing)
        assert side.scores[-1] == score


def test_every_thing_of_the_lists_stands_in_its_paragraph() -> None:
    from quality_texts import LISTS

    for wanted in LISTS:
        for thing, number in wanted.things:
            assert thing.casefold() in wanted.paragraphs[number - 1].casefold(), thing
    assert sum(len(wanted.things) for wanted in LISTS) > 50


@pytest.mark.parametrize(
    ("answer", "things"),
    [
        ('```json\n{\n "things": [{"text": "Ada", "paragraph": 1}]\n}\n```', [("Ada", (1,))]),
        ('{"things":[]}', []),
        ('Ada: {"things": ["Ada"]}', None),
        ('{"things": [{"text": "Ada", "paragraph": 1}', None),
        ("Ada", None),
    ],
)
def test_things_are_read_from_the_json_of_an_answer(answer: str, things: object) -> None:
    from grammars import things_of

    assert things_of(answer) == things


def test_of_each_form_only_its_statements_count() -> None:
    from grammars import Side, _document, _score_lines

    from app.features.summarize.summary_result import Form

    document = _document("kiln", "en", ["The kiln was built in 1871.", "It burns beech wood."])
    answer = "Q: When was the kiln built?\nThe kiln was built in 1871. [1]\n\nQ: What burns?\nIt burns 40 tonnes. [2]"
    side = Side()
    _score_lines(side, answer, document, Form.QUESTIONS)
    assert side.counts == {"said": 2, "found": 1, "with_numbers": 2}
