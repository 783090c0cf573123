"""Segments found and files written by the real child: what is refused, what is left, what a failure leaves."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.engine_errors import ProtocolViolation
from app.core.errors.saving_errors import FolderNotWritable
from app.core.events import CancelToken
from app.documents import read_document, segment_pass
from app.documents.child_files import write_translations
from app.documents.limits import MOST_REWRITTEN_BYTES, MOST_WRITTEN_BYTES
from app.documents.protocol import Rewrite, Rewritten, Segments, SegmentsDone, SegmentsRead, SegmentsWritten
from app.documents.segments import Content, Mark, Segment, SegmentKind
from tests.helpers.documents import WORDS, good_pdf, long_text, only_child
from tests.helpers.rewriting import by_the_child, reversed_words

TEXT = f"{WORDS}\n\nA second paragraph with **bold** words.\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where children work."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two segments, the second of which has marks."""
    path = tmp_path / "file.md"
    path.write_text(TEXT)
    return path


def find(path: Path, work: Path, **fields: Any) -> tuple[list[Segment], SegmentsDone]:
    segments, last = list[Segment](), None
    for event in read_document.find_segments(Segments(str(path), **fields), folder=work, cancel=CancelToken()):
        if isinstance(event, SegmentsRead):
            segments += event.segments
        else:
            last = event
    assert last is not None
    return segments, last


def write(
    path: Path, out: Path, work: Path, translations: dict[int, Content], **fields: Any
) -> list[SegmentsWritten | Rewritten]:
    lines = work / "translations.jsonl"
    write_translations(lines, translations.items())
    fields = {"language": "de", "is_rtl": False, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | fields
    request = Rewrite(str(path), str(out), str(lines), **fields)
    return list(read_document.rewrite(request, folder=work, cancel=CancelToken()))


def test_segments_are_found_in_order_and_summed_up(path: Path, work: Path) -> None:
    segments, done = find(path, work)
    assert [segment.text for segment in segments] == [WORDS, "A second paragraph with bold words."]
    assert segments[1].content[1] == Mark("open", 1, "bold")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert done == SegmentsDone("markdown", 2, "en", sha256, ())
    assert list(work.iterdir()) == []


def test_a_file_is_written_with_the_translations_of_its_segments(path: Path, tmp_path: Path, work: Path) -> None:
    out = tmp_path / "out.md"
    done, last = by_the_child(path, out, work, reversed_words)
    assert (done.segments, last) == (2, Rewritten(2, 2))
    assert out.read_text() == f"{WORDS[::-1]}\n\nhtiw hpargarap dnoces A **dlob** .sdrow\n"
    assert path.read_text() == TEXT


def test_a_file_without_translations_is_written_as_it_was(path: Path, tmp_path: Path, work: Path) -> None:
    events = write(path, tmp_path / "out.md", work, {})
    assert events[-1] == Rewritten(2, 0)
    assert (tmp_path / "out.md").read_text() == TEXT


def test_the_source_given_back_replaces_nothing(path: Path, tmp_path: Path, work: Path) -> None:
    segments, _ = find(path, work)
    events = write(path, tmp_path / "out.md", work, {segment.id: segment.content for segment in segments})
    assert events[-1] == Rewritten(2, 0)


@pytest.mark.parametrize(
    "content",
    [
        ("no marks",),
        (Mark("open", 1), "not closed"),
        (Mark("close", 1), "the wrong way round", Mark("open", 1)),
        (Mark("open", 1), "twice", Mark("close", 1), Mark("open", 1), Mark("close", 1)),
        (Mark("open", 2), "another number", Mark("close", 2)),
        (Mark("open", 1), "one more", Mark("close", 1), Mark("single", 2)),
    ],
)
def test_a_translation_with_other_marks_is_refused_and_told(
    path: Path, tmp_path: Path, work: Path, content: Content
) -> None:
    events = write(path, tmp_path / "out.md", work, {1: ("Eins.",), 2: content})
    assert events[-1] == Rewritten(2, 1, (2,))
    assert (tmp_path / "out.md").read_text() == TEXT.replace(WORDS, "Eins.")


def test_marks_may_stand_in_another_order_and_need_not_say_how_they_look(
    path: Path, tmp_path: Path, work: Path
) -> None:
    write(path, tmp_path / "out.md", work, {2: (Mark("open", 1), "Fette", Mark("close", 1), " Wörter.")})
    assert (tmp_path / "out.md").read_text() == f"{WORDS}\n\n**Fette** Wörter.\n"


def test_characters_that_no_text_has_are_taken_out_of_a_translation(path: Path, tmp_path: Path, work: Path) -> None:
    write(path, tmp_path / "out.md", work, {1: ("Ei\0n\x1bs\ud800",)})
    assert (tmp_path / "out.md").read_text() == TEXT.replace(WORDS, "Eins\ufffd")


def test_hidden_characters_are_taken_out_and_counted(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("Some\u200b words\u202e here.\n")
    segments, done = find(path, work)
    assert [segment.text for segment in segments] == ["Some words here."]
    assert [(remark.name, remark.values) for remark in done.remarks] == [("hidden_characters", {"count": 2})]
    events = write(path, tmp_path / "out.txt", work, {1: ("Some words here.",)})
    assert events[-1] == Rewritten(1, 0)
    assert (tmp_path / "out.txt").read_text() == path.read_text()


def test_a_file_that_is_another_one_by_now_is_refused(path: Path, tmp_path: Path, work: Path) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        write(path, tmp_path / "out.md", work, {}, sha256="0" * 64)
    assert caught.value.reason == "changed"
    assert not (tmp_path / "out.md").exists()


def test_a_format_in_which_nothing_can_be_written_is_refused(tmp_path: Path, work: Path) -> None:
    path = good_pdf(tmp_path / "file.pdf")
    for attempt in (lambda: find(path, work), lambda: write(path, tmp_path / "out.pdf", work, {})):
        with pytest.raises(DocumentUnreadable) as caught:
            attempt()
        assert vars(caught.value) == {"path": str(path), "reason": "not_rewritable"}
    assert not (tmp_path / "out.pdf").exists()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.txt", b" \n\n \n", "no_text"),
        ("program.txt", b"\x7fELF\x02\x01\x01" + bytes(99), "not_text"),
    ],
)
def test_a_file_without_text_is_refused_as_it_is_for_reading(
    tmp_path: Path, work: Path, name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DocumentUnreadable) as caught:
        find(tmp_path / name, work)
    assert caught.value.reason == reason


