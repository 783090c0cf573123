"""GGUF headers: what is read, and how every kind of bad file is told apart."""

from __future__ import annotations

import ctypes
import importlib.util
import io
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.model_errors import ModelMissing, ModelUnreadable
from app.core.gguf import (
    BLOCKS,
    CHUNK_BYTES,
    GgufProblem,
    SkippedArray,
    SkippedText,
    check_model,
    embedding_pooling,
    known_header,
    read_beginning,
    read_complete,
    read_header,
)
from tests.helpers import gguf_files as make

METADATA = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.rope.freq_base": 0.5,
    "tokenizer.ggml.add_bos_token": True,
    "tokenizer.ggml.tokens": ["a", "é"],
    "numbers": [1, 2, 3],
}
TENSORS = [("first", (32, 2), 8, 0), ("second", (4,), 0, 96)]
GOOD = make.padded(make.header(METADATA, TENSORS)) + bytes(112)


def reason_of(path: Path) -> str:
    with pytest.raises(ModelUnreadable) as caught:
        check_model(path)
    assert caught.value.path == str(path)
    return caught.value.reason


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_good_file_tells_its_metadata_and_tensors(tmp_path: Path) -> None:
    header = check_model(write(tmp_path / "good.gguf", GOOD))
    assert header.version == 3
    assert header.metadata == METADATA
    assert header.architecture_value("block_count") == 2
    assert header.architecture_value("context_length") is None
    assert [(t.name, t.shape, t.size_bytes) for t in header.tensors] == [("first", (32, 2), 68), ("second", (4,), 16)]
    assert header.needed_bytes == len(GOOD)


def test_a_header_that_is_known_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf", GOOD)
    assert known_header(path) is known_header(path)
    path.write_bytes(GOOD[:-100])
    with pytest.raises(ModelUnreadable):
        known_header(path)
    path.unlink()
    with pytest.raises(ModelMissing):
        known_header(path)


def test_the_first_bytes_of_a_file_are_enough_for_the_header() -> None:
    assert read_header(GOOD[:-112]).metadata == METADATA


def test_a_beginning_tells_what_is_in_it() -> None:
    words = make.header({"general.architecture": "llama", "words": [f"word {n}" for n in range(300)], "after": 7})
    cut = read_beginning(words[:900])
    assert cut.metadata == {"general.architecture": "llama", "words": SkippedArray(300)}
    assert (cut.is_complete, cut.tensors) == (False, ())
    whole = read_beginning(GOOD[:-112])
    assert whole.is_complete
    assert whole == read_header(GOOD)


def test_every_beginning_can_be_read() -> None:
    for size in range(4, len(GOOD) - 112):
        for key, item in read_beginning(GOOD[:size]).metadata.items():
            assert item == METADATA[key] or isinstance(item, SkippedArray)


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty"), (b"<html>", "not_gguf"), (GOOD[:4] + b"\4", "newer")])
def test_a_beginning_of_something_else_is_told_apart(data: bytes, reason: str) -> None:
    with pytest.raises(GgufProblem) as caught:
        read_beginning(data.ljust(64 if reason == "newer" else 0, b"\0"))
    assert caught.value.reason.startswith(reason)


def test_long_arrays_are_counted_and_not_kept() -> None:
    words = [f"word {n}" for n in range(5000)]
    header = read_header(make.header({"words": words, "after": 7, "kinds": list(range(5000))}))
    assert header.metadata == {"words": SkippedArray(5000), "after": 7, "kinds": SkippedArray(5000)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"GG", "truncated"),
        (b"PK\x03\x04 some zip archive", "not_gguf"),
        (GOOD[:20], "truncated"),
        (GOOD[:150], "truncated"),
        (GOOD[:-1], "truncated"),
        (make.header(METADATA, TENSORS, version=4), "newer_format"),
        (make.header(METADATA, TENSORS, version=1), "damaged"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(64), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + struct.pack("<Q", 1 << 50), "damaged"),
        (make.header({"general.alignment": 7}, TENSORS) + bytes(512), "damaged"),
        (make.header(METADATA, [("odd", (33,), 8, 0)]) + bytes(512), "damaged"),
        (make.header(METADATA, [("deep", (1,) * 5, 0, 0)]) + bytes(512), "damaged"),
        (make.vocabulary_only(), "vocabulary_only"),
    ],
)
def test_a_bad_file_is_told_apart(tmp_path: Path, data: bytes, reason: str) -> None:
    assert reason_of(write(tmp_path / "bad.gguf", data)) == reason


