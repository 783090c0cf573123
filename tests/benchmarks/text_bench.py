"""Half a gigabyte of text: how much memory reading it as a stream takes, and how fast it is beside reading at once."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from comparing import compared, in_turns, progress
from run import ROOT, Row

from tests.helpers.text_files import LANGUAGES

SIZE_BYTES = 500_000_000
ROUNDS = 3
MOST_MB = 100.0

_MEASURE = """
import json, resource, sys, time
from pathlib import Path
path = Path(sys.argv[1])
began_s = time.process_time()
{body}
taken_s = time.process_time() - began_s
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([taken_s, peak_kb / (1024 if sys.platform == "linux" else 1024 * 1024)]))
"""
_AT_ONCE = "text = path.read_bytes().decode()"
_DECODED = """
from app.documents.encoding import stream
with path.open("rb") as file:
    for chunk in stream(file):
        pass
"""
_READ = """
from app.documents.formats.plain.plain_text import read
from app.documents.source import FileSource
for item in read(FileSource(path)):
    pass
"""


def rows() -> Iterator[Row]:
    """Decoding as a stream is held against decoding at once; the reader, which also makes blocks, is told beside it."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        path = Path(name) / "long.txt"
        _write(path)
        ways = [lambda _, body=body: _measured(path, body) for body in (_DECODED, _READ, _AT_ONCE)]
        streamed, read, at_once = in_turns(ways, ROUNDS)
    for label, measured in (("decoded_stream", streamed), ("text_reader", read)):
        peak_mb = max(peak for _, peak in measured)
        yield Row(f"{label}_of_500_MB_peak", round(peak_mb, 1), "MB", MOST_MB, at_most=1.0)
    seconds = [[taken_s for taken_s, _ in each] for each in (streamed, read, at_once)]
    peak = f"at once {max(peak for _, peak in at_once):.0f} MB"
    yield compared("decoded_stream_of_500_MB_cpu", seconds[0], seconds[2], "s", note=peak)
    yield compared("text_reader_of_500_MB_cpu", seconds[1], seconds[2], "s", note=peak)


def _write(path: Path) -> None:
    """Paragraphs of prose, mostly of ASCII, each with a number of its own."""
    progress(f"writing {SIZE_BYTES // 1_000_000} MB")
    paragraphs = [LANGUAGES[language] for language in ("english", "english", "german", "english")]
    number = 0
    with path.open("wb") as file:
        while file.tell() < SIZE_BYTES:
            part = "".join(f"{number + at} {' '.join(paragraphs)}\n\n" for at in range(2000))
            file.write(part.encode())
            number += 2000


def _measured(path: Path, body: str) -> tuple[float, float]:
    """CPU seconds and peak MB of a process of its own."""
    code = _MEASURE.format(body=body)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=600, check=True
    )
    taken_s, peak_mb = json.loads(done.stdout)
    progress(f"{taken_s:.1f} s, {peak_mb:.0f} MB")
    return taken_s, peak_mb
