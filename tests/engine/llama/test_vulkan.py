"""Layers on a GPU, for real: Vulkan's software driver takes them like a card would, only slowly."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.events import Message, Role
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.model_shape import shape_of
from tests.helpers.engine import GREEDY, answer_of, assistant, load, user
from tests.helpers.tiny_eyes import make_random_eye, picture
from tests.helpers.tiny_models import WIDTH, make_tiny

pytestmark = [pytest.mark.vulkan, pytest.mark.timeout(600)]

SHOWN = {"GGML_VK_VISIBLE_DEVICES": "0"}  # ggml hides software drivers unless they are named
HALF = [user("What is the capital of France?"), assistant("The capital of France is")]

COMPARE = """
import ctypes, json, sys
from pathlib import Path
from app.core.gguf import check_model
from app.engine import protocol
from app.engine.backend import EngineJob
from app.engine.llama import devices, fit_probe
from app.engine.llama.llama_library import open_library
from app.engine.llama.loading import open_model

library, path, folder = open_library(), sys.argv[1], Path(sys.argv[2])
header, c = check_model(Path(path)), library.c

def run(layers):
    request = protocol.LoadModel(1, path, protocol.Wish(256, gpu_layers=layers))
    with library.hearing_everything() as heard:
        opened = open_model(library, request, header, EngineJob(lambda reply: None), folder=folder)
    model, plan = opened.model, opened.plan
    ids = model.tokenize("The capital of France is Paris, and the capital of Italy is", special=False)
    logits, tokens = [], []
    for _ in range(4):
        batch = (c.llama_token * len(ids))(*ids)
        assert c.llama_decode(opened.context, c.llama_batch_get_one(batch, len(ids))) == 0
        row = c.llama_get_logits_ith(opened.context, -1)
        logits.append(row[: model.vocabulary_size])
        ids = [max(range(model.vocabulary_size), key=row.__getitem__)]
        tokens += ids
    needs = fit_probe.measure_needs(library, path, plan.layout, ["Vulkan0"])
    sizes = [line for line in "".join(heard).splitlines() if " buffer size = " in line]
    c.llama_free(opened.context); model.free()
    return {"tokens": tokens, "logits": logits, "sizes": sizes, "layers": plan.gpu_layers, "device": plan.device,
            "missed": plan.gpu_missed, "measured": [needs.gpu_weights, needs.gpu_kv, needs.gpu_compute]}

all_layers = header.architecture_value("block_count") + 1
result = {"devices": [[d.name, d.type, d.description] for d in devices.list_devices(library)]}
for name, layers in (("cpu", 0), ("part", 6), ("all", all_layers)):
    result[name] = run(layers)
print(json.dumps(result))
"""


EXPERTS = """
import json, sys
from pathlib import Path
from app.core.gguf import check_model
from app.engine import protocol
from app.engine.backend import EngineJob
from app.engine.llama.llama_library import open_library
from app.engine.llama.loading import open_model

library, path, folder = open_library(), sys.argv[1], Path(sys.argv[2])
for apart in (False, True):
    request = protocol.LoadModel(1, path, protocol.Wish(256, gpu_layers=99, experts_on_cpu=apart, tensor_split=(1.0,)))
    with library.hearing_everything() as heard:
        opened = open_model(library, request, check_model(Path(path)), EngineJob(lambda reply: None), folder=folder)
    lines = "".join(heard).splitlines()
    size = next(line.split("=")[1].split()[0] for line in lines if "Vulkan0 model buffer size" in line)
    print(json.dumps([opened.plan.experts_on_cpu, float(size)]))
    library.c.llama_free(opened.context)
    opened.model.free()
"""


EYES = """
import json, sys
from pathlib import Path
from app.core.gguf import check_model
from app.engine import protocol
from app.engine.backend import EngineJob
from app.engine.llama.llama_library import open_library
from app.engine.llama.loading import open_model

library, path, folder = open_library(), sys.argv[1], Path(sys.argv[2])
eye = str(folder / "eye.gguf")
for on_cpu in (False, True):
    wish = protocol.Wish(256, gpu_layers=99, projector=eye, projector_on_cpu=on_cpu)
    request = protocol.LoadModel(1, path, wish)
    with library.hearing_everything() as heard:
        opened = open_model(library, request, check_model(Path(path)), EngineJob(lambda reply: None))
    lines = "".join(heard).splitlines()
    (seeing,) = [line.split("CLIP using ")[1] for line in lines if "CLIP using " in line]
    print(json.dumps([opened.model.gpu_layers > 0, seeing]))
    library.c.llama_free(opened.context)
    opened.eyes.close()
    opened.model.free()
"""


PROBES = """
import json, sys
from pathlib import Path
from app.core.gguf import check_model
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import load_model
from app.engine.llama.model_parameters import ModelParameters
from app.engine.llama.speed_probe import ProbedModels
from app.engine.model_shape import ModelLayout, shape_of
from app.engine.tuner import SpeedVariant

