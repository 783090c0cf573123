#!/bin/bash
# The shell of the Makefile's recipes: the first command that fails ends a recipe. `.SHELLFLAGS` would say the same, but
# make 3.81, which macOS has, does not know it.
exec /bin/bash -euo pipefail "$@"
