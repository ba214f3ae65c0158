# shellcheck shell=bash disable=SC2154,SC2016
# Sourced by scripts that make a Debian installation in a folder (a root). Its packages come from where
# this machine's apt has Debian's; other releases are in the same archive.

# debian_archive: prints where this machine's apt has Debian's main archive from
debian_archive() {
  local uri
  uri=$(listed_archive)
  [ -n "$uri" ] || { # no package lists yet
    apt-get update -qq > /dev/null 2>&1 || true
    uri=$(listed_archive)
  }
  [ -n "$uri" ] || {
    echo "$me: apt has no Debian archive here, see sources.list(5)" >&2
    return 1
  }
  echo "$uri"
}
listed_archive() {
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)' \
    'Created-By: Packages' | awk '$1 == "Debian" && $2 !~ /-/ && $3 == "main" { print $4; exit }'
}

# copy_apt_settings ROOT URI SUITE...: sources, proxies, credentials and dates as on this machine
copy_apt_settings() {
  local to=$1/etc/apt uri=$2 suite
  shift 2
  mkdir -p "$to/apt.conf.d" "$to/auth.conf.d"
  for suite in "$@"; do echo "deb $uri $suite main"; done > "$to/sources.list"
  apt-config dump --format '%f "%v";%n' Acquire::http Acquire::https Acquire::ftp Acquire::Retries \
    Acquire::Check-Valid-Until Acquire::Check-Date > "$to/apt.conf.d/90machine"
  cp -r /etc/apt/auth.conf.d/. "$to/auth.conf.d/" 2> /dev/null || true
  cp /etc/apt/auth.conf "$to/" 2> /dev/null || true
}

# debian_environment: prints the words that run a command in a clean environment that knows the way to
# the network, each on a line
debian_environment() {
  local name
  printf '%s\n' /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root DEBIAN_FRONTEND=noninteractive
  for name in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || echo "$name=${!name}"
  done
}

# in_debian_root ROOT COMMAND...: in that environment, by chroot
in_debian_root() {
  local root=$1 words
  shift
  mapfile -t words < <(debian_environment)
  chroot "$root" "${words[@]}" "$@"
}

# with_debian_root ROOT COMMAND...: the same in a mount namespace of its own whose root the folder is, with
# what is mounted there. The kernel lets nobody in a chroot make user namespaces, which passt and others need.
with_debian_root() {
  local root=$1 words
  shift
  mapfile -t words < <(debian_environment)
  unshare --mount --propagation private sh -c 'mount --rbind "$0" "$0" && cd "$0" &&
    pivot_root . mnt && umount -l mnt && exec "$@"' "$root" "${words[@]}" "$@"
}

# again COMMAND...: up to three times, because networks have bad moments and debootstrap tries once
again() {
  "$@" || { sleep 3 && "$@"; } || { sleep 10 && "$@"; }
}
