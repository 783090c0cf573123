"""`inspect` in the terminal: how a model sees a text, and what the model consists of."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.cli import terminal
from app.core.catalogue import Translatable, tr, tr_count
from app.core.events import CancelToken, Guess, PromptProgress, TokenSeen
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths, resource_path
from app.core.visible import clean_text
from app.engine.contract import Engine
from app.features.error_messages import sentence_for
from app.features.inside import looks
from app.features.inside.anatomy import ModelAnatomy, anatomy_of
from app.features.inside.model_comparison import DOING, ComparisonStep, ModelFigures, compare_models, line_of
from app.features.models.fetch_model import build_models
from app.features.models.model_engines import build_engine, load_options

STANDARD_INPUT, BUILT_IN_TEXT = "a text file; default: standard input", "a text file; default: a built-in text"
BAR = 20
"""Characters of a full bar."""
OWN_TEXT = "texts/harbour.txt"
"""Text for comparing models if none is given."""
NOT_TEXT = "{name} isn’t a plain text file in UTF-8, so it can’t be inspected."
# Read whole into memory; a model sees far less of it.
MOST_FILE_BYTES = 64 * 1024 * 1024


def add_arguments(part: argparse.ArgumentParser) -> None:
    views = part.add_subparsers(required=True, metavar="VIEW")
    for name, (words, run) in VIEWS.items():
        view = views.add_parser(name, help=tr(words))
        if name != "anatomy":
            default = BUILT_IN_TEXT if name == "compare" else STANDARD_INPUT
            view.add_argument("file", metavar="FILE", nargs="?", type=Path, help=tr(default))
            view.add_argument("-p", "--prompt", metavar="TEXT|FILE", help=tr("a text or the name of a text file"))
        if name == "attention":
            view.add_argument(
                "--layer", metavar="N", type=int, help=tr("only this layer, counted from 0; default: all")
            )
            view.add_argument(
                "--head", metavar="N", type=int, help=tr("only this head, counted from 0; default: the mean of all")
            )
        if name == "compare":
            view.add_argument(
                "--model",
                metavar="FILE",
                action="append",
                type=Path,
                help=tr("only this model; can be given several times"),
            )
            terminal.add_json(view, run)
            continue
        terminal.add_model_option(view, terminal.LOCAL_MODEL)
        terminal.add_json(view, run)


def run_anatomy(options: argparse.Namespace) -> int:
    """`inspect anatomy`: from the file alone, nothing is loaded."""
    settings = terminal.stored_settings()
    found = anatomy_of(terminal.model_path(options.model, settings.engine.model_path))
    if options.json:
        body = asdict(found) | {"bits_per_weight": round(found.bits_per_weight, 3), "about": dict(found.about)}
        body["parts"] = [asdict(part) | {"bits_per_weight": round(part.bits_per_weight, 3)} for part in found.parts]
        terminal.print_json(body)
    else:
        _print_anatomy(found)
    return 0


def run_tokens(options: argparse.Namespace) -> int:
    with _open_engine(options) as (engine, text, _):
        found = looks.tokens_of(engine, text)
    if options.json:
        terminal.print_json({"tokens": [terminal.pick_fields(token, "id", "text", "start", "end") for token in found]})
        return 0
    for placed_token in found:
        print(f"{placed_token.id:>8}  {placed_token.start:>6} to {placed_token.end:<6}  {placed_token.text!r}")
    print(
        tr("Tokens: {tokens:,}; characters: {characters:,}", tokens=len(found), characters=len(text)), file=sys.stderr
    )
    return 0


def run_probabilities(options: argparse.Namespace) -> int:
    with _open_engine(options) as (engine, text, cancel):
        found = _read_tokens(engine, text, cancel, most=8)
    if options.json:
        terminal.print_json({"probabilities": [_probability_fields(token_seen) for token_seen in found]})
        return 0
    for token_seen in found:
        # The first token has no probability: nothing stands before it.
        if token_seen.rank < 0:
            print(f"  {tr('first'):<15}{_decode_text(token_seen.data)!r}")
            continue
        probability = math.exp(token_seen.log_probability)
        bar = "█" * round(BAR * probability)
        instead = join_entries(
            f"{_decode_text(guess.data)!r} {guess.probability:.0%}" for guess in token_seen.alternatives[:3]
        )
        likely = tr("most likely: {tokens}", tokens=instead)
        print(f"{probability:>7.1%} {bar:<{BAR}} {_decode_text(token_seen.data)!r}   ({likely})")
    return 0


def run_perplexity(options: argparse.Namespace) -> int:
    with _open_engine(options) as (engine, text, cancel):
        found = looks.surprise_of(_read_tokens(engine, text, cancel, most=0))
    if options.json:
        terminal.print_json(terminal.pick_fields(found, "perplexity", "bits_per_byte", "tokens"))
    else:
        print(
            tr(
                "perplexity {perplexity:.4f}, {bits:.4f} bits per byte, tokens: {tokens:,}",
                perplexity=found.perplexity,
                bits=found.bits_per_byte,
                tokens=found.tokens,
            )
        )
    return 0


def run_attention(options: argparse.Namespace) -> int:
    """`inspect attention`: of one layer or all, of one head or the mean of a layer's."""
    with _open_engine(options) as (engine, text, _):
        found = looks.read_attention(engine, text)
    chosen = range(len(found.layers))
    if options.layer is not None:
        # Some models have layers without attention of this kind, so numbers have gaps.
        if options.layer not in found.layers:
            return _out_of_range("This model has no such layer. Use 0 to {last}.", found.layers[-1])
        chosen = range(found.layers.index(options.layer), found.layers.index(options.layer) + 1)
    if options.head is not None and not 0 <= options.head < found.heads:
        return _out_of_range("This model has no such head. Use 0 to {last}.", found.heads - 1)
    maps = [_round_rows(found.shares_of(layer, options.head)) for layer in chosen]
    if options.json:
        # One map is not put into a list of one; scripts that name a layer read it directly.
        has_one_layer = options.layer is not None
        terminal.print_json(
            {
                "tokens": [_decode_text(token.data) for token in found.tokens],
                "layers": len(found.layers),
                "heads": found.heads,
                "layer": options.layer,
                "head": options.head,
                "attention": maps[0] if has_one_layer else maps,
            }
        )
        return 0
    for layer, rows in zip(chosen, maps, strict=True):
        print(tr("Layer {layer}: what each token attends to most", layer=found.layers[layer]))
        for token, row in zip(found.tokens, rows, strict=True):
            # A row has thousands of shares; the three largest are what a reader can use.
            best = sorted(range(len(row)), key=lambda at: -row[at])[:3]
            print(
                f"  {_decode_text(token.data)!r:<16} "
                + join_entries(f"{_decode_text(found.tokens[at].data)!r} {row[at]:.0%}" for at in best)
            )
    return 0


