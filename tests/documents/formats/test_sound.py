"""Recordings in the document child: what they are, how they are cut, and what is no recording."""

from __future__ import annotations

import array
import itertools
import math
import shutil
import struct
import subprocess
import wave
from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.documents.formats import sound
from app.documents.formats.sound import find_sound
from app.documents.protocol import Listen, SoundHeard, SoundOpened, SoundPiece
from app.documents.read_document import listen
from tests.helpers.sounds import spoken, write_sound

RATE = 16_000


def heard(path: Path, folder: Path, **options: float) -> tuple[str, list[SoundPiece], SoundHeard]:
    """What the child says of a file."""
    (folder / "pieces").mkdir(exist_ok=True)
    request = Listen(str(path), str(folder / "pieces"), **options)  # type: ignore[arg-type]
    opened, *pieces, end = listen(request, folder=folder / "child", cancel=CancelToken())
    assert isinstance(opened, SoundOpened)
    assert isinstance(end, SoundHeard)
    return opened.format, [piece for piece in pieces if isinstance(piece, SoundPiece)], end


def samples_of(piece: SoundPiece) -> array.array[int]:
    with wave.open(piece.path, "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return array.array("h", file.readframes(file.getnframes()))


@pytest.mark.parametrize(
    ("rate", "channels", "width"), [(8000, 1, 1), (16_000, 1, 2), (44_100, 2, 2), (48_000, 2, 3), (22_050, 2, 4)]
)
def test_a_recording_of_any_kind_becomes_plain_samples(tmp_path: Path, rate: int, channels: int, width: int) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((0.5, 1.0), (0.5, 0.0)), rate, channels, width)
    format_, (piece,), end = heard(path, tmp_path)
    assert (format_, end.pieces) == ("wav", 1)
    assert end.seconds == pytest.approx(1.0, abs=0.01)
    assert piece.start_s == 0.0
    assert piece.end_s == pytest.approx(0.7, abs=0.06), "the silence behind it is left out"
    samples = samples_of(piece)
    assert max(samples) == pytest.approx(16_000, rel=0.1)
    crossings = sum(one < 0 <= other for one, other in itertools.pairwise(samples))
    assert crossings == pytest.approx(0.5 * 300, rel=0.08), "the tone is as high as it was"


def test_cuts_are_made_where_nobody_speaks(tmp_path: Path) -> None:
    said = [(0.8, 1.0), (0.4, 0.0)] * 8
    path = write_sound(tmp_path / "a.wav", spoken(*said))
    _, pieces, end = heard(path, tmp_path, longest_s=3.0)
    assert end.seconds == pytest.approx(9.6, abs=0.01)
    assert end.pieces == len(pieces) >= 4
    for piece in pieces:
        assert piece.end_s - piece.start_s <= 3.0
        samples = samples_of(piece)
        assert len(samples) / RATE == pytest.approx(piece.end_s - piece.start_s, abs=0.001)
        assert max(map(abs, samples[:200])) < 400 or piece.start_s == 0.0, "it begins in a pause"
        assert max(map(abs, samples[-200:])) < 400, "and ends in one"
    for before, after in itertools.pairwise(pieces):
        assert before.end_s <= after.start_s


def test_without_a_pause_it_is_cut_all_the_same(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((7.0, 1.0)))
    _, pieces, _ = heard(path, tmp_path, longest_s=2.0)
    assert sum(len(samples_of(piece)) for piece in pieces) == 7 * RATE
    assert all(piece.end_s - piece.start_s <= 2.0 for piece in pieces)


def test_silence_has_no_pieces_to_hear(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((5.0, 0.0)))
    _, pieces, end = heard(path, tmp_path, longest_s=2.0)
    assert end == SoundHeard(5.0, 0, end.sha256)
    assert not any(piece.path for piece in pieces)
    assert pieces[-1].end_s == 5.0


