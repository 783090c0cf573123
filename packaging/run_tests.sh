#!/usr/bin/env bash
# Runs the tests: those marked "display" against a real X server, one at a time, for they share its keyboard; beside them
# all others offscreen, two more at a time than there are cores: most of them wait for a child, a socket or a timer.
# usage: [AT_A_TIME=1] run_tests.sh MARKER_EXPRESSION [PYTEST_ARGUMENTS...]
set -euo pipefail
cd "$(dirname "$0")/.."
marks=$1
shift

most_at_a_time=8 # each takes half a gigabyte
at_a_time=$(($(getconf _NPROCESSORS_ONLN) + 2))
if [ "$at_a_time" -gt $most_at_a_time ]; then at_a_time=$most_at_a_time; fi
at_a_time=${AT_A_TIME:-$at_a_time}

# No test can cut the power, so nothing is gained by waiting for the disk; killed processes lose nothing either way.
without_syncs=()
if command -v eatmydata >/dev/null; then without_syncs=(eatmydata); fi

# Where no tests are named, only files that name the mark are read for it.
displayed=("$@")
if [ $# -eq 0 ]; then read -r -d '' -a displayed < <(grep -rlF --include='test_*.py' mark.display tests) || true; fi

run() { # PLATFORM MARKER_EXPRESSION [PYTEST_ARGUMENTS...]
  local none_chosen=5 code=0 # pytest's exit code when no test matches
  env QT_QPA_PLATFORM="$1" packaging/with_display.sh ${without_syncs[@]+"${without_syncs[@]}"} \
    .venv/bin/python -m pytest -q -m "$2" "${@:3}" </dev/null || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq $none_chosen ]
}

said=$(mktemp)
set -m # in a process group of its own, which can be ended whole
run xcb "($marks) and display" ${displayed[@]+"${displayed[@]}"} >"$said" 2>&1 &
beside=$!
set +m
finish() {
  kill -- "-$beside" 2>/dev/null || true
  rm -f "$said"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

failed=0
run offscreen "($marks) and not display" --workers "$at_a_time" "$@" || failed=1
wait "$beside" || failed=1
echo "On a real display:"
cat "$said"
exit $failed
