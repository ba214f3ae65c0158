#!/usr/bin/env bash
# What the guests are made of: QEMU and tools in the root of the conformance suite's reference
# (testbenches/conformance/reference_qemu.sh), Linux kernels of Debian, and for each kernel an initial
# file system (initrd) with these tools and the modules a network card takes. Nothing is compiled.
# Needs root and debootstrap.
#   root.sh install [KERNEL...]   make what is missing; KERNEL: 6.1, 6.12, newest (default: 6.12)
#   root.sh dpdk                  make dpdk, DPDK's testpmd, to go after an initrd
#   root.sh ipxe                  make ipxe.efi, iPXE as a UEFI program
#   root.sh path                  print where the root is
#   root.sh kernels               print "NAME VERSION" of each kernel that is there
# Inside of the root, kernels are /var/lib/e1000-tlm/KERNEL/{vmlinuz,initrd,version}.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
me=root.sh
. "$here/../../.ci/debian_root.sh"
. "$here/programs.sh"

reference=$here/../conformance/reference_qemu.sh
root=$("$reference" path)
store=$root/var/lib/e1000-tlm
tools=(busybox-static cpio ethtool iperf3 iproute2 iputils-ping kmod u-boot-qemu ovmf)
declare -A suites=([6.1]=bookworm [6.12]=trixie [newest]=trixie-backports)
# Programs of the guest; busybox has the rest.
programs=(/usr/sbin/ethtool /usr/bin/iperf3 /usr/sbin/ip /usr/bin/ping /usr/bin/kmod /usr/bin/dash
  /usr/lib/x86_64-linux-gnu/libgcc_s.so.1) # which threads that end load by name
# Modules of the guest, with what they depend on; those a kernel has built in are not files.
modules=(e1000 virtio_net 8021q af_packet ipv6 virtio_pci virtio_rng uio_pci_generic)

in_root() { in_debian_root "$root" LC_ALL=C "$@"; }

# The guests' own package lists: those of the reference are left as they are.
apt_options=(-o Dir::Etc::sourcelist=/var/lib/e1000-tlm/sources.list -o Dir::Etc::sourceparts=-
  -o Dir::State::lists=/var/lib/e1000-tlm/lists -o DPkg::Lock::Timeout=300
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
apt_lists() {
  local uri suite
  uri=$(debian_archive)
  mkdir -p "$store/lists/partial"
  for suite in bookworm trixie trixie-backports; do echo "deb $uri $suite main"; done > "$store/sources.list"
  again in_root apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any update
}

install_tools() {
  in_root apt-get "${apt_options[@]}" install -y --no-install-recommends -t trixie "${tools[@]}"
  touch "$store/tools-of-1"
}

# The kernel's package of a suite and, where it is split, those with its image and modules.
kernel_packages() { # SUITE
  local version first
  version=$(in_root apt-cache "${apt_options[@]}" madison linux-image-amd64 |
    awk -F ' *[|] *' -v suite="$1/main" '$3 ~ " " suite " " { print $2; exit }')
  first=$(in_root apt-cache "${apt_options[@]}" show "linux-image-amd64=$version" |
    sed -n 's/^Depends: //p' | tr ',' '\n' | sed -n 's/^ *\(linux-image-[^ ]*\).*/\1/p' | head -n 1)
  [ -n "$first" ]
  echo "$first"
  in_root apt-cache "${apt_options[@]}" show "$first" | sed -n 's/^Depends: //p' | tr ',' '\n' |
    sed -n 's/^ *\(linux-\(binary\|modules\)-[^ ]*\).*/\1/p' | sort -u
}

# copy_program PATH TREE: a program and the libraries it takes
copy_program() {
  local file
  for file in "$1" $(in_root ldd "$1" | grep -o '/[^ ]*' || true); do
    mkdir -p "$2$(dirname "$file")"
    cp -L "$root$file" "$2$file"
  done
}

# A tree with the guest's programs and init.
tools_tree() { # TREE
  local program name
  mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,usr/bin,usr/sbin,lib64}
  ln -s bin "$1/sbin"
  cp "$root/usr/bin/busybox" "$1/bin/"
  for name in $("$root/usr/bin/busybox" --list); do [ "$name" = busybox ] || ln -s busybox "$1/bin/$name"; done
  for program in "${programs[@]}"; do copy_program "$program" "$1"; done
  for name in modprobe rmmod insmod lsmod modinfo; do
    rm -f "$1/bin/$name"
    ln -s /usr/bin/kmod "$1/bin/$name"
  done
  rm -f "$1"/bin/{ip,ping,sh}
  ln -s /usr/bin/dash "$1/bin/sh" # busybox' own shell prefers its applets to programs
  install -m 755 "$here/init" "$1/init"
  echo 'root:x:0:0:root:/:/bin/sh' > "$1/etc/passwd"
}

