"""What a model can translate: by the catalog, by the names in its header, by how many weights it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.features.models.model_languages import KnownLanguages, can_translate, known_languages
from app.hub.catalog import load_catalog
from app.language.language_names import LANGUAGES
from tests.helpers.tiny_models import make_tiny


def named(folder: Path, name: str, size_bytes: int) -> KnownLanguages:
    """A file that is only as long as such a model."""
    path = folder / name
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return known_languages(path)


@pytest.mark.parametrize("entry", [one for one in load_catalog() if one.file], ids=lambda one: one.id)
def test_every_model_of_the_catalog_has_a_family_and_languages(tmp_path: Path, entry) -> None:  # type: ignore[no-untyped-def]
    found = named(tmp_path, Path(entry.file).name, entry.size_bytes)
    known = {one.code for one in LANGUAGES}
    assert set(found.languages) <= known
    if "translate" in entry.tasks:
        assert found.family == "hy-mt2"
        assert found.languages == entry.language_codes
        assert (found.segments, found.input_tokens) == (
            entry.chunks["translate"].segments, entry.chunks["translate"].input_tokens,
        )  # fmt: skip
        assert found.takes_glossary and found.takes_formality and found.takes_domain
    else:
        assert found.family == "generic"


@pytest.mark.parametrize(
    ("name", "family", "takes_more"),
    [
        ("Hy-MT2-30B-A3B-Q4_K_M.gguf", "hy-mt2", True),
        ("HY-MT1.5-1.8B-Q4_K_M.gguf", "hy-mt1", False),
        ("Hunyuan-MT-7B.Q8_0.gguf", "hy-mt1", False),
        ("translategemma-12b-it-Q4_K_M.gguf", "translate-gemma", False),
        ("Qwen3.5-4B-Q4_K_M.gguf", "generic", True),
    ],
)
def test_the_family_is_in_the_name(tmp_path: Path, name: str, family: str, takes_more: bool) -> None:
    found = named(tmp_path, name, 2_000_000_000)
    assert found.family == family
    assert (found.takes_domain, found.takes_formality, found.takes_glossary) == (takes_more,) * 3
    assert {"en", "de", "ja"} <= set(found.languages)


@pytest.mark.parametrize(
    ("name", "size_bytes", "languages"),
    [
        ("SmolLM2-1.7B-Instruct-Q4_K_M.gguf", 1_000_000_000, {"en"}),
        ("tinyllama-1.1b-chat.gguf", 700_000_000, {"en"}),
        ("gemma-3-270m-it-Q8_0.gguf", 200_000_000, {"en"}),
        ("llama-3.2-3b.gguf", 2_000_000_000, {"en", "de", "fr", "it", "pt-BR", "pt-PT", "hi", "es", "th"}),
        ("strange-tiny.gguf", 300_000_000, {"en"}),
    ],
)
def test_languages_by_name_and_size(tmp_path: Path, name: str, size_bytes: int, languages: set[str]) -> None:
    assert set(named(tmp_path, name, size_bytes).languages) == languages


@pytest.mark.parametrize(
    ("name", "is_guess", "is_for_code"),
    [
        ("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", True, True),
        ("Codestral-22B-v0.1-Q4_K_M.gguf", True, True),
        ("qwen2.5-1.5b-instruct-q4_k_m.gguf", True, False),
        ("strange-7b-instruct.gguf", True, False),
        ("Decoder-7b.gguf", True, False),
        ("Hy-MT2-30B-A3B-Q4_K_M.gguf", False, False),
        ("SmolLM2-1.7B-Instruct-Q4_K_M.gguf", False, False),
    ],
)
def test_it_is_told_that_languages_are_guessed(tmp_path: Path, name: str, is_guess: bool, is_for_code: bool) -> None:
    found = named(tmp_path, name, 2_000_000_000)
    assert (found.is_guess, found.is_for_code) == (is_guess, is_for_code)


def test_an_unknown_instruct_model_of_a_billion_weights_is_offered_the_common_languages(tmp_path: Path) -> None:
    found = named(tmp_path, "strange-7b-instruct.gguf", 4_000_000_000)
    assert 30 <= len(found.languages) <= 45
    assert {"en", "de", "zh", "ar", "tr"} <= set(found.languages)
    assert "bo" not in found.languages


def test_the_header_says_what_a_file_is_whatever_it_is_called(tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "model.gguf", **{"general.basename": "Hy-MT2"})
    assert known_languages(path).family == "hy-mt2"
    small = make_tiny("llama", tmp_path / "small.gguf")
    assert known_languages(small).languages == ("en",)


def test_a_model_without_a_chat_template_translates_nothing(tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "model.gguf", template="", **{"general.basename": "Hy-MT2"})
    assert known_languages(path).languages == ()


def test_the_starter_knows_english_only() -> None:
    from app.core.paths import starter_model

    if starter_model().exists():
        assert known_languages(starter_model()).languages == ("en",)


def test_without_a_model_nothing_is_known(tmp_path: Path) -> None:
    assert known_languages(None).languages == ()
    assert known_languages(tmp_path / "gone.gguf").languages == ("en",)


HY = KnownLanguages("hy-mt2", ("zh", "zh-Hant", "en", "pt", "fr"), True, True, True)


@pytest.mark.parametrize(
    ("source", "target", "can"),
    [
        ("en", "fr", True),
        ("", "fr", True),
        ("en", "de", False),
        ("de", "en", False),
        ("en", "pt-BR", True),
        ("en", "zh-TW", True),
        ("fr", "", False),
    ],
)
def test_whether_a_model_can_do_a_pair(source: str, target: str, can: bool) -> None:
    assert can_translate(HY, source, target) is can


def test_a_model_of_one_language_can_do_no_pair() -> None:
    english = KnownLanguages("generic", ("en",), True, True, True)
    assert not can_translate(english, "", "en")
    assert not can_translate(english, "en", "de")
    assert not can_translate(known_languages(None), "", "en")
