# shellcheck shell=bash disable=SC2154
# Sourced by root.sh: what drivers other than Linux' own need. Nothing of it is installed in the root, whose QEMU
# has newer libraries; only files of packages are taken.
# make_dpdk KERNEL    KERNEL/dpdk, an archive to go after the kernel's initrd: testpmd with what it loads, and the
#                     modules that lend it a device
# make_ipxe           ipxe.efi: iPXE as a UEFI program, with drivers of its own

dpdk_wanted=(dpdk-dev librte-net-e1000-25 librte-mempool-ring25)
dpdk_modules=(vfio_pci)

# The packages of testpmd and of its libraries, without those that only a compiler needs.
dpdk_packages() {
  local direct
  direct=$(in_root apt-cache "${apt_options[@]}" -t trixie depends --important "${dpdk_wanted[@]}" |
    sed -n 's/^  Depends: \(lib[^ ]*\|ibverbs-providers\)$/\1/p' | grep -v -- '-dev$' | sort -u)
  # shellcheck disable=SC2086
  in_root apt-cache "${apt_options[@]}" -t trixie depends --important --recurse $direct |
    grep -E '^(lib|ibverbs|zlib)[^ :]*$' | grep -v -- '-dev$' | cat - <(printf '%s\n' "${dpdk_wanted[@]}") | sort -u
}

# dpdk_libraries FOLDER: of what is unpacked there, the libraries that testpmd and its drivers take
dpdk_libraries() {
  local folder=$1
  in_root sh -c 'cd "$1" && LD_LIBRARY_PATH=$PWD/usr/lib/x86_64-linux-gnu ldd usr/bin/dpdk-testpmd \
    usr/lib/x86_64-linux-gnu/librte_net_e1000.so.25 usr/lib/x86_64-linux-gnu/librte_mempool_ring.so.25' \
    sh "$folder" | tee "$root$folder/ldd" | grep -o '/[^ ]*' | grep -v ':$' | sort -u
  ! grep 'not found' "$root$folder/ldd" >&2
}

make_dpdk() { # KERNEL
  local inside=/var/lib/e1000-tlm/work.dpdk work=$store/work.dpdk version file
  version=$(cat "$store/$1/version")
  rm -rf "$work"
  mkdir -p "$work"/{packages,files,kernel,tree/usr/bin,tree/usr/lib/x86_64-linux-gnu}
  # shellcheck disable=SC2046
  in_root sh -c 'cd "$1" && shift && apt-get "$@"' sh "$inside/packages" "${apt_options[@]}" -t trixie download \
    $(dpdk_packages)
  for file in "$work"/packages/*.deb; do in_root dpkg-deb -x "${file#"$root"}" "$inside/files"; done
  [ -e "$work/files/lib" ] || ln -s usr/lib "$work/files/lib"
  cp "$work/files/usr/bin/dpdk-testpmd" "$work/tree/usr/bin/"
  for file in $(dpdk_libraries "$inside/files"); do
    cp -L "$root$file" "$work/tree/usr/lib/x86_64-linux-gnu/"
  done
  cp -L "$work"/files/usr/lib/x86_64-linux-gnu/librte_{net_e1000,mempool_ring,bus_pci}.so.25 "$work/tree/usr/lib/x86_64-linux-gnu/"
  dpdk_kernel_modules "$version" "$work" "$inside"
  pack "$work/tree" "$store/$1/dpdk.part"
  mv "$store/$1/dpdk.part" "$store/$1/dpdk"
  rm -rf "$work"
}

# The modules, with lists that know them beside those of the initrd.
dpdk_kernel_modules() { # VERSION WORK INSIDE
  local name package file
  mkdir -p "$2/kernel.packages"
  for package in $(dpdk_kernel_packages "$1"); do
    in_root sh -c 'cd "$1" && shift && apt-get "$@"' sh "$3/kernel.packages" "${apt_options[@]}" download "$package"
  done
  for file in "$2"/kernel.packages/*.deb; do in_root dpkg-deb -x "${file#"$root"}" "$3/kernel"; done
  modules+=("${dpdk_modules[@]}")
  modules_tree "$2/kernel" "$1" "$2/tree"
}

dpdk_kernel_packages() { # VERSION
  in_root apt-cache "${apt_options[@]}" pkgnames linux- |
    grep -xF -e "linux-image-$1" -e "linux-binary-$1" -e "linux-modules-$1"
}

make_ipxe() {
  local inside=/var/lib/e1000-tlm/work.ipxe work=$store/work.ipxe
  rm -rf "$work"
  mkdir -p "$work"
  in_root sh -c 'cd "$1" && shift && apt-get "$@"' sh "$inside" "${apt_options[@]}" -t trixie download ipxe
  in_root sh -c 'dpkg-deb -x "$1"/ipxe_*.deb "$1/files"' sh "$inside"
  cp -L "$work/files/usr/lib/ipxe/ipxe.efi" "$store/"
  rm -rf "$work"
}
