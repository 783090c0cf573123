"""Contents of any shape, made by Hypothesis: texts with marks that are nested."""

from __future__ import annotations

from hypothesis import strategies as st

from app.documents.segments import Content, Mark, content_of, nests

_WORDS = st.sampled_from(
    ["the ", "house", " of Anna", ", ", ". ", "(", ")", " 12", "\n", "<b>", "</b>", "{name}", " %s ", "%d", "<g1>",
     "</x2>", "`code`", "https://example.org/x", "a@b.org", "&amp;", "家は", "النص", "’", "$x^2$", "\\n", "<x3/>", "“",
     "C:\\dir\\f.txt"]
)  # fmt: skip
TEXTS = st.lists(_WORDS, min_size=1, max_size=6).map("".join) | st.text(min_size=1, max_size=12)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Up to some dozen parts."""
    number = 0

    def parts(depth: int) -> list[str | Mark]:
        nonlocal number
        found: list[str | Mark] = []
        for _ in range(draw(st.integers(0, 4))):
            kind = draw(st.sampled_from(["text", "text", "single", "pair"] if depth else ["text", "text", "single"]))
            if kind == "text":
                found.append(draw(TEXTS))
                continue
            number += 1
            mine = number
            if kind == "single":
                found.append(Mark("single", mine, draw(st.sampled_from(["image", "break", "code"]))))
            else:
                found += [Mark("open", mine, "bold"), *parts(depth - 1), Mark("close", mine)]
        return found

    content = content_of(parts(2))
    assert nests(content)
    return content
