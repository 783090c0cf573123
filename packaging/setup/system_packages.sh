#!/usr/bin/env bash
# Installs the system packages of one group (packages/GROUP.txt) where any is missing, through apt.
# Everything it says goes to standard error; apt runs only when something is missing.
set -euo pipefail
exec 1>&2 </dev/null

group=${1:?usage: system_packages.sh GROUP}
list="$(cd "$(dirname "$0")" && pwd)/packages/$group.txt"

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
# grep reads to the end here: with -q it would leave early, and apt-cache would fail for it.
is_offered() { apt-cache show --no-all-versions "$1" 2>/dev/null | grep '^Package:' >/dev/null; }

# Fills missing_required and missing_optional with lines of the list that no installed package answers.
look() {
  missing_required=() missing_optional=()
  local line name found
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) continue ;; esac
    found=
    for name in ${line//[|?]/ }; do
      if is_installed "$name"; then found=1; fi
    done
    if [ -n "$found" ]; then continue; fi
    case $line in
      '?'*) missing_optional+=("${line#\?}") ;;
      *) missing_required+=("$line") ;;
    esac
  done <"$list"
}

# The first name of each line that this system's package lists offer; the others go to not_offered.
choose() {
  chosen=() not_offered=()
  local line name pick
  for line in "$@"; do
    pick=
    for name in ${line//|/ }; do
      if [ -z "$pick" ] && is_offered "$name"; then pick=$name; fi
    done
    if [ -n "$pick" ]; then chosen+=("$pick"); else not_offered+=("${line# }"); fi
  done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "This system has no apt. Fireside needs what these Debian packages hold (group $group), under this system's names:"
  grep -v '^#' "$list" | sed 's/^/  /'
  echo "Going on; if a step below fails, one of them is missing."
  exit 0
fi

look
if [ ${#missing_required[@]} -eq 0 ] && [ ${#missing_optional[@]} -eq 0 ]; then exit 0; fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { : </dev/tty; } 2>/dev/null; }; then
  as_root=(sudo)
else
  choose ${missing_required[@]+"${missing_required[@]}"} ${missing_optional[@]+"${missing_optional[@]}"}
  if [ ${#missing_required[@]} -eq 0 ]; then
    echo "Not installed, and Fireside works without them:${missing_optional[*]}"
    exit 0
  fi
  echo "Fireside needs some system packages, and this account may not install them. Please have this typed, then try again:"
  echo "  apt-get install -y ${chosen[*]} ${not_offered[*]+${not_offered[*]}}"
  exit 1
fi

run_apt() {
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8 \
    apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}
install_them() { run_apt install -y --no-install-recommends "${chosen[@]}"; }

choose ${missing_required[@]+"${missing_required[@]}"} ${missing_optional[@]+"${missing_optional[@]}"}
refreshed=
if [ ${#not_offered[@]} -gt 0 ]; then # a fresh machine has no package lists at all
  echo "Refreshing the package lists (apt-get update)."
  run_apt update || echo "apt-get update failed; trying with the lists that are here."
  refreshed=1
  choose ${missing_required[@]+"${missing_required[@]}"} ${missing_optional[@]+"${missing_optional[@]}"}
fi

if [ ${#chosen[@]} -gt 0 ]; then
  echo "Installing system packages: ${chosen[*]}"
  if ! install_them; then
    if [ -z "$refreshed" ]; then # old lists name versions that the archive no longer has
      echo "That failed; refreshing the package lists and trying once more."
      run_apt update || echo "apt-get update failed; trying with the lists that are here."
    fi
    if ! install_them; then
      for name in "${chosen[@]}"; do # one bad package must not keep the others out
        run_apt install -y --no-install-recommends "$name" || echo "apt could not install $name."
      done
    fi
  fi
fi

look
if [ ${#missing_optional[@]} -gt 0 ]; then
  echo "Not available here, and Fireside works without:$(printf ' %s;' "${missing_optional[@]}")"
fi
if [ ${#missing_required[@]} -gt 0 ]; then
  echo "These system packages could not be installed: ${missing_required[*]}"
  echo "Fireside cannot be set up without them. Please install them and run the same command again."
  exit 1
fi