library, path = open_library(), sys.argv[1]
header = check_model(Path(path))
shape = shape_of(header)
for layers in (shape.layers + 1, 0):
    layout = ModelLayout(512, gpu_layers=layers, sequences=3)
    parameters = ModelParameters(library, shape, layout, ["Vulkan0"])
    loaded = load_model(library, path, header, layers, tell=id, cancelled=bool, parameters=parameters.value)
    models, heard, taken = ProbedModels(library, loaded, layout, "Vulkan0", bool), [], []
    for on_cpu in (False, True):
        with library.hearing_everything() as lines:
            probe = models.open_probe(SpeedVariant(1, 1, 256, on_cpu=on_cpu))
        heard.append("Vulkan0 compute buffer" in "".join(lines))
        probe.write(1, 1)
        taken.append(min(probe.write(1, 1) for _ in range(3)))
        probe.close()
    models.free()
    loaded.free()
    print(json.dumps([heard, taken]))
"""


def in_process(program: str, path: Path, folder: Path) -> list[str]:
    """Runs a program that sees the software driver; its lines."""
    command = [sys.executable, "-c", program, str(path), str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=500, env=dict(os.environ) | SHOWN
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def compared(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same four tokens with no layer, six and all of them on the device."""
    return dict(json.loads(in_process(COMPARE, starter, tmp_path_factory.mktemp("vulkan"))[-1]))


def test_the_device_is_listed(compared: dict[str, Any]) -> None:
    assert ["Vulkan0", "gpu"] in [device[:2] for device in compared["devices"]], "the engine was built without Vulkan"


@pytest.mark.parametrize(("where", "layers"), [("part", 6), ("all", 31)])
def test_layers_are_placed(compared: dict[str, Any], where: str, layers: int) -> None:
    placed = compared[where]
    assert (placed["layers"], placed["missed"]) == (layers, "")
    assert "llvmpipe" in placed["device"]
    assert any("Vulkan0 model buffer" in line for line in placed["sizes"])
    assert not any("Vulkan" in line for line in compared["cpu"]["sizes"]), "the device is not set up without layers"


@pytest.mark.parametrize("where", ["part", "all"])
def test_what_was_measured_before_is_what_it_takes(compared: dict[str, Any], where: str) -> None:
    sizes = {
        kind: float(line.split("=")[1].split()[0])
        for line in compared[where]["sizes"]
        for kind in ("model", "KV", "compute")
        if f"Vulkan0 {kind} buffer" in line
    }
    measured = [size / 2**20 for size in compared[where]["measured"]]
    assert measured == pytest.approx([sizes["model"], sizes["KV"], sizes["compute"]], rel=0.01, abs=0.05)


@pytest.mark.parametrize("where", ["part", "all"])
def test_first_tokens_and_logits_are_those_of_the_processor(compared: dict[str, Any], where: str) -> None:
    cpu, gpu = compared["cpu"], compared[where]
    assert gpu["tokens"] == cpu["tokens"]
    for ours, theirs in zip(gpu["logits"], cpu["logits"], strict=True):
        # The processor rounds activations to 8 bits where the GPU takes floats, so single logits differ visibly.
        off = statistics.fmean((one - other) ** 2 for one, other in zip(ours, theirs, strict=True)) ** 0.5
        print(f"{where}: logits differ by {off:.4f} on average, their spread is {statistics.pstdev(theirs):.2f}")
        assert 0 < off < 0.1 * statistics.pstdev(theirs)


