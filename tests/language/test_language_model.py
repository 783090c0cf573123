"""The model of languages held in memory: the same answers as the one that is streamed, and fewer languages on wish."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import psutil
import pytest

from app.core.paths import resource_path
from app.language import byte_model
from app.language.byte_model import LanguageModel, most_likely

TEXTS = {
    "de": "Der Mieter zahlt die Miete jeden Monat bis zum dritten Werktag.",
    "en": "The tenant pays the rent every month until the third working day.",
    "ru": "Арендатор платит за квартиру каждый месяц до третьего рабочего дня.",
}
MIXED = " ".join(TEXTS.values())
"""Each look at it reads the whole model, wherever the parts of the words lie in it."""


def test_held_and_streamed_agree() -> None:
    held = LanguageModel()
    for code, text in TEXTS.items():
        assert held.most_likely(text)[0] == most_likely(text)[0] == code
        assert held.most_likely(text)[1] == pytest.approx(most_likely(text)[1])


def test_held_it_takes_one_handle() -> None:
    before = psutil.Process().num_fds()
    held = LanguageModel()
    assert psutil.Process().num_fds() <= before + 1, held


def test_packed_and_unpacked_it_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resource_path(byte_model.UNPACKED).is_file(), "run `make setup`"
    unpacked = most_likely(MIXED)
    monkeypatch.setattr(byte_model, "UNPACKED", "languages/not-there")
    assert most_likely(MIXED) == unpacked


def test_only_the_languages_that_are_named_are_found() -> None:
    held = LanguageModel()
    assert held.most_likely(TEXTS["de"], {"nl", "en"})[0] in {"nl", "en"}
    assert held.most_likely(TEXTS["de"], {"xx"}) == ("", 0.0)
    assert held.most_likely("") == ("", 0.0)


def test_as_packages_have_it_it_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = most_likely(MIXED)
    gzipped = tmp_path / byte_model.GZIPPED
    gzipped.parent.mkdir()
    with (
        resource_path(byte_model.UNPACKED).open("rb") as file,
        gzip.open(gzipped, "wb", compresslevel=1) as out,
    ):
        shutil.copyfileobj(file, out)
    monkeypatch.setattr(byte_model, "resource_path", lambda name: tmp_path / name)
    monkeypatch.setattr(byte_model, "packed_model", lambda: pytest.fail("it is here, less tightly packed"))
    assert most_likely(MIXED) == unpacked
