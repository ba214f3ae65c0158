#!/usr/bin/env bash
# The reference that the conformance suite compares with: QEMU of Debian trixie-backports in a root of
# its own, because Debian 12's QEMU leaves the qtest accelerator out. Needs root and debootstrap.
#   reference_qemu.sh install    make the root (once; about a minute)
#   reference_qemu.sh path       print where it is
#   reference_qemu.sh version    print QEMU's version; status 1: there is none
#   reference_qemu.sh run ARGUMENT...   qemu-system-x86_64 with these arguments
# The root is $E1000TLM_REFERENCE_ROOT, otherwise e1000-tlm/reference-qemu in the user's cache.
# Packages come from where this machine's apt gets Debian: the same mirror serves other releases too.
set -euo pipefail

release=trixie
root=${E1000TLM_REFERENCE_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/e1000-tlm/reference-qemu}

# Where this machine's apt has Debian's main archive from.
mirror() {
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)' \
    'Created-By: Packages' | awk '$1 == "Debian" && $2 !~ /-/ && $3 == "main" { print $4; exit }'
}

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C \
  DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@"; }

install() {
  local uri log
  uri=$(mirror)
  [ -n "$uri" ] || { echo "reference_qemu.sh: apt has no Debian archive here" >&2; return 1; }
  mkdir -p "$root"
  log=$root.log
  {
    [ -x "$root/usr/bin/apt-get" ] || debootstrap --variant=minbase "$release" "$root" "$uri"
    printf 'deb %s %s main\n' "$uri" "$release" "$uri" "$release-backports" \
      > "$root/etc/apt/sources.list"
    apt-config dump --format '%f "%v";%n' Acquire::http Acquire::https \
      > "$root/etc/apt/apt.conf.d/90proxy"
    in_root apt-get update
    in_root apt-get install -y --no-install-recommends -t "$release-backports" \
      qemu-system-x86 qemu-system-common
    in_root apt-get clean
  } > "$log" 2>&1 || { tail -n 20 "$log" >&2; echo "reference_qemu.sh: failed, see $log" >&2; return 1; }
  version
}

version() {
  [ -x "$root/usr/bin/qemu-system-x86_64" ] || return 1
  in_root qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/QEMU \1/p'
}

case ${1:-} in
  install) install ;;
  path) echo "$root" ;;
  version) version ;;
  run)
    shift
    exec chroot "$root" /usr/bin/qemu-system-x86_64 "$@"
    ;;
  *)
    sed -n '2,/^set/{/^#/p}' "$0" >&2
    exit 2
    ;;
esac