def test_the_engine_answers_with_layers_on_it(
    starter: Path, engine: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SHOWN.items():
        monkeypatch.setenv(name, value)
    load(engine, starter, context_tokens=256, gpu_layers=3, devices=("Vulkan0",))
    assert engine.loaded is not None
    assert (engine.loaded.gpu_layers, engine.loaded.gpu_missed) == (3, "")
    assert "llvmpipe" in engine.loaded.device
    text, _ = answer_of(engine.generate(HALF, continue_last=True, max_tokens=2, sampling=GREEDY))
    load(engine, starter, context_tokens=256, gpu_layers=0)
    assert text.startswith(" Paris")
    assert answer_of(engine.generate(HALF, continue_last=True, max_tokens=2, sampling=GREEDY))[0] == text


def test_a_model_is_measured_on_the_processor_and_on_an_integrated_gpu_wherever_it_is(tmp_path: Path) -> None:
    """The software driver counts as integrated, and is far slower."""
    path = make_tiny("llama", tmp_path / "llama.gguf")
    for line in in_process(PROBES, path, tmp_path):
        heard, (gpu_s, cpu_s) = json.loads(line)
        assert heard == [True, False]
        assert gpu_s > cpu_s > 0


def test_experts_stay_in_main_memory_where_that_is_wanted(tmp_path: Path) -> None:
    path = make_tiny("experts", tmp_path / "experts.gguf")
    together, apart = (json.loads(line) for line in in_process(EXPERTS, path, tmp_path))
    experts = sum(shape_of(check_model(path)).expert_weights) / 2**20
    assert (together[0], apart[0]) == (False, True)
    assert together[1] - apart[1] == pytest.approx(experts, abs=0.02)


def test_pictures_are_looked_at_by_the_device_or_where_it_is_small_by_the_processor(
    engine: EngineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_tiny("llama", tmp_path / "llama.gguf")
    eye = make_random_eye("llava", tmp_path / "eye.gguf", WIDTH)
    lines = [json.loads(line) for line in in_process(EYES, path, tmp_path)]
    assert lines == [[True, "Vulkan0 backend"], [True, "CPU backend"]]
    for name, value in SHOWN.items():
        monkeypatch.setenv(name, value)
    shown = [Message(Role.USER, "abc", (picture(tmp_path, (200, 30, 90)),))]
    texts = []
    for on_cpu in (False, True):
        load(engine, path, gpu_layers=99, devices=("Vulkan0",), projector=str(eye), projector_on_cpu=on_cpu)
        texts.append(answer_of(engine.generate(shown, max_tokens=4, sampling=GREEDY))[0])
    assert texts[0] == texts[1] != ""


LADDER = """
import json, sys
from pathlib import Path
from app.core.gguf import check_model
from app.engine import protocol
from app.engine.backend import EngineJob
from app.engine.llama.llama_library import open_library
from app.engine.llama.loading import open_model

library, path, told = open_library(), sys.argv[1], []
real, left = library.c.llama_init_from_model, [3]

def refuse(model, parameters):  # as a driver does whose memory turns out to be too small
    left[0] -= 1
    return real(model, parameters) if left[0] < 0 else None

library.c.llama_init_from_model = refuse
request = protocol.LoadModel(1, path, protocol.Wish(1024, devices=("Vulkan0",)))
for _ in range(2):
    told.clear()
    opened = open_model(library, request, check_model(Path(path)), EngineJob(told.append), folder=Path(sys.argv[2]))
    plan, steps = opened.plan, list(dict.fromkeys(reply.event.step for reply in told))
    print(json.dumps([steps, plan.choice, plan.gpu_layers, plan.context_tokens, plan.gpu_missed, plan.device]))
    library.c.llama_free(opened.context)
    opened.model.free()
"""


def test_a_gpu_that_fails_is_given_up_step_by_step_and_that_is_said(starter: Path, tmp_path: Path) -> None:
    first, second = (json.loads(line) for line in in_process(LADDER, starter, tmp_path))
    assert first[:5] == [["", "fewer_layers", "smaller_context", "cpu"], "cpu_only", 0, 1024, "load_failed"]
    assert "llvmpipe" not in first[5]
    assert second[:5] == [[""], "remembered", 0, 1024, "load_failed"]


LOOKED = """
import json, sys
from pathlib import Path
from app.core.child import own_command
from app.core.events import ModelLoaded
from app.engine.client import EngineClient
from app.engine.protocol import Wish
from app.features.inside.looks import read_attention, read_layers

text = "The keeper saw the ship, and the keeper"
found = {}
for where, count in (("cpu", 0), ("all", 31)):
    client = EngineClient(own_command("--engine-worker"), Path(sys.argv[2]) / where)
    for event in client.load(Path(sys.argv[1]), Wish(512, gpu_layers=count)):
        loaded = event
    seen = read_attention(client, text)
    words = [[guesses[0].data.decode() for guesses in layer] for layer in read_layers(client, text, 1)[1]]
    shares = seen.shares.tolist()
    found[where] = {"gpu": loaded.gpu_layers, "device": loaded.device, "shares": shares, "words": words}
    client.close()
print(json.dumps(found))
"""


def test_attention_and_layers_are_seen_on_the_device_too(starter: Path, tmp_path: Path) -> None:
    looked = json.loads(in_process(LOOKED, starter, tmp_path)[-1])
    cpu = np.array(looked["cpu"]["shares"])
    gpu = np.array(looked["all"]["shares"])
    assert looked["cpu"]["gpu"] == 0
    assert looked["all"]["gpu"] >= len(cpu), "every layer is on the device"
    assert "llvmpipe" in looked["all"]["device"]
    assert gpu.shape == cpu.shape
    assert np.abs(gpu.sum(-1) - 1).max() < 1e-3
    assert not np.triu(gpu, 1).any()
    assert 0 < np.abs(gpu - cpu).mean() < 0.01, "the processor rounds activations to 8 bits"
    said, known = looked["all"]["words"][-1], looked["cpu"]["words"][-1]
    same = sum(one == other for one, other in zip(said, known, strict=True))
    assert same >= len(known) - 2, "some are nearly as likely as others"
