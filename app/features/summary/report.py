"""A summary as the object that the terminal prints and a `.json` file holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.features.summary.export_markdown import statements_text
from app.features.summary.result import Statement, Summary


def report(summary: Summary, errors: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """The fields that terminal.md fixes; `errors` are files that could not be read, {file, reason}.

    A claim that rests on several files has the `file`, the `pages` and the `block_ids` of the first.
    `pages_without_text` are numbers for one document, and {file, page} for several.
    """
    return {
        "summary": statements_text(summary),
        "claims": [_claim(one, summary) for one in summary.statements],
        "coverage": _coverage(summary),
        "sections": summary.sections,
        "seconds": round(summary.seconds, 3),
        "model": summary.model,
        "errors": list(errors),
    }


def _claim(statement: Statement, summary: Summary) -> dict[str, Any]:
    documents, anchors = summary.documents, statement.anchors
    first = anchors[0].document if anchors else 0
    here = [anchor for anchor in anchors if anchor.document == first]
    return {
        "text": statement.text,
        "file": documents[first].name if anchors or len(documents) == 1 else None,
        "pages": sorted({anchor.page for anchor in here if anchor.page is not None}),
        "block_ids": sorted({anchor.block_id for anchor in here}),
        "found": statement.check.found,
        "reason": statement.check.reason.value if statement.check.reason else None,
    }


def _coverage(summary: Summary) -> dict[str, Any]:
    """Summed over the documents."""
    each = [document.coverage for document in summary.documents]
    sums = {name: sum(getattr(one, name) for one in each) for name in ("blocks", "blocks_read", "pages", "pages_read")}
    if len(summary.documents) == 1:
        return sums | {"pages_without_text": list(each[0].pages_without_text)}
    missing = [
        {"file": document.name, "page": page}
        for document in summary.documents
        for page in document.coverage.pages_without_text
    ]
    return sums | {"pages_without_text": missing}
