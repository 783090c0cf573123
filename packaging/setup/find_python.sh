#!/usr/bin/env bash
# Prints the path of a Python that the lock covers and that can make virtual environments; says why when there is none.
set -euo pipefail
oldest=11 newest=14 # of Python 3; the requirements files hold wheels for these

wanted="import sys; sys.exit(not ((3, $oldest) <= sys.version_info[:2] <= (3, $newest)))"
without_venv=
for name in python3 python3.14 python3.13 python3.12 python3.11; do
  path=$(command -v "$name") || continue
  "$path" -c "$wanted" 2>/dev/null </dev/null || continue
  if "$path" -c 'import ensurepip, venv, sys; print(sys.executable)' 2>/dev/null </dev/null; then
    exit 0
  fi
  without_venv=$path
done

if [ -n "$without_venv" ]; then
  echo "$without_venv cannot make virtual environments: install its venv package (python3-venv on Debian and Ubuntu)." >&2
else
  echo "Fireside needs Python 3.$oldest to 3.$newest (its pinned packages exist for these)." >&2
  if command -v python3 >/dev/null; then echo "This machine has $(python3 --version 2>&1)." >&2; fi
fi
exit 1
