"""A repository's files: joined, paired, hidden and named in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hub.model_files import ModelFile, RemoteFile, group_files, is_safe_name, quantization_of, quantization_words


def files(*names: str) -> list[RemoteFile]:
    """One byte more for each."""
    return [RemoteFile(name, 1000 + number) for number, name in enumerate(names)]


def models(*names: str) -> tuple[ModelFile, ...]:
    return group_files(files(*names))[0]


def test_each_file_is_a_model_of_its_own_and_the_smallest_comes_first() -> None:
    found, vision = group_files([RemoteFile("a-Q8_0.gguf", 900), RemoteFile("a-Q4_K_M.gguf", 500, "ab" * 32)])
    assert [(model.name, model.tag, model.size_bytes) for model in found] == [
        ("a-Q4_K_M.gguf", "Q4_K_M", 500),
        ("a-Q8_0.gguf", "Q8_0", 900),
    ]
    assert found[0].parts[0].sha256 == "ab" * 32
    assert vision == ()


def test_parts_of_a_split_are_one_model_in_their_order() -> None:
    (model,) = models("Q8_0/big-Q8_0-00002-of-00002.gguf", "Q8_0/big-Q8_0-00001-of-00002.gguf")
    assert model.name == "Q8_0/big-Q8_0-00001-of-00002.gguf"
    assert [part.name[-19:] for part in model.parts] == ["-00001-of-00002.gguf"[1:], "-00002-of-00002.gguf"[1:]]
    assert (model.size_bytes, model.tag, model.is_supported) == (2001, "Q8_0", True)


@pytest.mark.parametrize(
    "names",
    [
        ("a-00001-of-00003.gguf", "a-00003-of-00003.gguf"),
        ("a-00002-of-00002.gguf",),
        ("a-00001-of-99999.gguf",),
        ("a.gguf.part1of2", "a.gguf.part2of2"),
        ("a.gguf-part-a", "a.gguf-part-b"),
        ("a.gguf-split-a", "a.gguf-split-b"),
    ],
)
def test_what_cannot_be_put_together_here_is_shown_as_unsupported(names: tuple[str, ...]) -> None:
    (model,) = models(*names)
    assert not model.is_supported
    assert len(model.parts) == len(names)


def test_splits_of_different_lengths_are_not_mixed() -> None:
    found = models("a-00001-of-00001.gguf", "a-00001-of-00002.gguf", "a-00002-of-00002.gguf")
    assert [(len(model.parts), model.is_supported) for model in found] == [(1, True), (2, True)]


def test_files_that_only_help_are_hidden() -> None:
    hidden = ("imatrix.gguf", "a.imatrix", "a-imatrix.gguf", "mtp-a-Q8_0.gguf", "eagle3-a.gguf", "x/dflash-a.gguf",
              "dspark-a.gguf", "README.md", "config.json", "a.safetensors", "gguf")  # fmt: skip
    assert models(*hidden) == ()
    assert len(models("Qwen-MTP-Q4_K_M.gguf")) == 1  # a whole model that has such a head


def test_vision_files_are_apart_and_the_best_comes_first() -> None:
    names = ("mmproj-F32.gguf", "mmproj-BF16.gguf", "mmproj-model-f16.gguf", "a.mmproj-Q8_0.gguf", "a-Q4_0.gguf")
    found, vision = group_files(files(*names))
    assert [model.name for model in found] == ["a-Q4_0.gguf"]
    assert [file.name for file in vision] == [names[2], names[1], names[3], names[0]]


HOSTILE = ["../a.gguf", "a/../../b.gguf", "/etc/a.gguf", "C:/a.gguf", "C:a.gguf", "a\\b.gguf", "..\\a.gguf",
           "a\0.gguf", "a\n.gguf", "a\x1b[31m.gguf", "a\u202egguf.exe.gguf", "a\u3164.gguf", "./a.gguf", "a//b.gguf",
           "", "a/.gguf/", "CON.gguf", "nul", "x/aux.Q4.gguf", "a./b.gguf", "a /b.gguf", "a?.gguf", 'a".gguf',
           "a" * 300 + ".gguf", "\ud800.gguf", "a:stream.gguf", "~\x7f.gguf"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_left_out(name: str) -> None:
    assert not is_safe_name(name)
    assert group_files(files(name)) == ((), ())


@pytest.mark.parametrize(
    "name", ["a.gguf", "Q4/a.b-c_d.gguf", "模型-Q4_0.gguf", "é è.gguf", "console.gguf", "..a.gguf"]
)
def test_ordinary_names_are_not(name: str) -> None:
    assert is_safe_name(name)
    assert len(models(name)) == 1


@given(st.lists(st.text(st.sampled_from("ab./\\:-of0123ggufmmproj \0é"), max_size=30).map(lambda text: text + ".gguf")))
def test_no_list_of_names_is_too_odd(names: list[str]) -> None:
    found, vision = group_files(files(*names))
    for file in (*vision, *(part for model in found for part in model.parts)):
        assert is_safe_name(file.name)


@pytest.mark.parametrize(
    ("name", "tag", "words"),
    [
        ("SmolLM2-135M-Instruct-Q8_0.gguf", "Q8_0", "near-original quality"),
        ("Qwen3.5-4B-Q4_K_M.gguf", "Q4_K_M", "balanced"),
        ("gemma-3-4b-it-q4_0.gguf", "Q4_0", "balanced"),
        ("Meta-Llama-3-8B-Instruct.IQ1_S.gguf", "IQ1_S", "tiny, loses much quality"),
        ("Qwen3-30B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL", "balanced"),
        ("a-UD-IQ2_XXS.gguf", "UD-IQ2_XXS", "very small, loses quality"),
        ("a-IQ3_M.gguf", "IQ3_M", "small, loses some quality"),
        ("a.Q5_K_S.gguf", "Q5_K_S", "large, loses little quality"),
        ("a.Q6_K.gguf", "Q6_K", "large, loses almost no quality"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4", "balanced"),
        ("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE", "balanced"),
        ("a-BF16.gguf", "BF16", "exact, original precision"),
        ("a.fp16.gguf", "F16", "exact, original precision"),
        ("a-TQ1_0.gguf", "TQ1_0", "tiny, loses much quality"),
        ("BF16/a-00001-of-00003.gguf", "BF16", "exact, original precision"),
        ("gemma-4-E2B_q4_0-it.gguf", "Q4_0", "balanced"),
        ("a-Q4_K_M-00001-of-00002.gguf", "Q4_K_M", "balanced"),
        ("Qwen3.gguf", "", ""),
        ("faq4-model.gguf", "", ""),
    ],
)
def test_a_quantization_is_said_in_words(name: str, tag: str, words: str) -> None:
    assert quantization_of(name) == tag
    assert quantization_words(tag) == words
