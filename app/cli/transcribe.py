"""`transcribe FILE` in the terminal: what is said in a recording, with its times, also as a file of subtitles."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from app.cli import terminal
from app.core.catalogue import tr
from app.core.counted_units import count_units
from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths
from app.documents.formats.sound import is_sound
from app.documents.protocol import BlocksRead, Done, Found, Read
from app.documents.source import PageRead
from app.features.models.model_engines import build_engine
from app.features.transcribe import (
    RecordingTranscriber,
    SpokenSegment,
    build_hearing,
    format_clock,
    segment_of,
    srt_of,
    text_of,
)
from app.features.work.saved_file import write_file
from app.store.document_store import opened_readings

KEPT_SO_FAR = "The transcript of {name} so far is kept. Run the same command to continue."


def add_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument("file", metavar="FILE", type=Path, help=tr("a recording: WAV, FLAC, MP3 or OGG"))
    terminal.add_model_option(part, "a GGUF file of a model that can hear (default: the chosen one)")
    part.add_argument(
        "--projector",
        metavar="FILE",
        type=Path,
        help=tr("its audio projector file (default: the one next to the model)"),
    )
    part.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=_parse_output,
        help=tr("file to write: subtitles (.srt), text (.txt) or .json"),
    )
    terminal.add_json(part, run_transcribe)


def run_transcribe(options: argparse.Namespace) -> int:
    """`transcribe`: Ctrl+C ends it with 130; what was heard until then is not heard again by the same command."""
    path = options.file.expanduser().absolute()
    if not is_sound(path):
        # Before an engine is started: what is no recording is told at once.
        raise DocumentUnreadable(str(path), "not_sound" if path.is_file() else "missing")
    paths = AppPaths.from_environment()
    settings = terminal.stored_settings()
    with (
        closing(build_engine(paths, sees=True)) as engine,
        # What was heard is kept, and the same command goes on from there.
        opened_readings(paths.database) as kept,
        terminal.interruptible_token() as cancel,
    ):
        terminal.load_chosen(engine, options.model, settings, cancel, projector=options.projector)
        segments, done = _transcribe_file(build_hearing(paths, lambda: engine, kept), path, cancel)
    if done is None:
        if segments and kept is not None:
            print(tr(KEPT_SO_FAR, name=path.name), file=sys.stderr)
        return terminal.INTERRUPTED
    told = {
        "file": path.name,
        # Silence has no last segment; pages are minutes here.
        "seconds": done.pages * 60 if not segments else segments[-1].end_s,
        "language": done.language or None,
        "segments": [dataclasses.asdict(segment) for segment in segments],
    }
    # Written through a scratch file: a file that was there is replaced only when this one is whole.
    if options.output is not None:
        with write_file(options.output) as file:
            file.write(_WRITERS[options.output.suffix.lower()](segments).encode("utf-8"))
    if options.json:
        terminal.print_json(told)
    elif options.output is None:
        print("\n".join(f"{format_clock(segment.start_s)}  {segment.text}" for segment in segments))
    # Said on standard error: an empty output is what other programs should see.
    if not segments:
        print(tr("No speech found in {name}, or the model can’t hear it.", name=path.name), file=sys.stderr)
    return 0


def _transcribe_file(
    hearing: RecordingTranscriber, path: Path, cancel: CancelToken
) -> tuple[list[SpokenSegment], Done | None]:
    """Transcribe a file; without `Done` when cancelled."""
    segments: list[SpokenSegment] = []
    done: Done | None = None
    minutes = 0
    with terminal.TerminalProgress() as line:
        line.show(tr("Transcribing {name}", name=path.name))
        for event in hearing.read_recording(Read(str(path)), cancel):
            match event:
                case Found(opened=opened):
                    minutes = opened.pages
                case BlocksRead(blocks=blocks):
                    segments += map(segment_of, blocks)
                case PageRead(page=page):
                    line.show(
                        tr("Transcribing {name}", name=path.name),
                        tr("{page:,} of {pages}", page=page, pages=count_units("minute", minutes)),
                    )
                case Done():
                    done = event
    return segments, done


def _as_json(segments: Sequence[SpokenSegment]) -> str:
    return (
        json.dumps({"segments": [dataclasses.asdict(segment) for segment in segments]}, ensure_ascii=False, indent=1)
        + "\n"
    )


_WRITERS: dict[str, Callable[[Sequence[SpokenSegment]], str]] = {".srt": srt_of, ".txt": text_of, ".json": _as_json}


def _parse_output(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in _WRITERS:
        raise argparse.ArgumentTypeError(tr(terminal.END_IN_ONE, endings=join_entries(_WRITERS)))
    return path
