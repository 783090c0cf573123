r"""LaTeX: what a reader of the document would see, and no source is too odd."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.format_detection import find_format
from app.documents.formats.plain.latex import read
from app.documents.source import FileSource, Opened

ARTICLE = r"""\documentclass[12pt]{article}
\newcommand{\R}{\mathbb{R}}
\title{On \emph{Kettles}}
\begin{document}
\maketitle
\begin{abstract}
We show that 50\% of kettles sing. % a comment
\end{abstract}
\section[Short]{Of M\"uller}\label{sec:intro}
The \textbf{kettle \emph{of}} caf\'e~\cite{weber2001} --- na\"{\i}ve, Stra\ss e, ``well known''\footnote{By all.}.

A second paragraph with $x_i \in \R$.
\begin{itemize}
  \item First point
  \item[a)] Second \textit{point}
\end{itemize}
\begin{verbatim}
for x in {3}:  # 100%
\end{verbatim}
\begin{figure}\includegraphics[width=3cm]{kettle.png}\caption{A kettle.}\end{figure}
\begin{equation}
a^2 = b_1
\end{equation}
\end{document}
ignored
"""


def pieces_of(path: Path, text: str) -> list[BlockPiece]:
    path.write_text(text)
    return [item for item in read(FileSource(path)) if isinstance(item, BlockPiece)]


def test_an_article_is_read_as_its_readers_see_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tex"
    pieces = pieces_of(path, ARTICLE)
    assert find_format(path) == "latex"
    assert [(piece.kind, piece.text) for piece in pieces] == [
        (BlockKind.HEADING, "On Kettles"),
        (BlockKind.PARAGRAPH, "We show that 50% of kettles sing."),
        (BlockKind.HEADING, "Of Müller"),
        (BlockKind.PARAGRAPH, "The kettle of café [weber2001] — naïve, Straße, “well known” (By all.)."),
        (BlockKind.PARAGRAPH, r"A second paragraph with $x_i \in \R$."),
        (BlockKind.LIST_ITEM, "First point"),
        (BlockKind.LIST_ITEM, "Second point"),
        (BlockKind.CODE, "for x in {3}:  # 100%"),
        (BlockKind.CAPTION, "A kettle."),
        (BlockKind.PARAGRAPH, "\\begin{equation}\na^2 = b_1\n\\end{equation}"),
    ]
    assert [piece.label for piece in pieces if piece.kind is BlockKind.LIST_ITEM] == ["•", "a)"]
    first = next(iter(read(FileSource(path))))
    assert first == Opened(title="On Kettles", encoding="utf-8")


def test_a_source_without_a_document_is_read_as_a_whole(tmp_path: Path) -> None:
    assert [piece.text for piece in pieces_of(tmp_path / "a.tex", "\\chapter{One}\nWords.\n\nMore.")] == [
        "One",
        "Words.",
        "More.",
    ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", [r"\begin{verbatim}", r"\section{", r"\item[", r"\textbf{", "$", r"\[", r"\label["])
def test_what_is_never_closed_costs_no_time(tmp_path: Path, part: str) -> None:
    pieces_of(tmp_path / "a.tex", part * 10_000)


@settings(max_examples=25, deadline=None)
@example(["\x00", "7", "\x00"])
@example(["\x01", "9999999999", "\x01"])
@given(
    st.lists(
        st.sampled_from(
            ["\x00", "\x01", "7", *r"\{}[]$%&~ ", "\n", "word", "\\item", "\\begin{x}", "\\'e", "\\section{"]
        )
    )
)
def test_no_source_is_an_error(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    pieces_of(tmp_path_factory.mktemp("fuzz") / "a.tex", "".join(parts))
