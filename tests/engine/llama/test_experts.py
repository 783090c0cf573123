"""llama.cpp places single expert tensors as a layout says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.gguf import check_model
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import load_model
from app.engine.llama.model_parameters import ModelParameters, expert_patterns
from app.engine.model_shape import ModelLayout, shape_of

OVERRIDDEN = re.compile(r"tensor (\S+) \(.*buffer type overridden to CPU")


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 6])
def test_the_tensors_that_a_layout_names_go_to_main_memory(tiny_model: Callable[[str], Path], count: int) -> None:
    path, library = tiny_model("experts"), open_library()
    header = check_model(path)
    shape = shape_of(header)
    layout = ModelLayout(512, gpu_layers=shape.layers + 1, cpu_experts=count)
    parameters = ModelParameters(library, shape, layout, ())
    with library.hearing_everything() as heard:
        model = load_model(
            library, str(path), header, 0, tell=lambda _: None, cancelled=bool, parameters=parameters.value
        )
    assert model is not None
    model.free()
    placed = OVERRIDDEN.findall("".join(heard))
    assert sorted(placed) == sorted(tensor.name for tensor in shape.expert_tensors[:count])


def test_patterns_are_few_and_name_no_other_tensor(tiny_model: Callable[[str], Path]) -> None:
    header = check_model(tiny_model("experts"))
    shape = shape_of(header)
    for count in range(len(shape.expert_tensors) + 1):
        layout = ModelLayout(512, gpu_layers=shape.layers + 1, cpu_experts=count)
        patterns = expert_patterns(shape, layout)
        assert len(patterns) <= 3
        named = {tensor.name for tensor in header.tensors if any(re.search(text, tensor.name) for text in patterns)}
        assert named == {tensor.name for tensor in shape.experts_apart(layout)}
