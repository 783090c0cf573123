"""`tools` in the terminal: how well a model calls tools, measured before it is trusted with them."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from app.cli import terminal
from app.core.catalogue import Translatable, tr
from app.core.paths import AppPaths
from app.features.models.model_engines import build_engine
from app.features.tools.score_requests import score_requests, score_tools
from app.features.tools.scoring import RequestScored, WaysCompared, compare_ways
from app.features.tools.tool_scores import COUNTS, ToolScores

NOTHING_KEPT = "Interrupted after {done:,} of {total:,} answers. Nothing was saved."
WAYS: dict[str, Translatable] = {"free": "free", "lazy": "constrained late", "strict": "constrained strictly"}
HEADS: dict[str, Translatable] = {
    "valid": "valid",
    "right_tool": "right tool",
    "right_arguments": "right arguments",
    "valid_but_wrong": "valid but wrong",
    "called_without_need": "called without need",
}
UNDER_HALF = "That is fewer than half: don’t rely on its tool calls."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(required=True, metavar="WHAT")
    part = parts.add_parser("score", help=tr("ask a model for tool calls in three ways, and count the right ones"))
    terminal.add_model_option(part)
    terminal.add_json(part, run_score)


def run_score(options: argparse.Namespace) -> int:
    """Run `tools score` and keep the result for the model; interrupted, nothing is printed or kept."""
    places, settings = AppPaths.from_environment(), terminal.stored_settings()
    requests, done, total, compared = score_requests(), 0, 0, None
    with terminal.interruptible_token() as cancel, closing(build_engine(places)) as engine:
        path = terminal.model_path(options.model, settings.engine.model_path)
        print(tr("Loading {name}", name=path.name), file=sys.stderr)
        terminal.load_model(engine, path, settings, cancel)
        with terminal.TerminalProgress() as line:
            for event in compare_ways(engine, requests, score_tools(), cancel):
                match event:
                    case RequestScored():
                        done, total = event.done, event.total
                        line.show(
                            tr("Asking for tool calls ({way})", way=tr(WAYS[event.way.value])),
                            tr("{done:,} of {total:,}", done=done, total=total),
                        )
                    case WaysCompared():
                        compared = event
    if compared is None:
        print(tr(NOTHING_KEPT, done=done, total=total or len(requests) * len(WAYS)), file=sys.stderr)
        return terminal.INTERRUPTED
    score = ToolScores(places.cache).keep_score(path, compared)
    if options.json:
        terminal.print_json(compared.to_fields())
        return 0
    needless = sum(not request.tool for request in requests)
    print(
        tr(
            "{name}, requests: {count:,}, of them without need of a tool: {needless:,}",
            name=path.name,
            count=len(requests),
            needless=needless,
        )
    )
    heads = {name: tr(head) for name, head in HEADS.items()}
    print(f"{'':<21}" + "".join(f"{head:>{len(head) + 2}}" for head in heads.values()))
    for way in compared.to_fields()["ways"]:
        print(f"{tr(WAYS[way['way']]):<21}" + "".join(f"{way[name]:>{len(heads[name]) + 2},}" for name in COUNTS))
    print(tr("Best: {way}.", way=tr(WAYS[score.best.value])), score.message)
    if score.is_under_half:
        print(tr(UNDER_HALF))
    return 0
