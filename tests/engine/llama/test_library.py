"""llama.cpp's last words: warnings and errors are kept, chatter is not."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from app.core.gguf import read_complete
from app.engine.llama.llama_library import KEPT_LINES, open_library, unpack_library
from app.engine.llama.model import load_model
from tests.helpers import gguf_files

pytestmark = pytest.mark.model


def test_errors_are_kept_until_they_are_forgotten(tmp_path: Path) -> None:
    library = open_library()
    library.forget_words()
    path = tmp_path / "odd.gguf"
    path.write_bytes(gguf_files.unknown_architecture())
    with path.open("rb") as file:
        header = read_complete(file, path.stat().st_size)
    assert load_model(library, str(path), header, 0, tell=lambda _: None, cancelled=lambda: False) is None
    words = library.last_words()
    assert "unknown model architecture" in words
    assert "loaded meta data" not in words
    assert len(words.splitlines()) <= KEPT_LINES
    library.forget_words()
    assert library.last_words() == ""


def test_the_library_is_loaded_once() -> None:
    assert open_library() is open_library()


def test_everything_is_heard_only_meanwhile(starter: Path) -> None:
    library = open_library()
    parameters = library.c.llama_model_default_params()
    parameters.vocab_only = True
    with library.hearing_everything() as heard:
        library.c.llama_model_free(library.c.llama_model_load_from_file(str(starter).encode(), parameters))
    assert "loaded meta data" in "".join(heard)
    count = len(heard)
    library.c.llama_model_free(library.c.llama_model_load_from_file(str(starter).encode(), parameters))
    assert len(heard) == count


def test_a_packed_library_is_unpacked_once_and_takes_the_place_of_the_version_before(tmp_path: Path) -> None:
    packed, cache = tmp_path / "libggml-vulkan-22.so.xz", tmp_path / "cache"
    packed.write_bytes(lzma.compress(b"new", check=lzma.CHECK_SHA256))
    cache.mkdir()
    (cache / "libggml-vulkan-11.so").write_bytes(b"old")
    (cache / "libggml-other-11.so").write_bytes(b"kept")
    assert unpack_library(packed, cache).read_bytes() == b"new"
    packed.write_bytes(b"never read again")
    assert unpack_library(packed, cache).read_bytes() == b"new"
    assert sorted(path.name for path in cache.iterdir()) == ["libggml-other-11.so", "libggml-vulkan-22.so"]


def test_a_damaged_packed_library_leaves_nothing(tmp_path: Path) -> None:
    packed, cache = tmp_path / "libggml-vulkan-22.so.xz", tmp_path / "cache"
    whole = lzma.compress(bytes(100_000), check=lzma.CHECK_SHA256)
    cache.mkdir()
    for damaged in (whole[:-20], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], b""):
        packed.write_bytes(damaged)
        with pytest.raises((EOFError, lzma.LZMAError)):
            unpack_library(packed, cache)
        assert list(cache.iterdir()) == []