def test_no_file_is_written_over(path: Path, tmp_path: Path, work: Path) -> None:
    out = tmp_path / "out.md"
    out.write_text("mine")
    for taken in (out, path):
        with pytest.raises(FileExistsError):
            write(path, taken, work, {1: ("Eins.",)})
    assert (out.read_text(), path.read_text()) == ("mine", TEXT)


def test_a_folder_that_is_not_there_is_told(path: Path, tmp_path: Path, work: Path) -> None:
    with pytest.raises(FolderNotWritable) as caught:
        write(path, tmp_path / "none" / "out.md", work, {})
    assert caught.value.path == str(tmp_path / "none")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_the_child_writes_to_nothing_but_an_empty_file(path: Path, tmp_path: Path, work: Path) -> None:
    from app.documents.segment_pass import rewritten

    lines = tmp_path / "lines"
    lines.write_bytes(b"")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    for out in (path, Path("/dev/full")):
        with pytest.raises(ProtocolViolation):
            rewritten(Rewrite(str(path), str(out), str(lines), "de", False, sha256), lambda event: None)


@pytest.mark.parametrize("line", [b"words\n", b'{"id": 1, "content": [["odd", 1]]}\n', b'{"id": 1, "content"\n', b"\n"])
def test_lines_that_are_no_translations_are_refused(path: Path, tmp_path: Path, work: Path, line: bytes) -> None:
    (work / "lines").write_bytes(line)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    request = Rewrite(str(path), str(tmp_path / "out"), str(work / "lines"), "de", False, sha256)
    with pytest.raises(ProtocolViolation):
        list(read_document.rewrite(request, folder=work, cancel=CancelToken()))
    assert not (tmp_path / "out").exists()