def run_layers(options: argparse.Namespace) -> int:
    """`inspect layers`: what the model would say after each layer (the logit lens)."""
    with _open_engine(options) as (engine, text, _):
        tokens, found = looks.read_layers(engine, text)
    if options.json:
        layers = [[[_guess_fields(guess) for guess in guesses] for guesses in layer] for layer in found]
        terminal.print_json({"tokens": [_decode_text(token.data) for token in tokens], "layers": layers})
        return 0
    print(tr("After {token} the model would say:", token=repr(_decode_text(tokens[-1].data))))
    for number, layer in enumerate(found):
        print(
            f"  {tr('layer')} {number:>3}: "
            + join_entries(f"{_decode_text(guess.data)!r} {guess.probability:.0%}" for guess in layer[-1])
        )
    return 0


def run_compare(options: argparse.Namespace) -> int:
    """`inspect compare`: installed models, or those that were named, on one text."""
    paths = AppPaths.from_environment()
    settings = terminal.stored_settings()
    chosen = options.model
    if not chosen:
        with build_models(paths) as models:
            chosen = [row.model.path for row in models.list_installed()]
    text = _given_text(options) or resource_path(OWN_TEXT).read_text("utf-8")
    found: list[ModelFigures] = []
    with (
        closing(build_engine(paths)) as engine,
        terminal.interruptible_token() as cancel,
        terminal.TerminalProgress() as line,
    ):
        for event in compare_models(
            engine, chosen, clean_text(text), wish=load_options(settings.engine), cancel=cancel
        ):
            if isinstance(event, ComparisonStep):
                line.show(
                    tr("{name}, {number} of {count}:", name=event.name, number=event.number + 1, count=event.count),
                    f"{tr(DOING[event.doing])} {event.fraction:.0%}",
                )
            elif isinstance(event, ModelFigures):
                found.append(event)
        if cancel.cancelled:
            # Ctrl+C was taken by the token; raised again, it becomes the exit code.
            raise KeyboardInterrupt
    power = line_of(found)
    if options.json:
        names = ("name", "parameters", "bits_per_byte", "perplexity", "tokens_per_s", "memory_bytes")
        fields = [terminal.pick_fields(compared, *names) for compared in found if compared.error is None]
        terminal.print_json({"models": fields, "exponent": power.exponent if power is not None else None})
    else:
        for compared in found:
            if compared.error is None:
                figures = f"{compared.bits_per_byte:>8.4f} {tr('bits per byte')} {compared.tokens_per_s:>7.1f}"
                size = f"{compared.memory_bytes / 1e9:>6.2f} GB"
                print(f"{compared.parameters:>16,} {tr('weights')} {figures} {tr('tokens/s')} {size}  {compared.name}")
        # Two models always lie on a line, so it has no uncertainty.
        if power is not None and not math.isnan(power.uncertainty):
            print(
                tr(
                    "Loss falls as weights^-{exponent:.3f} (± {uncertainty:.3f})",
                    exponent=power.exponent,
                    uncertainty=power.uncertainty,
                )
            )
    for compared in found:
        if compared.error is not None:
            print(sentence_for(compared.error).text, file=sys.stderr)
    return 0 if any(compared.error is None for compared in found) else 1


