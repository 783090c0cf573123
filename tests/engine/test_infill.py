"""Where a middle ends: at the suffix that comes again, and nowhere before."""

from __future__ import annotations

import ast
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.engine.infill
from app.core.events import FinishReason, TextDelta
from app.engine.answer_decoder import AnswerDecoder
from app.engine.infill import InfillEnd
from app.engine.protocol import Ask, Generate, Reply
from tests.helpers.wire import events_of

LETTERS = st.text("ab })(\n\t:;'", max_size=30)


def middle_of(before: str, suffix: str, text: str, size: int = 1) -> tuple[str, bool]:
    """What is left of a middle, read so many characters at a time, and whether it was cut."""
    end = InfillEnd(before, suffix)
    found = "".join(end.feed(text[at : at + size]) for at in range(0, len(text), size))
    return found + end.release_rest(), end.met


BODY = "def add(a, b):\n    "
AFTER = "\n    return result\n\nprint(add(1, 2))\n"


@pytest.mark.parametrize(
    ("before", "suffix", "text", "middle"),
    [
        # The next line comes again, with more behind it.
        (BODY, AFTER, "result = a + b\n    return result\n\n# Test the function\n", "result = a + b"),
        (BODY, AFTER, "result = a + b\n    return result", "result = a + b"),
        (BODY, "\n\n    return result", "x = 1\n\n    return result\n", "x = 1"),
        (BODY, "\n    return x\n", "x = a\n    return x\n# so", "x = a"),
        ("def f():\n", "    return value\n", "    value = 1\n    return value\n", "    value = 1\n"),
        ("def f():\n    ", "return value\n", "value = 1\n    return value\n", "value = 1\n    "),
        (BODY, AFTER, "result = a + b\n    return result  # the sum\n", "result = a + b"),
        # The block of the suffix was left.
        (BODY, AFTER, "return a + b\n\n# Test the function\nprint(add(1, 2))\n", "return a + b"),
        (BODY, AFTER, "return a + b\n\n# Test", "return a + b"),
        ("void f() {\n  ", "\n  b();\n}", "a();\n#ifdef C\n  c();\n#endif\n", "a();\n#ifdef C\n  c();"),
        ("f() {\n  ", "\n  b();\n}", "a();\n#if C\n  c();\n#endif\n  d();", "a();\n#if C\n  c();\n#endif\n  d();"),
        # It is not the next line: deeper, longer, or another.
        (BODY, AFTER, "if a:\n        return result\n    b", "if a:\n        return result\n    b"),
        (BODY, AFTER, "result = 0\n    return results\n", "result = 0\n    return results\n"),
        (BODY, AFTER, "return results", "return results"),
        # A line that says nothing by itself.
        ("while x:\n    ", "\n    x += 1\n    print(x)\n", "x += 1\n    x += 1\n", "x += 1\n    x += 1\n"),
        ("while x:\n    ", "\n    x += 1\n    show(x)\n", "y()\n    x += 1\n    show(x)\nz", "y()"),
        ("a\n", "\n---\nmore words\n", "b\n---\nc\n---\nmore words\nd", "b\n---\nc"),
        # Brackets that are the suffix's own.
        ("int f() {\n  ", "\n}\n", "if (x) {\n    y();\n  }\n}\n\nint main() {", "if (x) {\n    y();\n  }"),
        ("print(", ")\nmore()\n", "max(a, b))\nmore()", "max(a, b)"),
        ("print(", ")\n", 'a, ")", b) # that', 'a, ")", b'),
        ("print(", ")\n", "a, # 1) not\n b)\n", "a, # 1) not\n b"),
        ("x = [", "]\n", "1, 2", "1, 2"),
        ("f(function() {\n", "\n});\n", "  a({b: 1});\n});\n", "  a({b: 1});"),
        # In the middle of a line.
        ("x = ", " + b\n", "a + b\ny = 1", "a"),
        ("x = ", ";\n", "5;\nint y = 6;\n", "5"),
        ("x = ", ";\n", "f(a);", "f(a)"),
        ("The cat ", " the mat.\n", "sat on the mat.\nThen it", "sat on"),
        ("The c", "at sat down.\n", "at sat down.\n", ""),
        # A paragraph in one line is known by its beginning.
        ("It rained.", "\n\nNobody in the whole wide town had ever seen so much water coming down, they said.\n",
         " It poured.\n\nNobody in the whole wide town had ever seen so much water coming", " It poured."),
        ("", "\n ", "nothing to find\n \n", "nothing to find\n \n"),
    ],
)  # fmt: skip
def test_a_middle_ends_where_the_suffix_begins(before: str, suffix: str, text: str, middle: str) -> None:
    for size in (1, 3, 7, 1000):
        found, is_cut = middle_of(before, suffix, text, size)
        assert found == middle, size
        assert is_cut == (middle != text), size


@given(LETTERS, LETTERS, LETTERS, st.integers(1, 9))
def test_a_middle_is_a_beginning_whatever_its_pieces(before: str, suffix: str, text: str, size: int) -> None:
    found, is_cut = middle_of(before, suffix, text, size)
    assert text.startswith(found)
    assert is_cut or found == text
    assert found == middle_of(before, suffix, text, 1)[0]


def _functions() -> list[str]:
    source = Path(app.engine.infill.__file__).parent
    return [
        ast.get_source_segment(text, node) or ""
        for path in sorted(source.glob("*.py"))
        for text in [path.read_text("utf-8")]
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    ]


def test_a_right_middle_is_never_cut_and_one_that_runs_on_always() -> None:
    """Real functions: each line of a body is left out once, and each with the three behind it."""
    early, late, tried = [], [], 0
    for source in _functions():
        lines = source.split("\n")
        for number, size in product(range(1, len(lines) - 1), (1, 4)):
            end = number + size
            before, middle = "\n".join(lines[:number]) + "\n", "\n".join(lines[number:end])
            if end >= len(lines) or not lines[number].strip() or lines[end] in lines[number:end]:
                continue
            suffix = "\n" + "\n".join(lines[end:])
            tried += 1
            early += [(before, middle)] * (middle_of(before, suffix, middle, 7)[0] != middle)
            late += [(middle, suffix)] * (middle_of(before, suffix, middle + suffix + "\nmore = 1\n", 7)[0] != middle)
    assert tried > 400
    assert len(early) <= tried * 0.005, early
    assert len(late) <= tried * 0.02, late


def test_an_answer_ends_there_and_shows_nothing_of_the_suffix() -> None:
    told: list[Reply] = []
    ask = Ask((), text=BODY, suffix=AFTER)
    answer = AnswerDecoder(Generate(1, ask), told.append, 0.0)
    pieces = ["result", " =", " a", " +", " b", "\n", "    return", " result", "\n", "# Test"]
    reasons = [answer.add_token(piece.encode()) for piece in pieces]
    assert reasons.index(FinishReason.STOP) == 8
    answer.finish(FinishReason.STOP)
    assert "".join(delta.text for delta in events_of(told, TextDelta)) == "result = a + b"