def hour_of_silence(path: Path, *, spoken_at_s: int) -> Path:
    """With a word; the file has holes where nothing is."""
    rate, seconds = 1000, 3600
    write_sound(path, spoken((1.0, 1.0)), rate)
    head, word = path.read_bytes()[:40], path.read_bytes()[44:]
    with path.open("wb") as file:
        file.write(head[:4] + struct.pack("<I", 36 + 2 * rate * seconds) + head[8:])
        file.write(struct.pack("<I", 2 * rate * seconds))
        file.seek(44 + 2 * rate * spoken_at_s)
        file.write(word)
        file.truncate(44 + 2 * rate * seconds)
    return path


def test_of_an_hour_what_is_said_is_heard_and_half_a_day_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hour_of_silence(tmp_path / "a.wav", spoken_at_s=3500)
    _, pieces, end = heard(path, tmp_path, rate_hz=1000)
    assert end.seconds == 3600.0
    (said,) = [piece for piece in pieces if piece.path]
    assert said.start_s == pytest.approx(3500, abs=0.5)
    monkeypatch.setattr(sound, "MOST_S", 1800.0)
    with pytest.raises(DocumentUnreadable) as refused:
        sound.listen(Listen(str(path), str(tmp_path / "pieces")), lambda _piece: None, lambda: None)
    assert refused.value.reason == "too_long_sound"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"RIFF\x10\0\0\0WAVEfmt \x10\0\0\0", "damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "not_sound"),
        (b"fLaC" + bytes(40), "damaged"),
        (b"OggS" + bytes(60), "damaged"),
        (b"ID3\x03" + bytes(60), "damaged"),
        (b"Guten Tag, dies ist ein Text.", "not_sound"),
    ],
    ids=["empty", "only a head", "a picture", "no FLAC", "no OGG", "no MP3", "a text"],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(DocumentUnreadable) as caught:
        heard(path, tmp_path)
    assert caught.value.reason == reason


def test_a_file_that_ends_in_the_middle_is_heard_up_to_there(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((4.0, 1.0)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    _, pieces, end = heard(path, tmp_path)
    assert end.seconds == pytest.approx(2.0, abs=0.01)
    assert pieces[0].path


def test_a_frame_of_mp3_is_told_from_a_text_in_utf16() -> None:
    assert find_sound(b"\xff\xfb\x90\x64" + bytes(60)) == "mp3"
    assert find_sound("a text".encode("utf-16")) == ""
    assert find_sound(b"\xff\xd8\xff\xe0" + bytes(60)) == "", "a JPEG"


TOOLS = {
    "flac": ["flac", "--silent", "-o", "{out}", "{wav}"],
    "mp3": ["lame", "--quiet", "{wav}", "{out}"],
    "ogg": ["oggenc", "--quiet", "-o", "{out}", "{wav}"],
}


@pytest.mark.documents
@pytest.mark.parametrize("kind", TOOLS)
def test_files_of_other_programs_are_heard(tmp_path: Path, kind: str) -> None:
    command = TOOLS[kind]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    wav, out = (
        write_sound(tmp_path / "a.wav", spoken((1.0, 1.0), (1.0, 0.0), (1.0, 1.0)), 44_100, 2),
        tmp_path / "ä.bin",
    )
    subprocess.run([part.format(wav=wav, out=out) for part in command], check=True)
    format_, (piece,), end = heard(out, tmp_path)
    assert format_ == kind
    assert end.seconds == pytest.approx(3.0, abs=0.1)
    samples = samples_of(piece)
    level = math.sqrt(sum(one * one for one in samples[:8000]) / 8000)
    assert level == pytest.approx(16_000 / math.sqrt(2), rel=0.15)


def test_a_head_that_lies_about_its_length_is_no_matter(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((1.0, 1.0)))
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(data)
    _, _, end = heard(path, tmp_path)
    assert end.seconds == pytest.approx(1.0, abs=0.01)
