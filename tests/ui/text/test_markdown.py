"""Markdown while it grows: the same result however it is cut, closed blocks that stay, and bounds on hostile text."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.ui.text.markdown import BLOCK_LIMIT, TABLE_ROWS, MarkdownBlock, MarkdownStream, read
from app.ui.text.pieces import Code, Fold, FoldEnd, MarkdownTable, Prose, ProseLine, StyledSpan, with_whole_tables
from app.ui.text.unfinished_markdown import calm

SAMPLE = """# Title

Some **bold text**, *it*, `code` and [a link](https://x.org/a_b).
Second line ~~gone~~.

1. one
2. two
   ```python
   print(1)
   ```
   more
3. three
   - nested
   - [x] task

> quote **b**
> more

| a | b |
|---|:-:|
| 1 | **2** |
| 3 | 4 |

~~~js
let a = `x`;
~~~
See [ref], [^1] and <b>html</b>.
---

[ref]: https://ref.org

[^1]: The note.
"""
PARTS = [
    "word ", "two words\n", "\n", "\n\n", "- item\n", "  - nested\n", "3. third\n", "> quote\n", "```py\n", "```\n",
    "    four\n", "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "# head\n", "---\n", "***", "**", "*", "`", "[a](http://b.c)",
    "[ref]", "[ref]: http://r.r\n", "[^1]", "[^1]: note\n", "\r\n", "\t", "<b>", "\\", "~~~", "===\n", "[ ] ",
    "$$\n", "$$", "\\[\n", "\\]\n", "$a_1$ ", "$5 ", "\\(", "\\)", "- b \\\\\n", "\\begin{align}\n", "\\end{align}\n",
    "<details>\n", "<summary>t</summary>\n", "</details>\n", "<kbd>", "</b>", "<br>",
    "é🎉", "مرحبا",
    "w" * 700, "long word " * 90, "| cell | cell |\n" * 25, "- [ ] x\n" * 40,
]  # fmt: skip
texts = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)


def lines(blocks: list[MarkdownBlock]) -> list[ProseLine]:
    return [line for b in blocks for p in b.pieces if isinstance(p, Prose) for line in p.lines]


def shown(blocks: list[MarkdownBlock]) -> str:
    found = []
    for piece in (piece for block in blocks for piece in block.pieces):
        if isinstance(piece, Prose):
            found += ["".join(span.text for span in line.spans) for line in piece.lines]
        elif isinstance(piece, Code):
            found.append(piece.text)
        elif isinstance(piece, MarkdownTable):
            found += [" ".join("".join(span.text for span in cell) for cell in row) for row in piece.rows]
    return "\n".join(found)


@pytest.mark.slow
@given(texts, st.lists(st.integers(1, 60), min_size=1, max_size=8))
@example("two words\n```py\n```\n\ntwo words\n", [1])
@example("- b \\\\\n$$\ntwo words\n", [1])
@example("$$\na\n\n- b\n\n= c\n$$\n", [1])
@example("[^1]: a\n\\[x^\n2\\] b\n", [3])
@example("a\n$$\n- b\n$$ c\n", [3])
def test_any_cut_gives_the_result_of_the_whole(text: str, cuts: list[int]) -> None:
    stream = MarkdownStream()
    position, turn = 0, 0
    while position < len(text):
        step = cuts[turn % len(cuts)]
        stream.feed(text[position : position + step])
        position, turn = position + step, turn + 1
        whole = MarkdownStream()
        whole.feed(text[:position])
        assert stream.blocks() == whole.blocks()
    stream.finish()
    assert stream.closed == read(text)


@given(texts.filter(lambda text: "]:" not in text))
def test_closed_blocks_never_change_without_definitions(text: str) -> None:
    stream = MarkdownStream()
    closed: list[MarkdownBlock] = []
    for character in text:
        stream.feed(character)
        assert all(a is b for a, b in zip(closed, stream.closed, strict=False))
        assert len(stream.closed) >= len(closed)
        closed = list(stream.closed)
    assert stream.revision == 0


def test_no_source_is_lost() -> None:
    stream = MarkdownStream()
    for character in SAMPLE:
        stream.feed(character)
    stream.finish()
    assert [c for b in stream.closed for c in b.source if not c.isspace()] == [c for c in SAMPLE if not c.isspace()]


def test_the_sample_is_understood() -> None:
    blocks = read(SAMPLE)
    assert lines(blocks)[0].kind == "heading"
    codes = [piece for block in blocks for piece in block.pieces if isinstance(piece, Code)]
    assert [(code.language, code.text, code.depth) for code in codes] == [
        ("python", "print(1)", 1),
        ("js", "let a = `x`;", 0),
    ]
    tables = [piece for block in blocks for piece in block.pieces if isinstance(piece, MarkdownTable)]
    assert tables[0].aligns == ("left", "center")
    assert len(tables[0].rows) == 3
    assert [line.marker for line in lines(blocks) if line.marker] == ["1.", "2.", "3.", "•", "☑", "1."]
    links = {span.text: span.href for line in lines(blocks) for span in line.spans if span.href}
    assert links == {"a link": "https://x.org/a_b", "ref": "https://ref.org"}
    assert any(span.raised and span.text == "1" for line in lines(blocks) for span in line.spans)


def test_a_definition_reaches_back() -> None:
    stream = MarkdownStream()
    stream.feed("See [ref].\n\nOther.\n\n")
    assert all(not span.href for line in lines(stream.closed) for span in line.spans)
    stream.feed("[ref]: https://x.org\n\nEnd.\n\n")
    assert lines(stream.closed)[0].spans[1].href == "https://x.org"
    assert stream.revision == 1


def test_numbers_go_on_when_items_are_closed_one_by_one() -> None:
    markers = [line.marker for line in lines(read("".join(f"1. item {n}\n" for n in range(30))))]
    assert markers == [f"{n}." for n in range(1, 31)]


def test_a_long_table_is_read_part_by_part_and_is_one_again() -> None:
    blocks = read("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 200 + "\nand\n\n| c |\n|---|\n| 3 |\n")
    pieces = [piece for block in blocks for piece in block.pieces]
    tables = [piece for piece in pieces if isinstance(piece, MarkdownTable)]
    assert max(len(table.rows) for table in tables) == TABLE_ROWS + 1
    assert [table.continues for table in tables] == [False, *[True] * (len(tables) - 2), False]
    assert all(table.rows[0] == tables[0].rows[0] for table in tables[:-1])
    whole = with_whole_tables(pieces)
    assert [len(piece.rows) for piece in whole if isinstance(piece, MarkdownTable)] == [201, 2]


def test_a_table_is_one_from_its_first_row_on() -> None:
    stream = MarkdownStream()
    seen = []
    for character in "Words\n\n| a | b |\n|---|---|\n| 1 | 2 |\n":
        stream.feed(character)
        seen.append(shown(stream.blocks()))
        assert "|" not in seen[-1]
    assert seen[-10] == "Words\na b", "its header, as soon as there is a row"
    assert seen[-8] == "Words\na b\n1 "


def test_an_open_fence_is_a_code_block_at_once_and_hides_the_half_of_its_end() -> None:
    stream = MarkdownStream()
    stream.feed("```python\nx = 1\n``")
    assert stream.open_blocks()[0].pieces == (Code("python", "x = 1", 0, True),)
    stream.feed("`\n")
    assert stream.closed[0].pieces == (Code("python", "x = 1", 0, False),)


@pytest.mark.parametrize(
    "text",
    [
        "Some **bold text** and *slanted words* and ~~gone~~ here.",
        "Use `print(x)` and ``a ` b`` now.",
        "A [link](https://example.org/path_(x)) ends.",
        "- **Item**: with words\n- **Other**: *more*",
        "| name | value |\n|---|---|\n| **a** | `b` |\n",
        "1. ***both***\n2. two",
    ],
)
def test_half_written_marks_are_never_seen(text: str) -> None:
    complete = shown(read(text))
    stream = MarkdownStream()
    for position, character in enumerate(text):
        stream.feed(character)
        now = shown(stream.blocks())
        for mark in ("**", "~~", "](", "|--", "``"):
            assert mark in complete or mark not in now, (text[: position + 1], now)


def spans(text: str) -> list[tuple[str, str]]:
    """Words and what is special about them, of all prose and tables."""
    pieces = [piece for block in read(text) for piece in block.pieces]
    cells = [line.spans for piece in pieces if isinstance(piece, Prose) for line in piece.lines]
    cells += [cell for piece in pieces if isinstance(piece, MarkdownTable) for row in piece.rows for cell in row]
    return [
        (span.text, " ".join(name for name in ("bold", "italic", "code") if getattr(span, name)) or span.script)
        for cell in cells
        for span in cell
    ]


@pytest.mark.parametrize(
    "formula",
    [
        r"\[x=\frac{a}{b}\]",
        r"\(a_1 * b_2 * c\)",
        r"$a_1 \\ b_2$",
        "$x$",
        "$$E = mc^2$$",
        "\\[\na\n- b \\\\\n+ c\n= d\n\\]",
        "$$\n# a\n> b\n$$",
        "\\begin{align*}\na &= b \\\\\n- c\n\\end{align*}",
        "$$\na\n\n- b\n\n= c\n$$",
        "\\[\n\na\n\n\n# b\n\\]",
    ],
)
def test_a_formula_stays_as_it_was_written(formula: str) -> None:
    assert spans(formula) == [(formula, "code")]
    assert spans(f"Text\n{formula}\nmore") in (
        [("Text", ""), (formula, "code"), ("more", "")],
        [("Text\u2028", ""), (formula, "code"), ("\u2028more", "")],
    )
    inside = formula.replace("\n", "\n   ")
    assert (formula, "code") in spans(f"1. one\n\n   {inside}\n2. two")
    quoted = formula.replace("\n", "\n> ")
    assert (formula, "code") in spans(f"> {quoted}")
    assert (formula, "code") in spans(f"| a |\n|---|\n| {formula} |") or "\n" in formula


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "From $5 to 10$ a month",
        "$HOME/$USER and $PATH",
        "US$5, A$6$",
        "a $ b $ c",
        "$5,000-$6,000",
        "$$ is money\n\nand $$",
        "$$\n" + "a\n\n" * 30 + "$$",
        "1. $$\n\nand $$",
    ],
)
def test_prices_and_lone_dollars_are_words(text: str) -> None:
    assert all(look == "" for _, look in spans(text))


def test_tags_that_mean_something_mean_it_and_all_others_are_text() -> None:
    assert spans("<b>b *i*</b> <i>i</i> <kbd>Ctrl</kbd> H<sub>2</sub>O x<sup>2</sup> <u>u</u>") == [
        ("b ", "bold"), ("i", "bold italic"), (" ", ""), ("i", "italic"), (" ", ""), ("Ctrl", "code"), (" H", ""),
        ("2", "sub"), ("O x", ""), ("2", "sup"), (" <u>u</u>", ""),
    ]  # fmt: skip
    assert spans("a <b>half and `<b>` </i> <b onclick='x'>y") == [
        ("a <b>half and ", ""), ("<b>", "code"), (" </i> <b onclick='x'>y", ""),
    ]  # fmt: skip
    assert spans("| a |\n|---|\n| x<br>y<BR/>z |")[-1] == ("x\u2028y\u2028z", "")


def test_details_are_a_fold() -> None:
    text = "<details>\n<summary>More & **x**</summary>\n\nOne.\n\n```py\n1\n```\n</details>\nafter"
    assert [type(piece) for block in read(text) for piece in block.pieces] == [Fold, Prose, Code, FoldEnd, Prose]
    assert read(text)[0].pieces == (Fold("More & x"),)
    pieces = [piece for block in read("<details open><summary>T</summary>one</details>") for piece in block.pieces]
    assert pieces == [Fold("T", is_open=True), Prose((ProseLine((StyledSpan("one"),)),)), FoldEnd()]


@pytest.mark.parametrize("before", ["", "word\n\n", "<details>\n<summary>t</summary>\n\none\n\n</details>\n\n"])
def test_an_end_of_details_that_nobody_began_is_text(before: str) -> None:
    blocks = read(f"{before}</details>\n\n[x] after\n\n[x]: http://x.y\n")
    assert shown(blocks).endswith("</details>\nx after")
    assert sum(isinstance(piece, FoldEnd) for block in blocks for piece in block.pieces) == ("<summary>" in before)


def test_raw_html_is_text_and_bad_links_are_text() -> None:
    text = "<script>alert(1)</script> <img src=x onerror=y>\n\n[x](javascript:alert(1)) [y](file:///etc/x)"
    blocks = read(text)
    assert not any(span.href for line in lines(blocks) for span in line.spans)
    assert "<script>alert(1)</script> <img src=x onerror=y>" in shown(blocks)
    assert "[x](javascript:alert(1))" in shown(blocks)


def test_an_image_is_its_words_and_a_link() -> None:
    spans = lines(read("![a cat](https://x.org/cat.png)"))[0].spans
    assert (spans[0].text, spans[0].href) == ("a cat", "https://x.org/cat.png")


HOSTILE = {
    "brackets": "[" * 20_000,
    "images": "![[]()" * 4_000,
    "stars": "*a " * 4_500,
    "bold": "**a" * 4_500,
    "underscores": "_a__b_" * 2_200,
    "backticks": "`a``b```" * 2_000,
    "quotes": ">" * 8_000,
    "deep quotes": "> " * 900 + "x\n",
    "deep list": "".join("  " * depth + "- a\n" for depth in range(130)),
    "one line": "x" * 60_000,
    "many words": "ab " * 20_000,
    "10,000 columns": "|".join("a" * 10_000) + "\n" + "|".join("-" * 10_000) + "\n" + "|".join("b" * 10_000) + "\n",
    "200 columns": "|".join("a" * 200) + "\n" + "|".join("-" * 200) + "\n" + "|".join("b" * 200) + "\n",
    "definitions": "[a]: http://x\n\nsee [a]\n\n" * 1_000,
    "fence": "```py\n" + "x = 1\n" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_shown_in_small_steps(name: str) -> None:
    text = HOSTILE[name]
    stream = MarkdownStream()
    worst_s = 0.0
    for position in range(0, len(text), 1_000):
        begin_s = time.thread_time()
        stream.feed(text[position : position + 1_000])
        stream.open_blocks()
        worst_s = max(worst_s, time.thread_time() - begin_s)
    stream.finish()
    print(f"{name}: longest step {worst_s * 1000:.0f} ms")
    assert stream.closed == read(text)
    assert shown(stream.closed).strip()
    longest = max((len(p.lines) for b in stream.closed for p in b.pieces if isinstance(p, Prose)), default=0)
    assert longest < 1_000
    assert all(len(b.source) <= 2 * BLOCK_LIMIT for b in stream.closed) or name == "fence"


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