HUGE = (2**63 - 1, 2**63, 2**64 - 1, 2**64 - 32)  # what a signed reader takes for the largest and for negative numbers
START = b"GGUF" + struct.pack("<I", 3)
ONE_KEY = START + struct.pack("<QQ", 1, 1)
ONE_TENSOR = START + struct.pack("<QQ", 1, 0)


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize(
    "lie",
    [
        lambda n: START + struct.pack("<QQ", n, 0),  # so many tensors
        lambda n: START + struct.pack("<QQ", 0, n),  # so many keys
        lambda n: ONE_KEY + struct.pack("<Q", n) + b"general.name",  # so long a key
        lambda n: ONE_KEY + make.text("name") + struct.pack("<IQ", make.STRING, n),  # so long a text
        lambda n: ONE_KEY + make.text("list") + struct.pack("<IIQ", make.ARRAY, make.U32, n),  # so many numbers
        lambda n: ONE_KEY + make.text("list") + struct.pack("<IIQ", make.ARRAY, make.STRING, n),  # so many texts
        lambda n: ONE_KEY + make.text("list") + struct.pack("<IIQQ", make.ARRAY, make.STRING, 1, n),  # one so long
        lambda n: ONE_KEY + make.text("list") + struct.pack("<IIQQ", make.ARRAY, make.STRING, 9999, n),
        lambda n: ONE_TENSOR + struct.pack("<Q", n) + b"weights",  # so long a name
        lambda n: make.header({}, [("weights", (n,), 0, 0)]),  # so wide a tensor
        lambda n: make.header({}, [("weights", (32, n), 0, 0)]),
        lambda n: make.header({}, [("weights", (2**31, 2**31, 2**31, n % 7 + 1), 0, 0)]),  # wide and deep
        lambda n: make.header({}, [("weights", (32,), 0, n)]),  # so far away
        lambda n: make.header({}, [("weights", (32,), 0, 0), ("more", (32,), 0, n)]),
    ],
)
def test_lengths_that_lie_are_damage_and_cost_nothing(lie: Callable[[int], bytes], number: int) -> None:
    data = lie(number) + bytes(4096)
    tracemalloc.start()
    with pytest.raises(GgufProblem) as caught:
        read_complete(io.BytesIO(data), len(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason in ("damaged", "truncated")
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ([("past", (1 << 20,), 0, 0)], "truncated"),  # past the end of the file
        ([("none", (0,), 0, 0)], "damaged"),
        ([("none", (32, 0, 4), 0, 0)], "damaged"),
        ([("twice", (32,), 0, 0), ("twice", (32,), 0, 128)], "damaged"),
        ([("one", (32,), 0, 0), ("over", (32,), 0, 64)], "damaged"),  # one lies over the other
        ([("one", (32,), 0, 0), ("gap", (32,), 0, 160)], "damaged"),
        ([("odd", (32,), 0, 1)], "damaged"),
        ([("x" * 64, (32,), 0, 0)], "damaged"),  # llama.cpp keeps 63 bytes of a name
        ([("gone", (32,), 4, 0)], "damaged"),  # a type that was taken away
        ([("next", (32,), max(BLOCKS) + 1, 0)], "newer_format"),
        ([("none", (32,), 0xFFFFFFFF, 0)], "damaged"),
    ],
)
def test_tensors_that_cannot_be_there_are_told(
    tensors: list[tuple[str, tuple[int, ...], int, int]], reason: str
) -> None:
    data = make.padded(make.header(METADATA, tensors)) + bytes(512)
    with pytest.raises(GgufProblem) as caught:
        read_complete(io.BytesIO(data), len(data))
    assert caught.value.reason == reason


@pytest.mark.parametrize("key", ["", "llama.block_count"])
def test_a_key_without_name_or_twice_is_damage(key: str) -> None:
    data = make.header(METADATA)
    data = START + struct.pack("<QQ", 0, len(METADATA) + 1) + data[24:] + make.text(key) + make.value(1)
    with pytest.raises(GgufProblem, match="damaged"):
        read_header(data)


def test_a_number_alone_is_a_tensor_of_one_weight() -> None:
    data = make.padded(make.header(METADATA, [("scale", (), 0, 0)])) + bytes(4)
    assert read_complete(io.BytesIO(data), len(data)).tensors[0].size_bytes == 4


def test_a_text_that_is_too_long_to_keep_is_measured() -> None:
    header = read_header(make.header({"tokenizer.huggingface.json": "x" * 3_000_000, "after": "y"}))
    assert header.metadata == {"tokenizer.huggingface.json": SkippedText(3_000_000), "after": "y"}