VIEWS: dict[str, tuple[Translatable, Callable[[argparse.Namespace], int]]] = {
    "tokens": ("show how a text is split into tokens", run_tokens),
    "probabilities": ("show how likely the model finds each token", run_probabilities),
    "attention": ("show what each token of a short text attends to", run_attention),
    "layers": ("show what the model would say after each layer", run_layers),
    "anatomy": ("show the parts of a model, read from its file", run_anatomy),
    "perplexity": ("measure how well the model predicts a text", run_perplexity),
    "compare": ("compare installed models on one text", run_compare),
}


@contextmanager
def _open_engine(options: argparse.Namespace) -> Iterator[tuple[Engine, str, CancelToken]]:
    """Yield the engine with its model, and the given text."""
    text = _given_text(options)
    # None is told from an empty text, which a pipe can be.
    text = sys.stdin.read() if text is None else text
    if not text:
        print(tr("No text to inspect. Use -p TEXT or name a file."), file=sys.stderr)
        # argparse's own code for wrong usage.
        raise SystemExit(2)
    paths = AppPaths.from_environment()
    settings = terminal.stored_settings()
    with closing(build_engine(paths)) as engine, terminal.interruptible_token() as cancel:
        terminal.load_chosen(engine, options.model, settings, cancel)
        yield engine, clean_text(text), cancel


def _given_text(options: argparse.Namespace) -> str | None:
    """Return the command line's text; -p also takes a file's name."""
    if options.file is not None:
        return _read_text(options.file)
    prompt: str | None = options.prompt
    try:
        # A name is a line; asked of the system, a long text raises.
        is_file = bool(prompt) and "\n" not in str(prompt) and Path(str(prompt)).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero
        is_file = False
    return _read_text(Path(str(prompt))) if is_file else prompt


def _read_text(path: Path) -> str:
    """Read a UTF-8 text file; others are refused."""
    with path.open("rb") as file:
        # One byte more than allowed tells too large without reading all of it.
        data = file.read(MOST_FILE_BYTES + 1)
    # A zero byte in the beginning: pictures, models and archives have one.
    if len(data) > MOST_FILE_BYTES or b"\0" in data[:4096]:
        print(tr(NOT_TEXT, name=path.name), file=sys.stderr)
        raise SystemExit(1)
    return data.decode("utf-8", "replace")


def _read_tokens(engine: Engine, text: str, cancel: CancelToken, *, most: int) -> list[TokenSeen]:
    found: list[TokenSeen] = []
    with terminal.TerminalProgress() as line:
        for event in looks.read_probabilities(engine, text, most=most, cancel=cancel):
            if not isinstance(event, PromptProgress):
                found.append(event)
            elif event.done_tokens < event.total_tokens:
                line.show(
                    tr("Reading"),
                    tr_count(
                        "{done:,} of {count} token",
                        "{done:,} of {count} tokens",
                        event.total_tokens,
                        done=event.done_tokens,
                    ),
                )
    if cancel.cancelled:
        raise KeyboardInterrupt
    return found


def _probability_fields(token: TokenSeen) -> dict[str, Any]:
    known = token.rank >= 0
    return {
        "token": _decode_text(token.data),
        "probability": round(math.exp(token.log_probability), 6) if known else None,
        "rank": token.rank if known else None,
        "alternatives": [_guess_fields(guess) for guess in token.alternatives],
    }


def _guess_fields(guess: Guess) -> dict[str, Any]:
    return {"text": _decode_text(guess.data), "probability": round(guess.probability, 6)}


def _decode_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _round_rows(rows: list[list[float]]) -> list[list[float]]:
    # Six digits are enough: a map of 500 tokens has a quarter of a million numbers.
    return [[float(f"{share:.6g}") for share in row] for row in rows]


def _out_of_range(text: Translatable, last: int) -> int:
    print(tr(text, last=last), file=sys.stderr)
    return 2


def _print_anatomy(found: ModelAnatomy) -> None:
    print(f"{found.name} ({found.architecture})")
    print(
        tr(
            "Weights: {parameters:,} in {size:,.0f} MB, {bits:.2f} bits each",
            parameters=found.parameters,
            size=found.size_bytes / 1e6,
            bits=found.bits_per_weight,
        )
    )
    print(tr("Layers: {layers} of width {width:,}", layers=found.layers, width=found.width))
    heads = tr("Heads: {heads} of {width}", heads=found.heads, width=found.key_length)
    shared = tr("(for keys and values: {heads})", heads=found.kv_heads) if found.kv_heads != found.heads else ""
    print(f"{heads} {shared}".rstrip())
    if found.experts:
        print(tr("Experts: {experts}, used per token: {used}", experts=found.experts, used=found.experts_used))
    tokens, context = found.vocabulary, found.context_tokens
    print(tr("Vocabulary, in tokens: {tokens:,}; context: {context:,}", tokens=tokens, context=context))
    print(tr("Memory per token, in bytes: {bytes:,}", bytes=found.kv_bytes_per_token))
    for part in found.parts:
        share = part.parameters / max(1, found.parameters)
        print(f"  {part.name.replace('_', ' '):<14}{part.parameters:>16,}  {share:>6.1%}  {tr(part.explanation)}")
    for words, text in found.about:
        print(f"{words}: {text}")
