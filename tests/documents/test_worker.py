"""The document child's work on one file, mostly in this process: what it tells, and what becomes of trouble."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.core.child import BEAT, BEAT_EVERY_S, CHECKOUT, LEAST_WORK, own_command
from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentTooDemanding, DocumentUnreadable
from app.core.wire import Caged, Failed, Greeting
from app.documents import worker
from app.documents.blocks import Block, BlockKind, BlockPiece
from app.documents.child_files import check_file, reason_of
from app.documents.clean import MOST_REMARKS, RemarkCounts
from app.documents.protocol import WIRE, BlocksRead, Done, Event, Found, Read
from app.documents.source import Item, Opened, PageRead, ReadingRemark
from app.documents.worker import WorkerProgress, last_event
from tests.helpers.documents import WORDS
from tests.helpers.program import wait_until

Items = list[Item]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with something in it."""
    path = tmp_path / "file.txt"
    path.write_text(WORDS)
    return path


def carry_out(path: Path, items: Iterator[Item], monkeypatch: pytest.MonkeyPatch) -> tuple[list[Event], Event]:
    """What is told while a reader yields these items, and what at last."""
    told: list[Event] = []
    monkeypatch.setattr(worker, "reader_for", lambda format_: lambda source: items)
    last = last_event(Read(str(path)), told.append)
    return told, last


def of_items(path: Path, items: Items, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Event], Done]:
    told, last = carry_out(path, iter(items), monkeypatch)
    assert isinstance(last, Done), last
    return told, last


def problem(path: Path) -> Any:
    """The situation that a file ends with."""
    last = last_event(Read(str(path)), lambda event: None)
    assert isinstance(last, Failed)
    return last.error


def blocks_of(told: list[Event]) -> list[Block]:
    return [block for event in told if isinstance(event, BlocksRead) for block in event.blocks]


# What is told


def test_a_file_is_told_in_order_and_summed_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, done = of_items(
        path,
        [
            Opened("page", 3, "  A\u200b title\n", ""),
            BlockPiece(BlockKind.HEADING, "Title", 1, level=1),
            BlockPiece(BlockKind.PARAGRAPH, WORDS, 1),
            PageRead(1),
            PageRead(2, has_text=False, is_picture=True),
            BlockPiece(BlockKind.PARAGRAPH, "read from a picture", 3),
            PageRead(3, has_text=True, is_picture=True, recognized=True),
        ],
        monkeypatch,
    )
    assert told[0] == Found("text", Opened("page", 3, "A title", ""))
    assert [type(event) for event in told if not isinstance(event, BlocksRead)] == [Found, PageRead, PageRead, PageRead]
    assert [(block.id, block.page, block.heading_path) for block in blocks_of(told)] == [
        (1, 1, ()), (2, 1, ("Title",)), (3, 3, ("Title",))
    ]  # fmt: skip
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert done == Done(3, (2,), 3, "en", sha256, (ReadingRemark("recognized"),))


def test_a_pages_blocks_come_before_its_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: Items = []
    for page in range(1, 20):
        pages += [BlockPiece(BlockKind.PARAGRAPH, f"{page}.{number}", page) for number in range(3)] + [PageRead(page)]
    told, _ = of_items(path, [Opened("page", 19), *pages], monkeypatch)
    reached = 0
    for event in told:
        if isinstance(event, BlocksRead):
            reached = event.blocks[-1].page or 0
        elif isinstance(event, PageRead):
            assert event.page == reached


