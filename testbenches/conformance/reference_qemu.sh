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
me=reference_qemu.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../.ci/debian_root.sh"

release=trixie
root=${E1000TLM_REFERENCE_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/e1000-tlm/reference-qemu}

in_root() { in_debian_root "$root" LC_ALL=C "$@"; }

install() {
  local uri log
  uri=$(debian_archive)
  mkdir -p "$root"
  log=$root.log
  {
    [ -x "$root/usr/bin/apt-get" ] || again debootstrap --variant=minbase "$release" "$root" "$uri" &&
    copy_apt_settings "$root" "$uri" "$release" "$release-backports" &&
    again in_root apt-get -o APT::Update::Error-Mode=any update &&
    in_root apt-get install -y --no-install-recommends -t "$release-backports" \
      qemu-system-x86 qemu-system-common &&
    in_root apt-get clean
  } > "$log" 2>&1 || { tail -n 20 "$log" >&2; echo "$me: failed, see $log" >&2; return 1; }
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
