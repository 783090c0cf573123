"""llama.cpp's last words: warnings and errors are kept, chatter is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.gguf import read_complete
from app.engine.llama.library import KEPT_LINES, open_library
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
