# shellcheck shell=bash disable=SC2154,SC2016
# Sourced by ./run and ./test, which set root (the repository) and me (their name in messages).
# Installs what is missing, and builds with a word now and then of how far it is.

# packages SECTION...: names listed under these sections of .ci/packages, each once
packages() {
  local section='' line
  while read -r line; do
    case $line in
      '' | '#'*) ;;
      '['*) section=${line//[\[\]]/} ;;
      *) case " $* " in *" $section "*) echo "$line" ;; esac ;;
    esac
  done < "$root/.ci/packages" | sort -u
}

# ensure_packages SECTION...: installs what is missing. If that cannot be done here, one line says
# what is missing and which command installs it.
ensure_packages() {
  command -v dpkg-query > /dev/null || return 0 # not Debian: CMake will name what is missing
  local wanted missing=() installed name as_root=() log start=$SECONDS
  mapfile -t wanted < <(packages "$@")
  installed=$(dpkg-query -W -f '${Package} ${Status}\n' "${wanted[@]}" 2> /dev/null || true)
  for name in "${wanted[@]}"; do
    [[ $'\n'$installed == *$'\n'"$name install ok installed"* ]] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local remedy="as root: apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || {
      echo "$me: packages are missing, and there is no sudo to install them; $remedy" >&2
      return 1
    }
    as_root=(sudo)
  fi
  echo "$me: installing ${missing[*]}" >&2
  log=$(mktemp)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c \
    'apt-get update -qq; exec apt-get install -y -qq --no-install-recommends "$@"' sh "${missing[@]}" \
    > "$log" 2>&1 < /dev/null || {
    local why
    why=$(sed -n 's/^E: //p' "$log" | tail -n 1)
    [ -n "$why" ] || why=$(tail -n 1 "$log")
    rm -f "$log"
    echo "$me: packages are missing and could not be installed (${why:-no reason given}); $remedy" >&2
    return 1
  }
  rm -f "$log"
  echo "$me: installed in $((SECONDS - start)) s" >&2
}

# progress LOG: ninja's output into the log, and how far it is to standard error: in place on a
# terminal, otherwise as a line every 20 seconds.
progress() {
  local log=$1 line start=$SECONDS next=$((SECONDS + 2)) in_place=
  [ ! -t 2 ] || in_place=yes
  while IFS= read -r line; do
    printf '%s\n' "$line" >> "$log"
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    local how_far="building: step ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}, $((SECONDS - start)) s"
    if [ -n "$in_place" ]; then
      printf '\r\033[K%s' "$how_far" >&2
    elif [ "$SECONDS" -ge "$next" ]; then
      echo "$how_far" >&2
      next=$((SECONDS + 20))
    fi
  done
  [ -z "$in_place" ] || printf '\r\033[K' >&2
  [ $((SECONDS - start)) -lt 2 ] || echo "built in $((SECONDS - start)) s" >&2
}

# build PRESET [-DNAME=VALUE...] TARGET...: shows what the compiler says only if it fails
build() {
  local preset=$1 settings=() log status=0
  shift
  while [ "${1#-D}" != "$1" ]; do
    settings+=("$1")
    shift
  done
  log=$(mktemp)
  (
    cd "$root" && cmake --preset "$preset" "${settings[@]}" > "$log" 2>&1 &&
      NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset" --target "$@" 2>&1 | progress "$log"
  ) || status=$?
  [ $status -eq 0 ] || grep -vE '^\[[0-9]+/[0-9]+\]' "$log" >&2 || true
  rm -f "$log"
  return $status
}