def test_of_two_translations_the_last_holds(path: Path, tmp_path: Path, work: Path) -> None:
    (work / "lines").write_text("".join(f"{json.dumps({'id': 1, 'content': [each]})}\n" for each in ("Eins", "Zwei")))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    request = Rewrite(str(path), str(tmp_path / "out"), str(work / "lines"), "de", False, sha256)
    list(read_document.rewrite(request, folder=work, cancel=CancelToken()))
    assert (tmp_path / "out").read_text() == TEXT.replace(WORDS, "Zwei")


def test_a_cancelled_rewriting_leaves_no_file(tmp_path: Path, work: Path) -> None:
    path, cancel = long_text(tmp_path / "long.txt", 3_000_000), CancelToken()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    write_translations(work / "lines", [])
    request = Rewrite(str(path), str(tmp_path / "out"), str(work / "lines"), "de", False, sha256)
    events = list[Any]()
    for event in read_document.rewrite(request, folder=work, cancel=cancel):
        events.append(event)
        if isinstance(event, SegmentsWritten) and event.segments:
            cancel.cancel()
    assert not any(isinstance(event, Rewritten) for event in events)
    assert not (tmp_path / "out").exists()


def test_a_rewriting_that_nobody_goes_on_with_leaves_no_file(tmp_path: Path, work: Path) -> None:
    path = long_text(tmp_path / "long.txt", 3_000_000)
    write_translations(work / "lines", [])
    request = Rewrite(str(path), str(tmp_path / "out"), str(work / "lines"), "de", False, "")
    events = read_document.rewrite(request, folder=work, cancel=CancelToken())
    next(events)
    events.close()
    assert not (tmp_path / "out").exists()


def test_progress_never_goes_back(tmp_path: Path, work: Path) -> None:
    path = long_text(tmp_path / "long.txt", 3_000_000)
    events = write(path, tmp_path / "out.txt", work, {})
    counts = [event.segments for event in events if isinstance(event, SegmentsWritten)]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert (tmp_path / "out.txt").read_bytes() == path.read_bytes()


def test_a_child_may_write_a_larger_file_than_one_that_only_reads(tmp_path: Path, work: Path) -> None:
    path = long_text(tmp_path / "long.txt", 3_000_000)
    write_translations(work / "lines", [])
    request = Rewrite(str(path), str(tmp_path / "out"), str(work / "lines"), "de", False, "")
    segments = Segments(str(path))
    most: list[int] = []
    for events in (
        read_document.rewrite(request, folder=work, cancel=CancelToken()),
        read_document.find_segments(segments, folder=work, cancel=CancelToken()),
    ):
        next(events)
        most.append(psutil.Process(only_child()).rlimit(psutil.RLIMIT_FSIZE)[0])
        events.close()
    assert most == [MOST_REWRITTEN_BYTES, MOST_WRITTEN_BYTES]


