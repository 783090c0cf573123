"""Inspect a loaded model while it reads: token probabilities, attention, and each layer's predictions.

A separate small context without flash attention is used, so that chats keep their fast path: with flash attention no
softmax is ever materialized. llama.cpp reports every tensor computed (`cb_eval`); those wanted are copied.
`kq_soft_max-<layer>` is softmax(QKᵀ/√d_k) of all heads of a layer, `l_out-<layer>` its output (the residual stream).
"""

from __future__ import annotations

import contextlib
import ctypes
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.request_errors import ModelNotInspectable, TooLongToInspect
from app.core.events import Guess, TokenSeen
from app.core.gguf import BLOCKS, GgufHeader, TensorInfo
from app.engine.llama.context import DECODED
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import Model

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

MOST_ATTENTION_TOKENS = 256
LENS_TOKENS = 16
"""Tokens for which layers' predictions are computed at once: each needs the output matrix for every layer."""
WINDOW_TOKENS = 512
"""Window of perplexity, as in llama-perplexity: the first half of each is only context."""
ROWS_AT_A_TIME = 4096
"""Rows of the output matrix converted to floats at a time: 4,096 rows of 4,096 are 64 MB."""
MOST_PRODUCTS = 1 << 23
"""Limit of vectors times rows in one product."""
F32 = 0
CPU = 0
"""ggml's device type of processors."""
EXTENTS_AT = 16
"""Offset of the four extents in `struct ggml_tensor`: behind its type (4 bytes, padded) and its buffer's pointer."""
SAME_WITHIN = 0.1
"""Largest difference of our last-layer logits from the model's, in their standard deviations: ggml rounds when
multiplying quantized weights (0.02 for Q8_0, measured); a different kind of head is far off.
"""


class LookBrokenOff(Exception):
    """The inspection was cancelled; nothing of it is told."""


