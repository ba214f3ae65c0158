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

# in_debian_root ROOT COMMAND...: in a clean environment that knows the way to the network
in_debian_root() {
  local root=$1 name words=()
  shift
  for name in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || words+=("$name=${!name}")
  done
  chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root DEBIAN_FRONTEND=noninteractive "${words[@]}" "$@"
}
