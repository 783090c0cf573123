"""A summary as the object that the terminal prints, and with every place and its text as a `.json` file holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.features.summary.export_markdown import statements_text
from app.features.summary.result import Anchor, Statement, Summary
from app.features.summary.words import unknown_words


def with_anchors(summary: Summary, errors: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """The same, and with each claim all of its places, what stands there, and what is said otherwise."""
    body = report(summary, errors)
    for claim, statement in zip(body["claims"], summary.statements, strict=True):
        claim |= {"said": statement.check.said, "page_says": statement.check.page_says}
        claim["anchors"] = [_anchor(one, summary) for one in statement.anchors]
    return body


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
        "method": summary.method.value,
        "warnings": [words] if (words := unknown_words(summary)) else [],
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


def _anchor(anchor: Anchor, summary: Summary) -> dict[str, Any]:
    """`start` and `end` are in the text of the block; both 0: all of it."""
    fields = asdict(anchor)
    return {"file": summary.documents[fields.pop("document")].name, "page": fields.pop("page")} | fields


def _coverage(summary: Summary) -> dict[str, Any]:
    """Summed over the documents."""
    each = [document.coverage for document in summary.documents]
    apart = [
        ({"file": document.name} if len(each) > 1 else {}) | asdict(one)
        for document in summary.documents
        for one in document.coverage.apart
    ]
    sums = {name: sum(getattr(one, name) for one in each) for name in ("blocks", "blocks_read", "pages", "pages_read")}
    if len(summary.documents) == 1:
        return sums | {"pages_without_text": list(each[0].pages_without_text), "left_apart": apart}
    missing = [
        {"file": document.name, "page": page}
        for document in summary.documents
        for page in document.coverage.pages_without_text
    ]
    return sums | {"pages_without_text": missing, "left_apart": apart}
