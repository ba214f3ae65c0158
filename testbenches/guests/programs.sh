# shellcheck shell=bash disable=SC2154
# Sourced by root.sh: what drivers other than Linux' own need. Nothing of it is installed in the root, whose QEMU
# has newer libraries; only files of packages are taken.
# make_dpdk    dpdk, an archive to go after a kernel's initrd: testpmd with what it loads
# make_ipxe    ipxe.efi: iPXE as a UEFI program, with drivers of its own

dpdk_wanted=(dpdk-dev librte-net-e1000-25 librte-net-virtio25 librte-mempool-ring25)
dpdk_loads=(librte_net_e1000.so.25 librte_net_virtio.so.25 librte_mempool_ring.so.25) # by name, as plug-ins

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
  in_root sh -c 'cd "$1/usr/lib/x86_64-linux-gnu" && shift && LD_LIBRARY_PATH=$PWD ldd ../../bin/dpdk-testpmd "$@"' \
    sh "$folder" "${dpdk_loads[@]/#/./}" | tee "$root$folder/ldd" | grep -o '/[^ ]*' | grep -v ':$' | sort -u
  ! grep 'not found' "$root$folder/ldd" >&2
}

make_dpdk() {
  local inside=/var/lib/e1000-tlm/work.dpdk work=$store/work.dpdk file
  local libraries=$work/tree/usr/lib/x86_64-linux-gnu
  rm -rf "$work"
  mkdir -p "$work"/{packages,files,tree/usr/bin} "$libraries"
  # shellcheck disable=SC2046
  in_root sh -c 'cd "$1" && shift && apt-get "$@"' sh "$inside/packages" "${apt_options[@]}" -t trixie download \
    $(dpdk_packages)
  for file in "$work"/packages/*.deb; do in_root dpkg-deb -x "${file#"$root"}" "$inside/files"; done
  cp "$work/files/usr/bin/dpdk-testpmd" "$work/tree/usr/bin/"
  for file in $(dpdk_libraries "$inside/files"); do cp -L "$root$file" "$libraries/"; done
  cp -L "${dpdk_loads[@]/#/$work/files/usr/lib/x86_64-linux-gnu/}" "$libraries/"
  pack "$work/tree" "$store/dpdk.part"
  echo "${dpdk_wanted[*]}" > "$store/dpdk-of"
  mv "$store/dpdk.part" "$store/dpdk"
  rm -rf "$work"
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
