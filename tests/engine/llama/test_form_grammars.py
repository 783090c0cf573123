"""What the program's own grammars let a model say, as llama.cpp reads them: whatever it would say without one."""

from __future__ import annotations

import pytest

from app.engine.llama.model import Model
from app.features.summarize import answer_grammars, point_answers
from app.features.summarize.summary_result import Form
from tests.helpers.following import refused_at

pytestmark = pytest.mark.model

POINT = '{"t":"A \\"kiln\\" is old.","ids":[12],"q":"is old"}'
LAID_OUT = """{
  "points": [
    {
      "t": "The kiln is old.",
      "ids": [1, 12],
      "q": "is old"
    },
    {
      "t": "It burns wood.",
      "ids": [
        2
      ],
      "q": ""
    }
  ]
}"""


@pytest.mark.parametrize(
    "answer",
    [
        f'{{"points":[{POINT}]}}',
        f'{{"points":[{POINT},{POINT}]}}',
        f'{{"points": [{POINT}, {POINT}]}}',
        '{"points":[]}',
        '{ "points": [ ] }',
        LAID_OUT,
        LAID_OUT.replace("  ", "\t"),
        f"```json\n{LAID_OUT}\n```",
        f"```\n{LAID_OUT}\n```",
        LAID_OUT.replace('"q": ""', '"q": "' + "It burns wood. " * 15 + '"'),
    ],
)
def test_points_may_be_laid_out_as_a_model_lays_out_json(starter_loaded: Model, answer: str) -> None:
    ids = [1, 2, 12]
    assert refused_at(starter_loaded, answer_grammars.json_points(ids, 3, has_quotes=True), answer) is None
    assert len(point_answers.read_points(answer, ids)) == answer.count('"t"')


@pytest.mark.parametrize(
    "answer",
    [
        f'{{"points":[{POINT},{POINT},{POINT},{POINT}]}}',
        f'{{"points":[{POINT}]}} That is all.',
        f'```json\n{{"points":[{POINT}]}}',
        '{"points":[' + POINT.replace("12", "13") + "]}",
        '{"points":[' + POINT.replace("is old", "is\nold") + "]}",
        '{\n\n"points":[]}',
    ],
)
def test_points_keep_their_number_their_ids_and_their_form(starter_loaded: Model, answer: str) -> None:
    assert refused_at(starter_loaded, answer_grammars.json_points([1, 2, 12], 3, has_quotes=True), answer)


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ("- The kiln is old [1].\n- It burns wood. [2, 12]", [(1,), (2, 12)]),
        ("- The kiln is old.[1]\n- It burns wood.[2][12]", [(1,), (2, 12)]),
        ("- The kiln is old [1,2] [12]\n- It burns wood.\n", [(1, 2, 12), ()]),
        ("- The array a[i] [sic] is old.", [()]),
    ],
)
def test_numbers_may_stand_where_a_model_puts_them(
    starter_loaded: Model, answer: str, ids: list[tuple[int, ...]]
) -> None:
    assert refused_at(starter_loaded, answer_grammars.write_up(Form.BULLETS, [1, 2, 12], 1, 3), answer) is None
    lines = map(point_answers.without_mark, answer.splitlines())
    assert [found for line in lines for _, found in point_answers.cited_runs(line)] == ids


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (Form.PARAGRAPHS, "The kiln is old [1]. It burns wood [2].\n\nIt was built in 1871 [12]."),
        (Form.PARAGRAPHS, "The kiln is old [1], and it burns wood [2]."),
        (Form.PARAGRAPHS, "窯建于1871年，高3.5米。它很老。"),
        (Form.PARAGRAPHS, "The kiln is old. " * 60 + "It burns wood."),
        (Form.QUESTIONS, "Q: Wer?\nAnna Lind. [1]\n\nQ: What does a[i] hold?\nA: A number [1]. It is small [2]."),
        (Form.ACTIONS, "- **Mr. Lind** will ask [1]; Ms. Okoro writes [2]."),
        (Form.ACTIONS, "None."),
        (Form.ACTIONS, "\n".join(f"- Task {number} is to be done." for number in range(9))),
        (Form.QUESTIONS, "\n\n".join(f"Q: What is {number}?\nA: A number." for number in range(4))),
        (Form.OWN, "[1] The kiln is old. It burns wood.\n\n[2] It was sold.\n[12] It is gone."),
        (Form.PARAGRAPHS, "[1] The kiln is old. [2] It burns wood.\n\n[12, 1] It is gone."),
        (Form.OWN, "Dear friend,\n\nthe kiln is old [1]. It burns wood.\n\n- Yours"),
        (Form.BULLETS, "- The kiln is old [1]. It burns wood [2].\n- X"),
    ],
)
def test_every_form_takes_what_a_model_would_say(starter_loaded: Model, form: Form, answer: str) -> None:
    assert refused_at(starter_loaded, answer_grammars.write_up(form, [1, 2, 12], 1, 4), answer) is None


def test_a_list_takes_brackets_of_the_text(starter_loaded: Model) -> None:
    answer = "[1] counts[0] = 1\n[1, 12] the kiln [sic]\n[2] wood, see [7] below"
    assert refused_at(starter_loaded, answer_grammars.entries_grammar([1, 2, 12], 3), answer) is None
    found = point_answers.read_points(answer, [1, 2, 12])
    assert [(one.text, one.ids) for one in found] == [
        ("counts[0] = 1", (1,)),
        ("the kiln [sic]", (1, 12)),
        ("wood, see [7] below", (2,)),
    ]


@pytest.mark.parametrize("form", [Form.BULLETS, Form.PARAGRAPHS])
def test_sentences_of_a_small_model_end_without_a_break(starter_loaded: Model, form: Form) -> None:
    lines = [f"[{number}] It is {number} metres high" for number in range(1, 9)]
    breaks = ["\n", "\n", "\n", "\n\n" if form is Form.PARAGRAPHS else "\n"] * 2
    answer = "".join(line + end for line, end in zip(lines, breaks, strict=True)).rstrip("\n")
    rules = answer_grammars.spread_grammar(list(range(1, 9)), 8, "en", form)
    assert refused_at(starter_loaded, rules, answer) is None
    assert refused_at(starter_loaded, rules, f"{answer}\n") is None
    assert refused_at(starter_loaded, rules, answer.rpartition("\n")[0])


@pytest.mark.parametrize(
    "answer", ["- The kiln is old [3].", "- The kiln\n\n- It", "The kiln is old.", "- [1] The kiln."]
)
def test_a_write_up_keeps_its_lines_and_numbers(starter_loaded: Model, answer: str) -> None:
    assert refused_at(starter_loaded, answer_grammars.write_up(Form.BULLETS, [1, 2, 12], 1, 3), answer)