def test_a_cancel_before_it_began_finds_nothing(path: Path, work: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    assert list(read_document.find_segments(Segments(str(path)), folder=work, cancel=cancel)) == []


def test_something_comes_five_times_a_second_while_segments_are_found(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal
    import time

    from tests.helpers.documents import look_by_look

    path = long_text(tmp_path / "long.txt", 20_000_000)
    events = read_document.find_segments(Segments(str(path)), folder=work, cancel=CancelToken())
    next(events)
    os.kill(only_child(), signal.SIGSTOP)
    look_by_look(monkeypatch)
    waited_s = list[float]()
    pulses = 0
    while pulses < 5:
        asked_s = time.monotonic()
        pulses += next(events) == SegmentsRead(())
        waited_s.append(time.monotonic() - asked_s)
    events.close()
    assert max(waited_s) < 0.4


def test_a_text_too_long_to_be_one_segment_is_left_and_told(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(segment_pass, "MOST_CHARACTERS", 60)
    path = tmp_path / "file.txt"
    path.write_text(f"{WORDS}\n\nShort.\n")
    told = list[Any]()
    done = segment_pass.rewritten(Segments(str(path)), told.append)
    assert isinstance(done, SegmentsDone)
    assert [segment.id for event in told for segment in event.segments] == [2]
    assert [(remark.name, remark.values) for remark in done.remarks] == [("long_segments", {"count": 1})]


def test_what_a_rewriter_raises_counts_as_damage(path: Path, work: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"a": "Some words here')
    with pytest.raises(AppError) as caught:
        find(broken, work)
    assert isinstance(caught.value, DocumentUnreadable)
    assert caught.value.reason == "damaged"


def test_a_translation_goes_through_the_file_as_it_was(tmp_path: Path) -> None:
    from app.documents.child_files import TranslationsFile

    content = ("Zwei ", Mark("open", 1, "bold"), "ä\u2028\n", Mark("close", 1), Mark("single", 2, "code", "x"))
    write_translations(tmp_path / "lines", [(7, content), (123456789, ())])
    found = TranslationsFile(tmp_path / "lines")
    assert (found.find(7), found.find(123456789), found.find(1)) == (content, (), None)
    assert json.loads(json.dumps(content))[1] == ["open", 1, "bold", ""]


@pytest.mark.parametrize(
    ("name", "format_", "text", "expected"),
    [
        ("a.txt", "text", "Some words here.\n", ".ereh sdrow emoS\n"),
        ("a.md", "markdown", "# Some *words*\n", "# emoS *sdrow*\n"),
        (
            "a.srt",
            "subtitles",
            "1\n00:00:01,000 --> 00:00:02,000\nSome words\n",
            "1\n00:00:01,000 --> 00:00:02,000\nsdrow emoS\n",
        ),
        (
            "a.vtt",
            "subtitles",
            "WEBVTT\n\n00:01.000 --> 00:02.000\nSome words\n",
            "WEBVTT\n\n00:01.000 --> 00:02.000\nsdrow emoS\n",
        ),
        ("a.csv", "csv", "One;Two\nmore words;3\nlast words;4\n", "enO;owT\nsdrow erom;3\nsdrow tsal;4\n"),
        ("a.po", "po", 'msgid "Some words"\nmsgstr ""\n', 'msgid "Some words"\nmsgstr "sdrow emoS"\n'),
        ("a.pot", "po", 'msgid "Some words"\nmsgstr ""\n', 'msgid "Some words"\nmsgstr "sdrow emoS"\n'),
        ("a.json", "json", '{"a": "Some words"}\n', '{"a": "sdrow emoS"}\n'),
        ("a.arb", "json", '{"@@locale": "en", "a": "Some words"}\n', '{"@@locale": "de", "a": "sdrow emoS"}\n'),
        ("a.yaml", "yaml", "en:\n  a: Some words\n", "de:\n  a: sdrow emoS\n"),
        ("a.yml", "yaml", "a: Some words\n", "a: sdrow emoS\n"),
    ],
)
def test_every_plain_format_goes_through_the_child(
    tmp_path: Path, name: str, format_: str, text: str, expected: str
) -> None:
    (tmp_path / name).write_text(text)
    done, last = by_the_child(tmp_path / name, tmp_path / "out", tmp_path, reversed_words)
    assert (done.format, last.replaced, last.refused) == (format_, done.segments, ())
    assert (tmp_path / "out").read_text() == expected


def test_the_encoding_that_a_person_chose_holds(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes("Привет всем\n".encode("koi8-r"))
    segments, done = find(path, work, encoding="koi8-r")
    assert (segments[0].text, segments[0].kind) == ("Привет всем", SegmentKind.PARAGRAPH)
    assert [remark.values for remark in done.remarks] == [{"encoding": "koi8-r"}]
    write(path, tmp_path / "out.txt", work, {1: ("Да",)}, encoding="koi8-r")
    assert (tmp_path / "out.txt").read_bytes() == "Да\n".encode("koi8-r")