def test_what_is_kept_has_a_limit_and_what_comes_after_is_still_read() -> None:
    long = {f"text {n}": "x" * 1_000_000 for n in range(30)}
    words = {f"words {n}": [f"{n} {m}" for m in range(5000)] for n in range(30)}
    data = make.header(long | words | {"number": 7}, TENSORS)
    tracemalloc.start()
    header = read_header(io.BytesIO(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert header.metadata["text 0"] == long["text 0"]
    assert header.metadata["text 29"] == SkippedText(1_000_000)
    assert header.metadata["words 29"] == SkippedArray(5000)
    assert header.metadata["number"] == 7
    assert [tensor.name for tensor in header.tensors] == ["first", "second"]
    assert peak < 40_000_000


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", write(tmp_path / "file", b"x") / "below.gguf", tmp_path / "nul\0.gguf"):
        with pytest.raises(ModelMissing):
            check_model(path)


def test_a_folder_or_a_pipe_is_not_a_file(tmp_path: Path) -> None:
    assert reason_of(tmp_path) == "not_a_file"
    os.mkfifo(tmp_path / "pipe.gguf")
    assert reason_of(tmp_path / "pipe.gguf") == "not_a_file"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "closed.gguf", GOOD)
    path.chmod(0)
    assert reason_of(path) == "denied"


def test_the_starter_model_is_complete(starter: Path) -> None:
    header = check_model(starter)
    assert header.needed_bytes == starter.stat().st_size
    assert header.architecture_value("context_length") == 8192


def test_block_sizes_are_those_of_the_library() -> None:
    package = importlib.util.find_spec("llama_cpp")
    assert package is not None
    assert package.origin is not None
    base = ctypes.CDLL(str(next((Path(package.origin).parent / "lib").glob("*ggml-base.*"))))
    for kind, (weights, size) in BLOCKS.items():
        assert (base.ggml_blck_size(kind), base.ggml_type_size(kind)) == (weights, size), kind
    missing = [kind for kind in range(max(BLOCKS)) if kind not in BLOCKS and base.ggml_blck_size(kind) > 0]
    assert missing == []


class Watched(io.BytesIO):
    """A file that notes how much is asked of it, and where."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size = len(data)
        self.largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Notes the size of a read, and that it began inside the file."""
        assert size is not None
        assert 0 <= self.tell() <= self.size
        assert size >= 0
        self.largest = max(self.largest, size)
        return super().read(size)


REASONS = {"empty", "not_gguf", "truncated", "newer_format", "damaged", "vocabulary_only"}
NUMBERS = st.one_of(st.integers(0, 40), st.integers(0, 2**64 - 1), st.sampled_from(HUGE))
PIECES = st.one_of(
    st.binary(max_size=40),
    NUMBERS.map(lambda n: struct.pack("<Q", n)),
    st.integers(0, 15).map(lambda n: struct.pack("<I", n)),
    st.text(max_size=8).map(make.text),
    st.tuples(st.text(max_size=8), st.sampled_from([1, 2.5, True, "text", [1, 2], ["a"]])).map(
        lambda pair: make.text(pair[0]) + make.value(pair[1])
    ),
)
SHAPED = st.tuples(NUMBERS, NUMBERS, st.lists(PIECES, max_size=12)).map(
    lambda parts: START + struct.pack("<QQ", parts[0], parts[1]) + b"".join(parts[2])
)
FLIPPED = st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4)


def changed(places: list[tuple[int, bytes]]) -> bytes:
    data = GOOD
    for at, noise in places:
        data = data[:at] + noise + data[at + len(noise) :]
    return data


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(START.__add__), SHAPED, FLIPPED.map(changed)))
def test_any_bytes_give_a_header_or_a_reason_within_bounds(data: bytes) -> None:
    file = Watched(data)
    tracemalloc.start()
    try:
        header = read_complete(file, len(data))
    except GgufProblem as problem:
        assert problem.reason in REASONS
    else:
        assert header.needed_bytes <= len(data)
        assert header.tensors
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert file.largest <= CHUNK_BYTES
    assert peak < 4_000_000


@given(data=st.one_of(st.binary(max_size=300), SHAPED))
def test_any_file_is_a_model_unreadable_or_read(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write(tmp_path_factory.getbasetemp() / "any.gguf", data)
    try:
        check_model(path)
    except ModelUnreadable as error:
        assert error.reason in REASONS


@pytest.mark.parametrize(
    ("architecture", "name", "said", "expected"),
    [
        ("llama", "Chats", None, 0),
        ("qwen3", "Qwen3 Embedding", 3, 3),
        ("bert", "all-MiniLM-L6-v2", None, 1),
        ("bert", "bge-small-en-v1.5", None, 2),
        ("modern-bert", "Granite-Embedding-97M-Multilingual-R2", None, 2),
        ("gemma-embedding", "embeddinggemma 300M", None, 1),
        ("modern-bert", "A classifier", 0, 0),
        ("bert", "A reranker", 4, 0),
    ],
)
def test_how_an_encoder_is_pooled_is_told_by_its_file_or_its_family(
    architecture: str, name: str, said: int | None, expected: int
) -> None:
    metadata: dict[str, Any] = {"general.architecture": architecture, "general.name": name}
    if said is not None:
        metadata[f"{architecture}.pooling_type"] = said
    assert embedding_pooling(read_beginning(make.header(metadata))) == expected