def test_the_first_block_is_told_at_once_and_the_others_five_times_a_second(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [100.0]
    monkeypatch.setattr("app.documents.worker.time.monotonic", lambda: now_s[0])
    told: list[Event] = []
    counts: list[int] = []

    def items() -> Iterator[Item]:
        yield Opened()
        for number in range(100):
            yield BlockPiece(BlockKind.PARAGRAPH, f"{number}")
            counts.append(len(blocks_of(told)))
            now_s[0] += 0.01

    monkeypatch.setattr(worker, "reader_for", lambda format_: lambda source: items())
    last_event(Read(str(path)), told.append)
    assert counts[0] == 1
    assert all(number - count < 20 for number, count in enumerate(counts))  # 0.2 s
    assert len([event for event in told if isinstance(event, BlocksRead)]) <= 15
    assert [block.text for block in blocks_of(told)] == [str(number) for number in range(100)]


def test_a_line_stays_far_below_what_a_child_may_say(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [BlockPiece(BlockKind.PARAGRAPH, "ä" * 900_000) for _ in range(5)] + [
        BlockPiece(BlockKind.TABLE, "😀\t" * 2_000_000)
    ]
    pieces += [BlockPiece(BlockKind.PARAGRAPH, "x") for _ in range(20_000)]
    told, done = of_items(path, [Opened(), *pieces], monkeypatch)
    lines = [WIRE.encode_message(event) for event in told]
    assert max(map(len, lines)) < 32_000_000
    assert sum(len(block.text) for block in blocks_of(told)) == 5 * 900_000 + 4_000_000 + 20_000
    assert done.blocks == len(blocks_of(told))


def test_a_long_heading_is_not_repeated_with_every_block(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [
        BlockPiece(BlockKind.HEADING, "h" * 1_000_000, level=1),
        *(BlockPiece(BlockKind.PARAGRAPH, "x") for _ in range(1000)),
    ]
    told, _ = of_items(path, [Opened(), *pieces], monkeypatch)
    assert sum(map(len, map(WIRE.encode_message, told))) < 2_000_000


def test_hidden_characters_are_taken_out_and_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [
        BlockPiece(BlockKind.PARAGRAPH, "ig\u200bnore\u202e this"),
        BlockPiece(BlockKind.PARAGRAPH, "\ufeff\u2060"),
        BlockPiece(BlockKind.PARAGRAPH, "b"),
    ]
    told, done = of_items(path, [Opened(), *pieces], monkeypatch)
    assert [block.text for block in blocks_of(told)] == ["ignore this", "b"]
    assert done.remarks == (ReadingRemark("hidden_characters", {"count": 4}),)


def test_remarks_of_a_kind_are_added_up_and_others_kept_apart() -> None:
    remarks = RemarkCounts()
    for remark in (
        ReadingRemark("pictures", {"count": 2}),
        ReadingRemark("hidden", {"unit": "sheet", "name": "A"}),
        ReadingRemark("pictures", {"count": 3}),
        ReadingRemark("hidden", {"unit": "sheet", "name": "B"}),
        ReadingRemark("hidden", {"unit": "sheet", "name": "A"}),
    ):
        remarks.add(remark)
    assert [(each.name, each.values.get("count", each.values.get("name"))) for each in remarks.all()] == [
        ("pictures", 5), ("hidden", "A"), ("hidden", "B")
    ]  # fmt: skip


def test_there_is_an_end_to_remarks() -> None:
    remarks = RemarkCounts()
    for number in range(10_000):
        remarks.add(ReadingRemark("missing_part", {"part": f"{number}\ud800"}))
    assert len(remarks.all()) == MOST_REMARKS
    assert remarks.all()[0].values == {"part": "0\ufffd"}


def test_a_wrong_ending_is_told(tmp_path: Path) -> None:
    path = tmp_path / "words.pdf"
    path.write_text(WORDS)
    last = last_event(Read(str(path)), lambda event: None)
    assert isinstance(last, Done)
    assert last.remarks == (ReadingRemark("really", {"format": "text", "ending": ".pdf"}),)


# What becomes of trouble


@pytest.mark.parametrize("items", [[], [BlockPiece(BlockKind.PARAGRAPH, " \n\t\u200b")], [PageRead(1, has_text=False)]])
def test_a_file_without_words_is_told(path: Path, items: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    _, last = carry_out(path, iter([Opened("page", 1), *items]), monkeypatch)
    assert isinstance(last, Failed)
    assert vars(last.error) == {"path": str(path), "reason": "no_text"}


def test_pages_that_are_pictures_are_something(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, done = of_items(path, [Opened("page", 1), PageRead(1, has_text=False, is_picture=True)], monkeypatch)
    assert (done.pages, done.pages_without_text, done.blocks, done.language) == (1, (1,), 0, "")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (MemoryError(), ("DocumentTooDemanding", "memory")),
        (OSError(errno.ENOMEM, "a mapped file"), ("DocumentTooDemanding", "memory")),
        (RecursionError("too deep"), ("DocumentUnreadable", "too_deep")),
        (ValueError("SECRET WORDS"), ("DocumentUnreadable", "damaged")),
        (KeyError("SECRET WORDS"), ("DocumentUnreadable", "damaged")),
        (AssertionError("SECRET WORDS"), ("DocumentUnreadable", "damaged")),
        (OSError(errno.EIO, "SECRET WORDS"), ("DocumentUnreadable", "denied")),
        (OSError("SECRET WORDS"), ("DocumentUnreadable", "damaged")),
        (FileNotFoundError(errno.ENOENT, "gone"), ("DocumentUnreadable", "missing")),
        (PermissionError(errno.EACCES, "no"), ("DocumentUnreadable", "denied")),
        (DocumentUnreadable("x", "drm"), ("DocumentUnreadable", "drm")),
        (DocumentTooDemanding("x", "time"), ("DocumentTooDemanding", "time")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_a_reader_raises_is_a_situation(
    path: Path,
    raised: Exception,
    expected: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def items() -> Iterator[Item]:
        yield Opened()
        yield BlockPiece(BlockKind.PARAGRAPH, "some")
        raise raised

    _, last = carry_out(path, items(), monkeypatch)
    assert isinstance(last, Failed)
    error: Any = last.error
    assert (type(error).__name__, getattr(error, "reason", None) or error.limit) == expected
    said = capfd.readouterr().err
    assert "SECRET" not in said
    if not isinstance(raised, AppError | MemoryError | RecursionError) and expected[1] != "memory":
        assert f"{type(raised).__name__}\n" in said
        assert "test_worker.py" in said


@pytest.mark.parametrize("change", ["grow", "touch", "replace"])
def test_a_file_that_changes_meanwhile_is_told(path: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def items() -> Iterator[Item]:
        yield Opened()
        yield BlockPiece(BlockKind.PARAGRAPH, "some")
        if change == "grow":
            with path.open("a") as file:
                file.write("more")
        elif change == "touch":
            os.utime(path, (1, 1))
        else:
            before = path.stat()
            other = path.with_name("other")
            other.write_bytes(path.read_bytes())
            os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
            other.replace(path)

    _, last = carry_out(path, items(), monkeypatch)
    assert isinstance(last, Failed)
    assert vars(last.error) == {"path": str(path), "reason": "changed"}


def test_a_file_that_vanishes_meanwhile_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def items() -> Iterator[Item]:
        yield Opened()
        yield BlockPiece(BlockKind.PARAGRAPH, "some")
        path.unlink()

    _, last = carry_out(path, items(), monkeypatch)
    assert isinstance(last, Failed)
    assert vars(last.error) == {"path": str(path), "reason": "missing"}


def test_only_a_regular_file_is_ever_opened(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe.pdf", tmp_path / "loop.pdf"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    (tmp_path / "empty.pdf").touch()
    reasons = {
        str(path): problem(path).reason
        for path in (tmp_path, pipe, loop, Path("/dev/zero"), tmp_path / "empty.pdf", tmp_path / "gone.pdf")
    }
    assert list(reasons.values()) == ["folder", "not_a_file", "not_a_file", "not_a_file", "empty", "missing"]
    assert problem(Path("nul\0.pdf")).reason == "missing"
    assert problem(Path("x" * 5000)).reason == "missing"
    assert problem(tmp_path / "\ud800.pdf").reason == "missing"


def test_a_link_to_a_file_is_followed(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(path)
    assert check_file(link).st_size == len(WORDS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(path: Path) -> None:
    path.chmod(0)
    assert problem(path).reason == "denied"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        *((number, "denied") for number in (errno.EACCES, errno.EPERM, errno.EIO)),
        (errno.EISDIR, "folder"),
        (errno.ELOOP, "not_a_file"),
        *((number, "damaged") for number in (errno.EINVAL, errno.EMFILE, None)),
        (errno.ENOENT, "missing"),
        (errno.ESTALE, "changed"),
    ],
)
def test_what_the_system_refuses_has_a_reason(number: int | None, reason: str) -> None:
    assert reason_of(OSError(number, "x") if number else OSError("x")) == reason


# The process


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """A child with pipes."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=CHECKOUT, stdin=pipe, stdout=pipe, stderr=pipe)


def test_a_child_leaves_when_its_input_closes() -> None:
    with start(own_command("--document-worker")) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out.count(b"\n"), err) == (0, 1, b"")  # it greeted


def test_a_child_that_is_asked_nonsense_leaves_with_its_own_exit_code() -> None:
    with start(own_command("--document-worker")) as process:
        assert process.stdin
        process.stdin.write(b'{"version": 99}\n')
        process.stdin.flush()
        assert process.wait(20) == worker.DEFECT_EXIT_CODE


def test_starting_imports_no_parser(tmp_path: Path) -> None:
    program = (
        "import sys, app.documents.worker\n"
        "heavy = {'pypdfium2', 'lxml', 'lxml.etree', 'python_calamine', 'numpy', 'py3langid', 'striprtf', 'psutil'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_limits_are_set_before_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text(WORDS)
    program = (
        "import resource, sys\n"
        "from app.documents import worker\n"
        "def last_event(request, tell, on_step, open_file):\n"
        "    names = ('RLIMIT_AS', 'RLIMIT_CORE', 'RLIMIT_FSIZE')\n"
        "    print([resource.getrlimit(getattr(resource, name)) for name in names], file=sys.stderr)\n"
        "    return worker.Failed(worker.DocumentUnreadable(request.path, 'damaged'))\n"
        "worker.last_event = last_event\n"
        "worker.main([])\n"
    )
    with start([sys.executable, "-c", program]) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(WIRE.encode_message(Read(str(path), memory_bytes=700_000_000)))
        process.stdin.flush()
        lines = (line for line in process.stdout if line != BEAT)
        replies = [WIRE.parse_reply(next(lines)) for _ in range(3)]
        assert [type(reply) for reply in replies] == [Greeting, Caged, Failed]
        process.stdin.close()
        said = json.loads(process.stderr.read().decode().replace("(", "[").replace(")", "]"))
    assert said == [[700_000_000] * 2, [0, 0], [200_000_000] * 2]


# Whether it gets on

COMPUTES = "while True: pass"
SLEEPS = "import time; time.sleep(600)"


def grows(progress: WorkerProgress) -> Callable[[], bool]:
    """Whether a figure has grown since this was asked last, as the heart of a child asks."""
    seen = progress.figures()

    def did() -> bool:
        nonlocal seen
        before, seen = seen, progress.figures()
        return any(now - then > LEAST_WORK * BEAT_EVERY_S for now, then in zip(seen, before, strict=True))

    return did


def test_each_step_is_progress() -> None:
    progress = WorkerProgress(patience_s=0)
    with progress.at_work():
        did = grows(progress)
        assert not did()
        progress.step()
        assert did()
        assert not did()


def test_computing_without_a_step_is_progress_for_a_while_only() -> None:
    progress = WorkerProgress(patience_s=0.2)
    with progress.at_work(), ThreadPoolExecutor(1) as heart:
        did = heart.submit(grows, progress).result()

        def beats() -> bool:
            sum(range(1_000_000))
            return heart.submit(did).result()

        assert beats()
        wait_until(lambda: not beats(), "the patience to end")
        assert not beats()
        progress.step()
        assert beats()


@pytest.mark.parametrize(("code", "gets_on"), [(COMPUTES, True), (SLEEPS, False)], ids=["computes", "hangs"])
def test_waiting_for_a_program_is_progress_where_that_computes(code: str, gets_on: bool) -> None:
    progress = WorkerProgress(patience_s=0)
    with progress.at_work(), subprocess.Popen([sys.executable, "-c", code]) as program:
        try:
            did = grows(progress)
            for _ in range(3):
                wait_until(did if gets_on else lambda: not any(did() for _ in range(20)), "it to be seen")
        finally:
            program.kill()
