"""Files of the Hub become one that llama.cpp reads; what does not make sense is refused, and nothing half is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelMissing, ModelUnreadable
from app.core.errors.request_errors import CheckingUnavailable
from app.core.gguf import check_model
from app.features.claim_checker.conversion import CONVERTED, convert_checker, open_checker, read_safetensors
from tests.helpers.tiny_checker import HEADS, LAYERS, WIDTH, make_checker, write_safetensors
from tests.helpers.tiny_models import make_tiny


@pytest.mark.parametrize(("dtype", "off"), [("F32", 0), ("F16", 2e-3), ("BF16", 1.6e-2)])
def test_tensors_come_out_as_they_were_written_in_each_precision(tmp_path: Path, dtype: str, off: float) -> None:
    values = {"a": np.linspace(-2, 2, 24, dtype=np.float32).reshape(4, 6), "b": np.float32([0.5, 1.0])}
    write_safetensors(tmp_path / "model.safetensors", values, dtype)
    found = read_safetensors(tmp_path / "model.safetensors")
    assert {name: one.shape for name, one in found.items()} == {"a": (4, 6), "b": (2,)}
    assert all(np.abs(found[name].astype(np.float32) - values[name]).max() <= off for name in values)


def test_the_file_says_what_llama_cpp_asks_for(tmp_path: Path) -> None:
    make_checker(tmp_path)
    header = check_model(open_checker(tmp_path))
    assert header.metadata["general.architecture"] == "modern-bert"
    assert [header.architecture_value(key) for key in ("block_count", "attention.head_count", "embedding_length")] == [
        LAYERS, HEADS, WIDTH,
    ]  # fmt: skip
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    assert shapes["blk.1.ffn_up.weight"][0] == WIDTH
    assert "blk.0.attn_norm.weight" not in shapes
    assert shapes["cls.output.weight"] == (WIDTH, 2)
    assert open_checker(tmp_path / CONVERTED) == tmp_path / CONVERTED


def _cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-50])


def _huge_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((2**60).to_bytes(8, "little") + b"{}")


def _other_kind(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"architectures": ["BertModel"]}), "utf-8")


def _outside(folder: Path) -> None:
    path = folder / "tokenizer.json"
    told = json.loads(path.read_text("utf-8"))
    told["model"]["vocab"]["far"] = 10**6
    path.write_text(json.dumps(told), "utf-8")


def _missing(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "error", "reason"),
    [
        (_cut, ModelUnreadable, "damaged"),
        (_huge_header, ModelUnreadable, "damaged"),
        (_other_kind, ModelUnreadable, "not_a_checker"),
        (_outside, ModelUnreadable, "damaged"),
        (_missing, ModelMissing, None),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    tmp_path: Path, spoil: Callable[[Path], None], error: type[AppError], reason: str | None
) -> None:
    spoil(make_checker(tmp_path))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error) as refused:
        convert_checker(tmp_path, tmp_path / CONVERTED)
    assert getattr(refused.value, "reason", None) == reason
    assert sorted(tmp_path.iterdir()) == before


def test_a_model_that_chats_is_no_checker(tmp_path: Path) -> None:
    with pytest.raises(CheckingUnavailable):
        open_checker(make_tiny("llama", tmp_path / "chats.gguf"))
