# Read by llama-cpp-python's project when it is configured (CMAKE_PROJECT_llama_cpp_INCLUDE in engine_wheel.py).

# Only llama.cpp's own programs use its "common" library and the HTTP library under it; a wheel holds no programs.
# The package forces both on in the cache, which a variable goes before.
set(LLAMA_BUILD_COMMON OFF)

# ggml asks a library whether it fits this processor only where the name has a suffix; one without is loaded unasked,
# and would end the program with an illegal instruction on another processor.
if(NOT GGML_CPU_ALL_VARIANTS)
  cmake_language(DEFER CALL set_target_properties ggml-cpu PROPERTIES OUTPUT_NAME ggml-cpu-here)
endif()
