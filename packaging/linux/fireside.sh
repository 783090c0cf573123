#!/bin/sh
# Starts Fireside from wherever this folder lies; "fireside --add-to-menu" puts it into the desktop's menu.
here=$(dirname "$(readlink -f "$0")")

if [ "$1" = --add-to-menu ]; then
  menu=${XDG_DATA_HOME:-$HOME/.local/share}/applications
  mkdir -p "$menu" || exit 1
  # A menu entry needs whole paths. In sed's replacement \, & and | have meanings, in an Exec line % has one.
  path=$(printf '%s' "$here" | sed 's/[\\&|]/\\&/g')
  program=$(printf '%s' "$path" | sed 's/%/%%/g')
  sed -e "s|^Exec=fireside|Exec=\"$program/fireside\"|" -e "s|^TryExec=.*|TryExec=$path/fireside|" \
    -e "s|^Icon=.*|Icon=$path/fireside.png|" \
    "$here/share/applications/fireside.desktop" >"$menu/fireside.desktop" || exit 1
  echo "Fireside is in the menu now ($menu/fireside.desktop)."
  exit 0
fi

exec "$here/program/fireside" "$@"
