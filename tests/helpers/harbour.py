"""The project's own small report, claims about it, and the gallery: wrong claims that the checks let pass.

`python -m tests.helpers.harbour` from the root of the repository writes the gallery anew.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.documents.blocks import Block
from app.features.summarize.checks import CitedBlock, ClaimVerdict, verify_statement
from app.features.summarize.summary_messages import check_words
from tests.helpers.documents import read

FOLDER = Path(__file__).resolve().parents[1] / "data" / "summaries"
REPORT = FOLDER / "harbour-report.md"
CLAIMS = FOLDER / "claims.json"
GALLERY = FOLDER / "gallery.md"


@dataclass(frozen=True)
class ReportClaim:
    """A claim with the numbers of the blocks it cites; `kind` is what is wrong with it, "" where nothing is."""

    text: str
    cites: tuple[int, ...]
    kind: str = ""


def report_blocks() -> list[Block]:
    """The report as the program reads it."""
    with tempfile.TemporaryDirectory(prefix="fireside-harbour-") as folder:
        return read(REPORT, Path(folder)).blocks


def report_claims(which: str) -> list[ReportClaim]:
    """Those of "right" or of "wrong"."""
    listed = json.loads(CLAIMS.read_text("utf-8"))[which]
    return [ReportClaim(one["text"], tuple(one["cites"]), one.get("kind", "")) for one in listed]


def judged(claim: ReportClaim, blocks: list[Block]) -> ClaimVerdict:
    """The claim compared with what it cites, the rest of the report being near."""
    every = [CitedBlock(0, block) for block in blocks]
    return verify_statement(claim.text, [one for one in every if one.block.id in claim.cites], "", every)


def gallery_text(blocks: list[Block]) -> str:
    """Every wrong claim with how it came out: those that passed first, then what the others were told."""
    results = [(claim, judged(claim, blocks)) for claim in report_claims("wrong")]
    passed = [(claim, verdict) for claim, verdict in results if verdict.check.found]
    caught = [(claim, verdict) for claim, verdict in results if not verdict.check.found]
    lines = ["# Wrong claims that passed the checks", ""]
    lines += [
        f"Of {len(results)} wrong claims about `harbour-report.md`, {len(passed)} passed. Comparing what is written",
        "cannot see them; only reading the page can, which is why every claim opens it.",
        "",
        "| what is wrong | claim | the sentence it opens |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {claim.kind} | {claim.text} | {_opened(verdict)} |" for claim, verdict in passed]
    lines += [
        "",
        "The others were marked:",
        "",
        "| what is wrong | claim | what is said of it |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {claim.kind} | {claim.text} | {check_words(verdict.check, '')} |" for claim, verdict in caught]
    return "\n".join(lines) + "\n"


def _opened(verdict: ClaimVerdict) -> str:
    return verdict.anchors[0].text if verdict.anchors else ""


if __name__ == "__main__":
    GALLERY.write_text(gallery_text(report_blocks()), "utf-8")
