#!/usr/bin/env bash
# Runs a command on an X display of its own, with a window manager, and ends both when the command ends.
# usage: with_display.sh COMMAND...
set -euo pipefail
size=${FIRESIDE_SCREEN:-1600x1000x24}

for name in Xvfb openbox; do
  command -v "$name" >/dev/null || { echo "$name is missing: make test installs it on Debian and Ubuntu." >&2; exit 1; }
done

scratch=$(mktemp -d)
server= manager=
finish() {
  if [ -n "$manager" ]; then kill "$manager" 2>/dev/null || true; wait "$manager" 2>/dev/null || true; fi
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkfifo "$scratch/display" "$scratch/managed"
Xvfb -displayfd 7 -screen 0 "$size" -nolisten tcp -noreset 7>"$scratch/display" >"$scratch/log" 2>&1 &
server=$!
# The server writes its display number once it answers.
if ! read -r -t 30 number <"$scratch/display"; then
  echo "Xvfb did not start:" >&2
  cat "$scratch/log" >&2
  exit 1
fi
export DISPLAY=:$number
# Nothing of the person's own session: no Wayland, no bus with their colour scheme and portals.
unset WAYLAND_DISPLAY XAUTHORITY SESSION_MANAGER
export XDG_SESSION_TYPE=x11 DBUS_SESSION_BUS_ADDRESS=disabled:

openbox --sm-disable --startup "sh -c 'echo ready >$scratch/managed'" >>"$scratch/log" 2>&1 &
manager=$!
if ! read -r -t 30 _ <>"$scratch/managed"; then
  echo "openbox did not start:" >&2
  cat "$scratch/log" >&2
  exit 1
fi

"$@"