# The modules of an unpacked kernel and what they depend on, with depmod's lists.
modules_tree() { # KERNEL-TREE VERSION TREE
  local from=$1/lib/modules/$2 to=$3/lib/modules/$2 name file
  [ -d "$from" ] || from=$1/usr/lib/modules/$2
  mkdir -p "$to"
  cp "$from"/modules.{builtin,order} "$to/"
  [ ! -f "$from/modules.builtin.modinfo" ] || cp "$from/modules.builtin.modinfo" "$to/"
  mkdir -p "$1/lib/modules"
  [ "$from" = "$1/lib/modules/$2" ] || ln -sfn "../../usr/lib/modules/$2" "$1/lib/modules/$2"
  in_root depmod -b "${1#"$root"}" "$2"
  for name in "${modules[@]}"; do
    in_root modprobe -d "${1#"$root"}" -S "$2" --show-depends --ignore-install "$name" 2> /dev/null |
      sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
  done | sort -u | while read -r file; do
    file=${file#*/lib/modules/"$2"/}
    install -D -m 644 "$from/$file" "$to/$file"
  done
  in_root depmod -b "${3#"$root"}" "$2"
}

make_kernel() { # NAME
  local work=$store/work.$1 to=$store/$1 package version
  rm -rf "$work" "$to.part"
  mkdir -p "$work"/{packages,kernel,tree} "$to.part"
  for package in $(kernel_packages "${suites[$1]}"); do
    in_root sh -c 'cd "$1" && shift && apt-get "$@"' sh "/var/lib/e1000-tlm/work.$1/packages" \
      "${apt_options[@]}" download "$package"
  done
  for package in "$work"/packages/*.deb; do in_root dpkg-deb -x "${package#"$root"}" "/var/lib/e1000-tlm/work.$1/kernel"; done
  version=$(basename "$(find "$work/kernel" -path '*/lib/modules/*' -maxdepth 5 -type d -name '*-amd64' | head -n 1)")
  cp "$work/kernel/boot/vmlinuz-$version" "$to.part/vmlinuz" 2> /dev/null ||
    cp "$(find "$work/kernel" -name "vmlinuz*" | head -n 1)" "$to.part/vmlinuz"
  tools_tree "$work/tree"
  modules_tree "$work/kernel" "$version" "$work/tree"
  pack "$work/tree" "$to.part/initrd"
  echo "$version" > "$to.part/version"
  cksum < "$here/init" > "$to.part/init-of"
  echo "${modules[*]}" > "$to.part/modules-of"
  rm -rf "$to"
  mv "$to.part" "$to"
  rm -rf "$work"
}

pack() { # TREE FILE
  in_root sh -c 'cd "$1" && find . | cpio --quiet -o -H newc' sh "${1#"$root"}" > "$2"
}

# A kernel whose initrd has another init than ours: unpacked and packed again.
renew_init() { # NAME
  local work=$store/work.$1
  [ "$(cat "$store/$1/init-of")" != "$(cksum < "$here/init")" ] || return 0
  rm -rf "$work"
  mkdir -p "$work/tree"
  in_root sh -c 'cd "$1" && cpio --quiet -idm' sh "/var/lib/e1000-tlm/work.$1/tree" < "$store/$1/initrd"
  install -m 755 "$here/init" "$work/tree/init"
  pack "$work/tree" "$store/$1/initrd"
  cksum < "$here/init" > "$store/$1/init-of"
  rm -rf "$work"
}

step() { # TEXT COMMAND...: one line; on failure what the command said
  local log=$store/log start=$SECONDS status=0
  echo "$me: $1" >&2
  # With "|| ..." behind it bash would go on after errors in it, set -e or not.
  set +e
  ( set -e; "${@:2}" ) > "$log" 2>&1
  status=$?
  set -e
  [ $status -eq 0 ] || {
    tail -n 20 "$log" >&2
    echo "$me: failed, see $log" >&2
    exit 1
  }
  echo "$me: done in $((SECONDS - start)) s" >&2
}

install_all() {
  local kernel
  [ "$(id -u)" -eq 0 ] || { echo "$me: making the guests' root takes root rights (debootstrap, chroot): run as root" >&2; exit 2; }
  command -v debootstrap > /dev/null || { echo "$me: debootstrap is missing: apt-get install debootstrap" >&2; exit 2; }
  mkdir -p "$store"
  exec 9> "$store/lock"
  flock 9
  for kernel in "$@"; do
    [ -n "${suites[$kernel]:-}" ] || { echo "$me: no kernel '$kernel'; there are ${!suites[*]}" >&2; exit 2; }
  done
  "$reference" version > /dev/null || {
    mkdir -p "$store"
    step "installing QEMU in $root (1 to 2 minutes, once)" "$reference" install
  }
  [ -f "$store/tools-of-1" ] || {
    step "reading Debian's package lists" apt_lists
    step "installing the guests' tools" install_tools
  }
  for kernel in "$@"; do
    if [ -f "$store/$kernel/initrd" ] && [ "${modules[*]}" = "$(cat "$store/$kernel/modules-of" 2> /dev/null)" ]; then
      renew_init "$kernel"
    else
      [ -f "$store/sources.list" ] || step "reading Debian's package lists" apt_lists
      step "getting Linux of Debian ${suites[$kernel]}" make_kernel "$kernel"
    fi
  done
}

case ${1:-} in
  install)
    shift
    [ $# -gt 0 ] || set -- 6.12
    install_all "$@"
    ;;
  dpdk | ipxe)
    install_all 6.12
    [ "$1" != dpdk ] || [ "${dpdk_wanted[*]}" = "$(cat "$store/dpdk-of" 2> /dev/null)" ] || rm -f "$store/dpdk"
    [ -s "$store/$1" ] || [ -s "$store/$1.efi" ] || step "getting $1 of Debian trixie" "make_$1"
    ;;
  path) echo "$root" ;;
  kernels)
    for name in 6.1 6.12 newest; do
      [ ! -f "$store/$name/version" ] || echo "$name $(cat "$store/$name/version")"
    done
    ;;
  *)
    sed -n '2,/^set/{/^#/p}' "$0" >&2
    exit 2
    ;;
esac
