"""What is known of a document before a model is asked: seconds and memory, for 300 and for 5,000 pages of papers."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator

from run import HERE, ROOT, Row

ROUNDS = 3
MOST_MB = 200.0
LIMITS_S = {300: 2.0, 5_000: 30.0}
"""For the digest with terms and outline."""

_MEASURE = """
import json, resource, sys, time
sys.path[:0] = sys.argv[2:]
from overview_bench import blocks_of_papers
from app.features.summarize.overview import first_look, overview_of
from app.features.summarize.summary_result import InputDocument, Length, SummaryOptions

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)

blocks = blocks_of_papers(int(sys.argv[1]))
document = InputDocument(0, "papers.pdf", "", "page", int(sys.argv[1]), (), "en", blocks)
before_mb = peak_mb()
began_s = time.process_time()
overview = overview_of(blocks, "en")
overview_s = time.process_time() - began_s
began_s = time.process_time()
first_look([document], SummaryOptions(Length.LONG))
print(json.dumps([overview_s, time.process_time() - began_s, peak_mb() - before_mb, len(overview.terms)]))
"""
CHARACTERS_A_PAGE = 3_000


def rows() -> Iterator[Row]:
    """Processor time: the overview alone, then with the digest; memory is what is taken beside the blocks."""
    for pages, most_s in LIMITS_S.items():
        measured = [_measured(pages) for _ in range(ROUNDS if pages < 1_000 else 1)]
        overview_s, look_s = ([one[place] for one in measured] for place in (0, 1))
        spread = f"{min(look_s):.2f} to {max(look_s):.2f}, {len(look_s)} rounds"
        yield Row(f"overview_of_{pages}_pages", round(statistics.median(overview_s), 2), "s")
        yield Row(f"first_look_at_{pages}_pages", round(statistics.median(look_s), 2), "s", most_s, spread, at_most=1.0)
        most = max(one[2] for one in measured)
        yield Row(f"first_look_at_{pages}_pages_memory", round(most, 1), "MB", MOST_MB, at_most=1.0)


def _measured(pages: int) -> list[float]:
    arguments = [sys.executable, "-c", _MEASURE, str(pages), str(ROOT), str(HERE), str(ROOT / "packaging" / "setup")]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout)
    return found


def blocks_of_papers(pages: int) -> list[object]:
    """So many pages of papers with their headings, one after the other, from the first again where they end."""
    from papers import papers

    from app.documents.blocks import BlockKind, BlockNumbering, BlockPiece

    numbering, blocks, characters = BlockNumbering(), list[object](), 0
    wanted = pages * CHARACTERS_A_PAGE
    every = papers(250)
    while characters < wanted:
        for paper in every:
            pieces = [BlockPiece(BlockKind.HEADING, paper.title, level=1)]
            for section in paper.sections:
                pieces.append(BlockPiece(BlockKind.HEADING, section.heading, level=2))
                pieces += [BlockPiece(BlockKind.PARAGRAPH, text) for text in section.paragraphs]
            for piece in pieces:
                if characters < wanted:
                    characters += len(piece.text)
                    blocks.append(numbering.block(piece._replace(page=characters // CHARACTERS_A_PAGE + 1)))
    return blocks
