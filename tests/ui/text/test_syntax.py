"""The unfinished end of a text, shown as what it will most likely become."""

from __future__ import annotations

import pytest

from app.ui.text.syntax import calm


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("a **b", "a **b**"),
        ("a **b*", "a **b**"),
        ("a **", "a "),
        ("a *b **c", "a *b **c***"),
        ("use `x", "use `x`"),
        ("use ``a ` b", "use ``a ` b``"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("a [link](http", "a link"),
        ("a [link](http://x.y) b", "a [link](http://x.y) b"),
        ("text\n-", "text"),
        ("text\n1.", "text"),
        ("text\n##", "text"),
        ("text\n```py", "text"),
        ("| a | b", ""),
        ("| a | b |\n|--", ""),
        ("- one\n- **tw", "- one\n- **tw**"),
        ("- one\n- ", "- one"),
        ("1. x\n   ```py\n   a = '**", "1. x\n   ```py\n   a = '**"),
        ("see [^1", "see "),
        (r"so \(a_1", r"so \(a_1\)"),
        (r"so \(a_1 \\", r"so \(a_1\)"),
        ("so \\", "so "),
        ("so $", "so "),
        ("so $5 and", "so $5 and"),
        ("so $a^2 + b", "so $a^2 + b$"),
        ("\\[", ""),
        ("\\[\na\n- b", "\\[\na\n- b\n\\]"),
        ("1. x\n   $$\n   a", "1. x\n   $$\n   a\n   $$"),
        ("$$\na\n\n- b", "$$\na\n\n- b\n$$"),
        ("$$ a\n\n**b", "$$ a\n\n**b**"),
        ("$$\na\n$$\nmore **b", "$$\na\n$$\nmore **b**"),
        ("a <b>wor", "a <b>wor</b>"),
        ("a <b>word</", "a <b>word</b>"),
        ("a <kb", "a "),
        ("a < b", "a < b"),
        ("<det", ""),
        ("<details>\n<summary>Tit", "<details>"),
    ],
)
def test_the_end_is_calm(tail: str, expected: str) -> None:
    assert calm(tail) == expected
