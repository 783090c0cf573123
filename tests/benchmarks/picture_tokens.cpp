// What llama.cpp itself makes of a chat with pictures: ids, positions, and what a model writes greedily, as one JSON line.
//
// It goes the way of llama.cpp's tools/mtmd/mtmd-cli.cpp, which prints texts only, and is built against the libraries of
// the comparison by llama_build.py. usage: picture-tokens MODEL PROJECTOR TEXT TOKENS PICTURE...
// In TEXT, which is the user's message, each picture stands as <__media__>. Of text a token is [id, [position]]; of a
// picture it is [-1, [t, y, x, z]] where the model has positions in several dimensions, else [-1, [position]].

#include "chat.h"
#include "ggml-backend.h"
#include "llama.h"
#include "mtmd-helper.h"
#include "mtmd.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

static void say_nothing(ggml_log_level, const char *, void *) {}

static void demand(bool holds, const char * what) {
    if (!holds) {
        fprintf(stderr, "picture-tokens: %s\n", what);
        exit(1);
    }
}

static std::string as_the_chat_has_it(const llama_model * model, const char * text) {
    common_chat_msg message;
    message.role = "user";
    message.content = text;
    const auto templates = common_chat_templates_init(model, "");
    return common_chat_format_single(templates.get(), {}, message, true, true);
}

static mtmd::input_chunks_ptr cut(mtmd_context * eyes, const std::string & prompt, char ** files, int count) {
    mtmd::bitmaps bitmaps;
    for (int i = 0; i < count; i++) {
        auto loaded = mtmd_helper_bitmap_init_from_file(eyes, files[i], false, mtmd_helper_init_opt_default());
        demand(loaded.bitmap, "a picture cannot be read");
        bitmaps.entries.emplace_back(loaded.bitmap);
    }
    mtmd::input_chunks_ptr chunks(mtmd_input_chunks_init());
    const mtmd_input_text text = {prompt.data(), prompt.size(), /* add_special */ true, /* parse_special */ true};
    auto pointers = bitmaps.c_ptr();
    const int failed = mtmd_tokenize(eyes, chunks.get(), &text, pointers.data(), pointers.size());
    demand(failed == 0, "the prompt cannot be cut into tokens");
    return chunks;
}

static void print_prompt(mtmd_context * eyes, const mtmd_input_chunks * chunks) {
    llama_pos start = 0;
    const char * comma = "";
    for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
        const mtmd_input_chunk * chunk = mtmd_input_chunks_get(chunks, i);
        const mtmd_image_tokens * image = mtmd_input_chunk_get_tokens_image(chunk);
        size_t texts = 0;
        const llama_token * ids = mtmd_input_chunk_get_tokens_text(chunk, &texts);
        const size_t count = mtmd_input_chunk_get_n_tokens(chunk);
        for (size_t n = 0; n < count; n++) {
            if (image && mtmd_decode_use_mrope(eyes)) {
                const mtmd_decoder_pos at = mtmd_image_tokens_get_decoder_pos(image, start, n);
                printf("%s[-1, [%d, %d, %d, %d]]", comma, (int) at.t, (int) at.y, (int) at.x, (int) at.z);
            } else {
                printf("%s[%d, [%d]]", comma, ids ? (int) ids[n] : -1, (int) (start + n));
            }
            comma = ", ";
        }
        start += mtmd_input_chunk_get_n_pos(chunk);
    }
}

static llama_token likeliest(llama_context * context, int count) {
    const float * logits = llama_get_logits_ith(context, -1);
    llama_token best = 0;
    for (llama_token token = 1; token < count; token++) {
        if (logits[token] > logits[best]) {
            best = token;
        }
    }
    return best;
}

static void print_answer(llama_context * context, const llama_vocab * vocab, llama_pos position, int most) {
    llama_batch batch = llama_batch_init(1, 0, 1);
    for (int n = 0; n < most; n++) {
        const llama_token token = likeliest(context, llama_vocab_n_tokens(vocab));
        if (llama_vocab_is_eog(vocab, token)) {
            break;
        }
        printf("%s%d", n ? ", " : "", (int) token);
        batch.n_tokens = 1;
        batch.token[0] = token;
        batch.pos[0] = position++;
        batch.n_seq_id[0] = 1;
        batch.seq_id[0][0] = 0;
        batch.logits[0] = true;
        demand(llama_decode(context, batch) == 0, "a token cannot be decoded");
    }
    llama_batch_free(batch);
}

int main(int argc, char ** argv) {
    demand(argc > 4, "usage: picture-tokens MODEL PROJECTOR TEXT TOKENS PICTURE...");
    llama_log_set(say_nothing, nullptr);
    mtmd_helper_log_set(say_nothing, nullptr);
    ggml_backend_load_all();

    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    demand(model, "the model cannot be loaded");
    mtmd_context_params seeing = mtmd_context_params_default();
    seeing.n_threads = 1;
    seeing.use_gpu = seeing.warmup = seeing.print_timings = false;
    mtmd::context_ptr eyes(mtmd_init_from_file(argv[2], model, seeing));
    demand(eyes.get(), "the projector cannot be loaded");
    llama_context_params reading = llama_context_default_params();
    reading.n_ctx = reading.n_batch = reading.n_ubatch = 2048; // a picture that sees all of itself is read at once
    reading.n_threads = reading.n_threads_batch = 1;
    llama_context * context = llama_init_from_model(model, reading);
    demand(context, "there is no context");

    const auto chunks = cut(eyes.get(), as_the_chat_has_it(model, argv[3]), argv + 5, argc - 5);
    printf("{\"prompt\": [");
    print_prompt(eyes.get(), chunks.get());
    llama_pos end = 0;
    const int failed = mtmd_helper_eval_chunks(eyes.get(), context, chunks.get(), 0, 0, 2048, true, &end);
    demand(failed == 0, "the prompt cannot be read");
    printf("], \"written\": [");
    print_answer(context, llama_model_get_vocab(model), end, atoi(argv[4]));
    printf("]}\n");

    llama_free(context);
    eyes.reset();
    llama_model_free(model);
    return 0;
}