class InspectionContext:
    """A context for looking; free it. Raises ModelNotInspectable where the model gives none.

    `is_cancelled` is asked while the model reads; once it is so, LookBrokenOff is raised.
    """

    def __init__(self, library: LlamaLibrary, model: Model, *, threads: int, size_tokens: int = WINDOW_TOKENS) -> None:
        c = library.c
        self._c, self._library, self._model, self._threads = c, library, model, threads
        self._wanted, self._found = "", dict[int, Any]()
        self._read: tuple[tuple[int, ...], Mapping[int, Floats]] | None = None
        """Tokens read last with each layer's output, if known; their logits are still in the context."""
        self.is_cancelled: Callable[[], bool] = lambda: False
        self._callback = c.ggml_backend_sched_eval_callback(self._on_tensor)  # kept: C holds only the address
        self._aborts = c.ggml_abort_callback(lambda _: self.is_cancelled())
        parameters = c.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = size_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_DISABLED
        # f32, since nothing may be rounded that is to be shown.
        parameters.type_k = parameters.type_v = F32
        parameters.cb_eval = self._callback
        self.size_tokens = size_tokens
        self._context = c.llama_init_from_model(model.pointer, parameters)
        if not self._context:
            raise ModelNotInspectable(model.path, "probabilities")
        c.llama_set_abort_callback(self._context, self._aborts, None)
        self._batch = c.llama_batch_init(size_tokens, 0, 1)
        base = library.base
        base.ggml_get_name.argtypes, base.ggml_get_name.restype = [ctypes.c_void_p], ctypes.c_char_p
        base.ggml_nbytes.argtypes, base.ggml_nbytes.restype = [ctypes.c_void_p], ctypes.c_size_t
        base.ggml_backend_tensor_get.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]

    def free(self) -> None:
        self._read = None  # callbacks keep this object until Python looks for circles
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)

    def read_tokens(self, tokens: Sequence[int], start: int, most: int) -> Iterator[TokenSeen]:
        """Yield the tokens from `start` on to the end of a window, and how the model saw them before they came.

        As llama-perplexity does it: a text longer than a window is read in windows, and what is told of a token is told
        by one in whose first half it is not; each window begins as a text does.
        """
        half = self.size_tokens // 2
        first = max(0, start // half - 1) * half
        window = list(tokens[first : first + self.size_tokens])
        # Each window begins with what the model expects at the beginning of a text.
        begin = self._model.begin_of_text()
        if first:
            window[: len(begin)] = begin
        self._decode_tokens(window)
        for place in range(start - first, len(window)):
            token = tokens[first + place]
            if place:
                yield token_seen(self._model, self._logits_at(place - 1), token, most)
            else:
                yield TokenSeen(token, *self._model.spell_token(token))

    def read_attention(self, tokens: Sequence[int]) -> dict[int, Floats]:
        """Return attention by layer, as arrays of [head, attending token, attended token].

        Each row is a softmax: it sums to 1, with 0 for later tokens. Raises ModelNotInspectable for models without
        attention (recurrent ones).
        """
        if len(tokens) > MOST_ATTENTION_TOKENS:
            raise TooLongToInspect(len(tokens), MOST_ATTENTION_TOKENS)
        layers = self._capture_tensors("kq_soft_max-", tokens)
        count = len(tokens)
        # Layers of sliding windows have other shapes, which can't be shown beside each other.
        shapes = {layer.shape[-3] for layer in layers.values()}
        if not layers or len(shapes) > 1:
            raise ModelNotInspectable(self._model.path, "attention")
        return {
            # The context pads rows and columns.
            number: layers[number].reshape(layers[number].shape[-3:])[:, :count, :count]
            for number in sorted(layers)
        }

    def read_layers(self, tokens: Sequence[int], most: int, start: int = 0) -> list[list[tuple[Guess, ...]]]:
        """Return what the model would say after each layer (the logit lens of nostalgebraist, 2020), for each token
        read.

        Of the tokens from `start` on, `LENS_TOKENS` at most. The residual stream goes through the output's norm and
        matrix, read from the file. Raises ModelNotInspectable where the last layer's words are not those that the model
        says.
        """
        import numpy as np

        stream, count = self._residual_stream(tokens), len(tokens)
        # Layers that only compute the last token are no use here.
        places = sorted(number for number, layer in stream.items() if layer.shape[-2] == count)
        head = OutputHead.from_model(self._library, self._model)
        if not places or head is None:
            raise ModelNotInspectable(self._model.path, "layers")
        told = range(min(start, count - 1), min(start + LENS_TOKENS, count))
        own = np.stack([self._logits_at(place) for place in told])
        below = np.concatenate([stream[number].reshape(count, -1)[told.start : told.stop] for number in places])
        with contextlib.closing(MatrixProducts(self._library, self._threads)) as products:
            said, last = head.likeliest_tokens(below, most, products)
        # Logits are only known up to a constant.
        difference = (last - last.mean()) - (own[-1] - own[-1].mean())
        if not float(difference.std()) <= SAME_WITHIN * float(own[-1].std()):
            raise ModelNotInspectable(self._model.path, "layers")
        # The last layer's own words, from the model itself: better than our product.
        said[-len(told) :] = [_likeliest_tokens(np, self._model, _log_probabilities(np, row), most) for row in own]
        return [said[at : at + len(told)] for at in range(0, len(said), len(told))]

    def _residual_stream(self, tokens: Sequence[int]) -> Mapping[int, Floats]:
        """Return what each layer hands on; the pieces of a text read it once."""
        if self._read is None or self._read[0] != tuple(tokens):
            found = self._capture_tensors("l_out-", tokens)
            self._read = (tuple(tokens), found)
        return self._read[1]

    def _capture_tensors(self, prefix: str, tokens: Sequence[int]) -> Mapping[int, Floats]:
        """Return the tensors whose names are `prefix` and a layer's number, computed while the tokens are read."""
        self._wanted, self._found = prefix, {}
        try:
            self._decode_tokens(tokens)
        finally:
            self._wanted = ""
            found, self._found = self._found, {}
        return found

    def _decode_tokens(self, tokens: Sequence[int]) -> None:
        if len(tokens) > self.size_tokens:
            raise TooLongToInspect(len(tokens), self.size_tokens)
        batch, self._read = self._batch, None
        for at, token in enumerate(tokens):
            # Logits of every token: they are what is looked at.
            batch.token[at], batch.pos[at], batch.n_seq_id[at], batch.logits[at] = token, at, 1, True
            batch.seq_id[at][0] = 0
        batch.n_tokens = len(tokens)
        self._c.llama_memory_clear(self._c.llama_get_memory(self._context), True)
        result = self._c.llama_decode(self._context, batch)
        if self.is_cancelled():
            raise LookBrokenOff
        if result != DECODED:
            raise ModelNotInspectable(self._model.path, "probabilities")

    def _logits_at(self, place: int) -> Floats:
        import numpy as np

        pointer = self._c.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(pointer, (self._model.vocabulary_size,))

    def _on_tensor(self, tensor: int, is_question: bool, _user_data: Any) -> bool:
        """Called by llama.cpp to ask whether a tensor is wanted, and again once a wanted one is computed."""
        if not self._wanted:
            # Not wanted: go on without computing up to it.
            return not is_question
        name = self._library.base.ggml_get_name(tensor).decode("utf-8", "replace")
        number = name.removeprefix(self._wanted)
        is_wanted = name.startswith(self._wanted) and number.isdigit()
        if is_wanted and not is_question:
            copied = self._copy_tensor(tensor)
            if copied is not None:  # an exception would be lost in C
                self._found[int(number)] = copied
        return is_wanted or not is_question

    def _copy_tensor(self, tensor: int) -> Floats | None:
        import numpy as np

        base = self._library.base
        # The struct is read by offset, for the bindings do not know it.
        extents = (ctypes.c_int64 * 4).from_address(tensor + EXTENTS_AT)
        values = np.empty(tuple(reversed(tuple(extents))), dtype=np.float32)
        if base.ggml_nbytes(tensor) != values.nbytes:  # not floats, or not in one piece
            return None
        base.ggml_backend_tensor_get(tensor, values.ctypes.data, 0, values.nbytes)
        return values


def token_seen(model: Model, logits: Floats, token: int, most: int) -> TokenSeen:
    """Return a token, and how the logits of the place before it saw it; the `most` likeliest that could have come."""
    import numpy as np

    rank = int(np.count_nonzero(logits > logits[token]))
    if most < 1:  # a tenth of the time; a translation asks for every token
        # In 64 bits: a sum over 100,000 tokens in 32 would be off in the third digit.
        highest = logits.max()
        log_total = math.log(np.exp(logits - highest).sum(dtype=np.float64))
        return TokenSeen(token, *model.spell_token(token), float(logits[token] - highest) - log_total, rank)
    sure = _log_probabilities(np, logits)
    return TokenSeen(
        token, *model.spell_token(token), float(sure[token]), rank, _likeliest_tokens(np, model, sure, most)
    )


def _log_probabilities(np: Any, logits: Floats) -> Any:
    wide = logits.astype(np.float64)
    wide -= wide.max()
    return wide - math.log(np.exp(wide).sum())


def _likeliest_tokens(np: Any, model: Model, log_probabilities: Any, most: int) -> tuple[Guess, ...]:
    most = min(most, len(log_probabilities))
    if most < 1:
        return ()
    # A partition first: sorting the whole vocabulary for each token would take most of the time.
    best = np.argpartition(-log_probabilities, most - 1)[:most]
    best = best[np.argsort(-log_probabilities[best], kind="stable")]
    return tuple(
        Guess(model.spell_token(int(token))[0], math.exp(float(log_probabilities[token])), int(token)) for token in best
    )


class OutputHead:
    """The last steps of a model: a norm, and the matrix that turns a vector into a number for each token."""

    def __init__(
        self, model: Model, weights: TensorReader, matrix: TensorInfo, norm: Callable[[Floats], Floats]
    ) -> None:
        self._model, self._weights, self._matrix, self._norm = model, weights, matrix, norm

    @classmethod
    def from_model(cls, library: LlamaLibrary, model: Model) -> OutputHead | None:
        """Read the output head; None if the file lacks its tensors."""
        weights = TensorReader(library, Path(model.path), model.header)
        # Tied embeddings are the output as well.
        matrix = weights.find_tensor("output.weight") or weights.find_tensor("token_embd.weight")
        gain, bias = weights.find_tensor("output_norm.weight"), weights.find_tensor("output_norm.bias")
        if matrix is None or gain is None:
            return None
        return cls(model, weights, matrix, _norm_of(model.header, weights, gain, bias))

    def likeliest_tokens(
        self, stream: Floats, most: int, products: MatrixProducts
    ) -> tuple[list[tuple[Guess, ...]], Floats]:
        """Return the likeliest tokens of each vector of [place, width], and all logits of the last one.

        The matrix is unpacked once, a part at a time; of its products only the best and the sums are kept.
        """
        import numpy as np

        normed, places = np.ascontiguousarray(self._norm(stream), np.float32), len(stream)
        best = np.full((places, most), -np.inf)
        ids = np.zeros((places, most), np.int64)
        total = np.full(places, -np.inf)
        last: list[Floats] = []
        begun = 0
        # Fewer rows for more vectors, so that a product has the same size.
        for rows in self._weights.read_rows(self._matrix, MOST_PRODUCTS // places):
            logits = products.multiply(normed, rows)
            last.append(logits[-1])
            highest = logits.max(1)
            # A running log-sum-exp: all logits are never in memory at once.
            total = np.logaddexp(total, highest + np.log(np.exp(logits - highest[:, None]).sum(1)))
            ids = np.concatenate((ids, np.broadcast_to(np.arange(begun, begun + len(rows)), logits.shape)), axis=1)
            best = np.concatenate((best, logits), axis=1)
            # Of the best so far and the new ones the best are kept.
            order = np.argpartition(-best, most - 1, axis=1)[:, :most]
            best, ids = np.take_along_axis(best, order, 1), np.take_along_axis(ids, order, 1)
            begun += len(rows)
        order = np.argsort(-best, axis=1, kind="stable")
        best, ids = np.exp(np.take_along_axis(best, order, 1) - total[:, None]), np.take_along_axis(ids, order, 1)
        found = [
            tuple(
                Guess(self._model.spell_token(token)[0], share, token) for token, share in zip(row, shares, strict=True)
            )
            for row, shares in zip(ids.tolist(), best.tolist(), strict=True)
        ]
        return found, np.concatenate(last)


class _InitParameters(ctypes.Structure):
    """`struct ggml_init_params` of ggml.h."""

    _fields_ = (("size", ctypes.c_size_t), ("buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


class MatrixProducts:
    """Multiplies matrices of floats by ggml, on the processor; close it.

    NumPy by itself takes ten times as long where it has no BLAS, as in a package: OpenBLAS would be 26 MB.
    """

    def __init__(self, library: LlamaLibrary, threads: int) -> None:
        self._ggml, self._base = library.ggml, library.base
        pointer, number, size = ctypes.c_void_p, ctypes.c_int64, ctypes.c_size_t
        _declare_function(self._ggml, "backend_init_by_type", pointer, ctypes.c_int, ctypes.c_char_p)
        # Declared one by one: ctypes would take pointers for ints.
        for name, result, *arguments in (
            ("init", pointer, _InitParameters),
            ("tensor_overhead", size),
            ("graph_overhead", size),
            ("new_tensor_2d", pointer, pointer, ctypes.c_int, number, number),
            ("mul_mat", pointer, pointer, pointer, pointer),
            ("new_graph", pointer, pointer),
            ("build_forward_expand", None, pointer, pointer),
            ("free", None, pointer),
            ("backend_alloc_ctx_tensors", pointer, pointer, pointer),
            ("backend_tensor_set", None, pointer, pointer, size, size),
            ("backend_tensor_get", None, pointer, pointer, size, size),
            ("backend_graph_compute", ctypes.c_int, pointer, pointer),
            ("backend_buffer_free", None, pointer),
            ("backend_free", None, pointer),
            ("backend_get_device", pointer, pointer),
            ("backend_dev_backend_reg", pointer, pointer),
            ("backend_reg_get_proc_address", pointer, pointer, ctypes.c_char_p),
        ):
            _declare_function(self._base, name, result, *arguments)
        self._backend = self._ggml.ggml_backend_init_by_type(CPU, None)
        registered = self._base.ggml_backend_dev_backend_reg(self._base.ggml_backend_get_device(self._backend))
        set_threads = self._base.ggml_backend_reg_get_proc_address(registered, b"ggml_backend_set_n_threads")
        ctypes.CFUNCTYPE(None, pointer, ctypes.c_int)(set_threads)(self._backend, threads)

    def close(self) -> None:
        self._base.ggml_backend_free(self._backend)

    def multiply(self, vectors: Floats, rows: Floats) -> Floats:
        """Multiply [vector, width] by [row, width] into [vector, row]."""
        import numpy as np

        base = self._base
        # Room for the tensors' descriptions only; their data is in a buffer of its own.
        bytes_needed = 4 * base.ggml_tensor_overhead() + base.ggml_graph_overhead()
        context = base.ggml_init(_InitParameters(bytes_needed, None, True))
        sides = [base.ggml_new_tensor_2d(context, F32, side.shape[1], side.shape[0]) for side in (rows, vectors)]
        product = base.ggml_mul_mat(context, *sides)
        graph = base.ggml_new_graph(context)
        base.ggml_build_forward_expand(graph, product)
        buffer = base.ggml_backend_alloc_ctx_tensors(context, self._backend)
        try:
            if not buffer:
                raise MemoryError
            for tensor, side in zip(sides, (rows, vectors), strict=True):
                base.ggml_backend_tensor_set(tensor, side.ctypes.data, 0, side.nbytes)
            base.ggml_backend_graph_compute(self._backend, graph)
            found = np.empty((len(vectors), len(rows)), np.float32)
            base.ggml_backend_tensor_get(product, found.ctypes.data, 0, found.nbytes)
            return found
        finally:
            base.ggml_backend_buffer_free(buffer)
            base.ggml_free(context)


def _declare_function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> None:
    function = getattr(library, f"ggml_{name}")
    function.argtypes, function.restype = arguments, result


def _norm_of(
    header: GgufHeader, weights: TensorReader, gain: TensorInfo, bias: TensorInfo | None
) -> Callable[[Floats], Floats]:
    """Return the norm before the output: of the root mean square (Zhang and Sennrich, 2019), or of mean and
    variance.
    """
    import numpy as np

    factor = next(weights.read_rows(gain)).reshape(-1)
    if bias is None:
        # Epsilons of the norm are in the header; 1e-5 is what llama.cpp takes without them.
        epsilon = float(header.architecture_value("attention.layer_norm_rms_epsilon") or 1e-5)
        return lambda x: x / np.sqrt(np.square(x).mean(-1, keepdims=True) + epsilon) * factor
    shift = next(weights.read_rows(bias)).reshape(-1)
    small = float(header.architecture_value("attention.layer_norm_epsilon") or 1e-5)
    return lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + small) * factor + shift


class _TypeTraits(ctypes.Structure):
    """Beginning of `struct ggml_type_traits`, as far as `to_float`."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("block", ctypes.c_int64),
        ("interleaved", ctypes.c_int64),
        ("size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)),
    )


class TensorReader:
    """The tensors of a file as floats, a few rows at a time; quantized ones are unpacked by ggml itself."""

    def __init__(self, library: LlamaLibrary, path: Path, header: GgufHeader) -> None:
        self._path, self._header = path, header
        self._traits = library.base.ggml_get_type_traits
        self._traits.argtypes, self._traits.restype = [ctypes.c_int], ctypes.POINTER(_TypeTraits)

    def find_tensor(self, name: str) -> TensorInfo | None:
        """Return a tensor's place in the file, or None."""
        return next((tensor for tensor in self._header.tensors if tensor.name == name), None)

    def read_rows(self, tensor: TensorInfo, most: int = ROWS_AT_A_TIME) -> Iterator[Floats]:
        """Yield its rows, `most` and `ROWS_AT_A_TIME` at most at once."""
        import numpy as np

        width, count = tensor.shape[0], math.prod(tensor.shape[1:])
        weights, size = BLOCKS[tensor.type]
        row_bytes = width // weights * size
        # Mapped, so that only the rows that are read come into memory.
        data = np.memmap(self._path, np.uint8, "r", self._header.data_offset + tensor.offset, (count, row_bytes))
        traits = self._traits(tensor.type).contents
        step = max(1, min(most, ROWS_AT_A_TIME))
        for start in range(0, count, step):
            packed = np.ascontiguousarray(data[start : start + step])
            if tensor.type == F32:
                yield packed.view(np.float32)
                continue
            values = np.empty((len(packed), width), np.float32)
            traits.to_float(packed.ctypes.data, values.ctypes.data, values.size)
            yield values
