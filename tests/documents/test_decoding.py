"""Pictures as people and strangers have them become rows of RGB, or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from app.core.errors.document_errors import DocumentUnreadable, PictureUnreadable
from app.core.events import CancelToken
from app.documents.protocol import Decode, Decoded
from app.documents.read_document import PictureDecoder
from app.documents.worker import last_event
from tests.helpers.picture_files import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    animated,
    bomb,
    colour_at,
    drawing,
    halves,
    is_near,
    picture,
    plain,
    rows_of,
    save,
)


def decoded(path: Path) -> Decoded:
    """As the child does it, but here; its rows are in out.ppm beside the file."""
    out, preview = path.with_name("out.ppm"), path.with_name("preview.ppm")
    for each in (out, preview):
        each.write_bytes(b"")
    event = last_event(Decode(str(path), str(out), str(preview)), lambda _event: None)
    if not isinstance(event, Decoded):
        raise event.error  # type: ignore[union-attr]
    return event


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "tiff"])
def test_the_formats_of_cameras_and_screens(tmp_path: Path, ending: str) -> None:
    found = decoded(picture(tmp_path / f"a.{ending}", RED, (30, 20)))  # rows of 30 pixels are padded in Qt
    assert (found.width, found.height) == (30, 20)
    assert rows_of(tmp_path / "out.ppm")[:2] == (30, 20)
    assert is_near(colour_at(tmp_path / "out.ppm", 29, 19), RED)


def test_a_camera_that_was_held_upright(tmp_path: Path) -> None:
    found = decoded(save(halves(64, 32), tmp_path / "a.jpg", turned=True))
    assert (found.width, found.height, found.out_width, found.out_height) == (32, 64, 32, 64)
    assert is_near(colour_at(tmp_path / "out.ppm", 16, 8), RED)
    assert is_near(colour_at(tmp_path / "out.ppm", 16, 56), BLUE)


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        (QImage.Format.Format_CMYK8888, "jpg"),
        (QImage.Format.Format_RGBA64, "png"),
        (QImage.Format.Format_Grayscale16, "png"),
        (QImage.Format.Format_Mono, "png"),
    ],
)
def test_inks_and_deep_colours(tmp_path: Path, kind: QImage.Format, ending: str) -> None:
    made = plain(24, 24).convertToFormat(kind)
    decoded(save(made, tmp_path / f"a.{ending}"))
    red, green, blue, _ = made.pixelColor(12, 12).getRgb()
    assert is_near(colour_at(tmp_path / "out.ppm", 12, 12), (red, green, blue), 16)


def test_what_is_transparent_is_white_and_not_its_hidden_colour(tmp_path: Path) -> None:
    clear = QImage(8, 8, QImage.Format.Format_ARGB32)
    clear.fill(QColor(255, 0, 0, 0))
    decoded(save(clear, tmp_path / "a.png"))
    assert colour_at(tmp_path / "out.ppm", 4, 4) == WHITE


def test_the_first_frame_of_what_moves(tmp_path: Path) -> None:
    assert decoded(animated(tmp_path / "a.gif")).frames == 2
    assert colour_at(tmp_path / "out.ppm", 0, 0) == GREEN


@pytest.mark.usefixtures("qapp")  # else the decoder makes an application of its own, which here is no child's
def test_a_drawing_with_words_is_drawn_large_enough_to_be_read(tmp_path: Path) -> None:
    found = decoded(drawing(tmp_path / "a.svg"))
    assert (found.format, found.out_width, found.out_height) == ("svg", 1536, 768)
    assert is_near(colour_at(tmp_path / "out.ppm", 1530, 760), BLUE)
    assert len(set(rows_of(tmp_path / "out.ppm")[2])) > 10  # letters have edges


def test_a_large_one_is_shrunk_and_a_thin_one_gets_paper_beside_it(tmp_path: Path) -> None:
    large = decoded(picture(tmp_path / "a.jpg", RED, (9000, 300)))
    assert (large.width, large.height, large.out_width, large.out_height) == (9000, 300, 4096, 136)
    thin = decoded(picture(tmp_path / "b.png", RED, (1, 1000)))
    assert (thin.out_width, thin.out_height) == (10, 1000)
    one = decoded(picture(tmp_path / "c.png", RED, (1, 1)))
    assert (one.out_width, one.out_height) == (1, 1)
    assert rows_of(tmp_path / "preview.ppm")[:2] == (1, 1)


def half_of(path: Path) -> Path:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 5])
    return path


def named(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_photograph_that_was_cut_off_is_shown_and_it_is_said(tmp_path: Path) -> None:
    assert decoded(half_of(save(halves(400, 300), tmp_path / "a.jpg"))).is_cut


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "bomb.png": (bomb, "too_many_pixels"),
    "cut.png": (lambda path: half_of(save(halves(300, 200), path)), "damaged"),
    "text.png": (lambda path: named(path, b"I am no picture."), "not_picture"),
    "phone.heic": (lambda path: named(path, b"\0\0\0\x18ftypheic" + bytes(40)), "heic"),
    "nothing.png": (lambda path: named(path, b""), "empty"),
    "junk.png": (lambda path: named(path, b"\x89PNG\r\n\x1a\n" + b"\xff" * 400), "damaged"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_none_is_said_in_a_sentence(tmp_path: Path, name: str) -> None:
    make, reason = BAD[name]
    with pytest.raises((PictureUnreadable, DocumentUnreadable)) as refused:
        decoded(make(tmp_path / name))
    assert refused.value.reason == reason


def test_a_child_decodes_one_after_the_other_and_lives_over_a_bomb(tmp_path: Path) -> None:
    decoding = PictureDecoder(tmp_path / "child")
    cancel = CancelToken()
    try:
        for name in ("one.png", "two.png"):
            out = named(tmp_path / f"{name}.ppm", b"")
            found = decoding.decode(Decode(str(picture(tmp_path / name)), str(out)), cancel)
            assert found is not None and rows_of(out)[:2] == (64, 48)
            with pytest.raises(PictureUnreadable):
                decoding.decode(Decode(str(bomb(tmp_path / "bomb.png")), str(out)), cancel)
    finally:
        decoding.close()
    assert not decoding.running
