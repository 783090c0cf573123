#!/usr/bin/env bash
# Runs the tests: those marked "display" against a real X server, all others offscreen.
# The others run two at a time: most of them wait for a child, a socket or the window's loop.
# usage: run_tests.sh MARKER_EXPRESSION [PYTEST_ARGUMENTS...]
set -euo pipefail
cd "$(dirname "$0")/.."
marks=$1
shift

# No test can cut the power, so nothing is gained by waiting for the disk; killed processes lose nothing either way.
without_syncs=()
if command -v eatmydata >/dev/null; then without_syncs=(eatmydata); fi

none_chosen=5 # pytest's exit code when no test matches
failed=0
run() {
  local code=0
  "$@" || code=$?
  if [ "$code" -ne 0 ] && [ "$code" -ne $none_chosen ]; then failed=1; fi
}

run env QT_QPA_PLATFORM=offscreen packaging/with_display.sh \
  ${without_syncs[@]+"${without_syncs[@]}"} .venv/bin/python -m pytest -q -n 2 --dist worksteal -m "($marks) and not display" "$@" </dev/null
run env QT_QPA_PLATFORM=xcb packaging/with_display.sh \
  ${without_syncs[@]+"${without_syncs[@]}"} .venv/bin/python -m pytest -q -m "($marks) and display" "$@" </dev/null
exit $failed
