"""Classify each token of an answer by whether its source supports it, with a classifier on ModernBERT.

llama.cpp gives a vector per token, in a separate context; the head (matrix, GELU, norm, second matrix with bias) is
computed here from the same file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.model_errors import ModelBroken, ModelLoadFailed
from app.core.gguf import GgufHeader, TensorInfo
from app.engine.llama.context import DECODED
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import Model

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

NO_POOLING = 0
STEP_TOKENS = 512
HEAD = ("cls.weight", "cls.norm.weight", "cls.output.weight", "cls.output.bias")
NORM_EPSILON = 1e-5


def classifies_tokens(header: GgufHeader) -> bool:
    """True for a file with a head over every token, as `features.claim_checker.conversion` writes it."""
    # A pooled file gives one vector for a text, not one for each token.
    return set(HEAD) <= {tensor.name for tensor in header.tensors} and not header.architecture_value("pooling_type")


class ClassificationBrokenOff(Exception):
    """Reading was aborted, since its request was cancelled meanwhile."""


class TokenClassifier:
    """A context for pairs of at most `size_tokens` tokens; free it. Raises ModelLoadFailed.

    `is_cancelled` is asked while the model reads; once it is so, ClassificationBrokenOff is raised.
    """

    def __init__(
        self,
        library: LlamaLibrary,
        model: Model,
        *,
        threads: int,
        size_tokens: int,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        c = self._c = library.c
        self._is_cancelled = is_cancelled
        self._aborts = c.ggml_abort_callback(lambda _: is_cancelled())  # kept: C holds only the address
        # Never more positions than the model has learned.
        self.size_tokens = min(-(-size_tokens // STEP_TOKENS) * STEP_TOKENS, model.most_tokens)
        self._path, self._width = model.path, int(c.llama_model_n_embd_out(model.pointer))
        infos = {tensor.name: tensor for tensor in model.header.tensors}
        self._head = [_read_tensor(Path(model.path), model.header, infos[name]) for name in HEAD]
        epsilon = model.header.architecture_value("attention.layer_norm_epsilon")
        self._epsilon = epsilon if isinstance(epsilon, float) else NORM_EPSILON
        parameters = c.llama_context_default_params()
        # All at once: attention goes in both directions, so that a text can't be read in parts.
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = self.size_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.embeddings = True
        parameters.pooling_type = NO_POOLING
        parameters.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_DISABLED  # which would round keys and values to 16 bits
        parameters.no_perf = True
        self._context = c.llama_init_from_model(model.pointer, parameters)
        if not self._context:
            raise ModelLoadFailed(model.path, library.last_words())
        c.llama_set_abort_callback(self._context, self._aborts, None)
        self._batch = c.llama_batch_init(self.size_tokens, 0, 1)

    def label_logits(self, tokens: Sequence[int]) -> Floats:
        """Return label logits [token, label]. Raises ModelBroken for NaN, and ClassificationBrokenOff."""
        import numpy as np

        batch = self._batch
        for at, token in enumerate(tokens):
            batch.token[at], batch.pos[at] = token, at
            batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
            batch.logits[at] = True
        batch.n_tokens = len(tokens)
        result = int(self._c.llama_decode(self._context, batch))
        if self._is_cancelled():  # first: an aborted decode also returns a code
            raise ClassificationBrokenOff
        if result != DECODED:
            raise RuntimeError(f"llama_decode returned {result} for {batch.n_tokens} tokens")
        rows = (self._c.llama_get_embeddings_ith(self._context, at) for at in range(len(tokens)))
        vectors = np.stack([np.ctypeslib.as_array(row, (self._width,)) for row in rows])
        found = apply_head(vectors, self._head, self._epsilon)
        if not np.isfinite(found).all():
            raise ModelBroken(self._path)
        return found

    def free(self) -> None:
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)


def spans_of(text: str, pieces: Sequence[bytes]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return where each token begins and ends in a text, in characters; a token may be a part of one."""
    # A letter can be spread over several tokens: its first byte begins it, its last ends it.
    data, at, starts, ends = text.encode("utf-8", "replace"), 0, list[int](), list[int]()
    for piece in pieces:
        starts.append(len(data[:at].decode("utf-8", "ignore")))
        at += len(piece)
        ends.append(len(data[:at].decode("utf-8", "replace")))
    return tuple(starts), tuple(ends)


def apply_head(vectors: Floats, head: Sequence[Floats], epsilon: float) -> Floats:
    """Return the head of ModernBertForTokenClassification: `head` are its tensors in the order of `HEAD`."""
    import numpy as np

    dense, norm, weight, bias = head
    hidden = vectors @ dense.T
    # GELU by the error function, as PyTorch has it by default; the tanh formula differs slightly.
    hidden = hidden * 0.5 * (1 + np.vectorize(math.erf, otypes=[np.float32])(hidden / np.float32(math.sqrt(2))))
    # A norm without a bias, as ModernBERT's are.
    hidden = hidden - hidden.mean(axis=1, keepdims=True)
    hidden = hidden / np.sqrt((hidden**2).mean(axis=1, keepdims=True) + epsilon) * norm
    logits: Floats = hidden @ weight.T + bias
    return logits


def _read_tensor(path: Path, header: GgufHeader, info: TensorInfo) -> Floats:
    import numpy as np

    # GGUF's numbers for types; the conversion writes the head in these two.
    kinds = {0: np.float32, 1: np.float16}
    if info.type not in kinds:
        raise ModelLoadFailed(str(path), f"{info.name} has type {info.type}")
    count = math.prod(info.shape)
    values = np.fromfile(path, kinds[info.type], count, offset=header.data_offset + info.offset)
    return values.reshape(info.shape[::-1]).astype(np.float32)  # GGUF lists extents from the innermost
