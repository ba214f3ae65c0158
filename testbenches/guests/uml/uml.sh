#!/usr/bin/env bash
# Linux as a program (User-Mode Linux) for ./run linux: a kernel with the e1000 driver built in, made from Debian's
# package linux-source-6.12 with our few changes (kernel.patch) and settings (config), and an initial file
# system with this machine's BusyBox, ethtool, iperf3, iproute2 and ping, and packets, a program of ours (packets/*.c).
# No root rights are needed.
#   uml.sh install    make what is missing (about 5 minutes, once)
#   uml.sh path       print the folder with "linux" and "initrd"
# The folder is e1000-tlm/uml in the user's cache. The source is in Debian 13 (trixie); apt gets it from where this
# machine gets Debian, with package lists of its own.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
me=uml.sh
. "$here/../../../.ci/debian_root.sh"

suite=trixie
package=linux-source-6.12
folder=${XDG_CACHE_HOME:-$HOME/.cache}/e1000-tlm/uml
programs=(/usr/sbin/ethtool /usr/bin/iperf3 /usr/sbin/ip /usr/bin/ping /usr/bin/dash
  /usr/lib/x86_64-linux-gnu/libgcc_s.so.1) # which threads that end load by name

# What the kernel and the initial file system are made of: they are made again when that changes.
kernel_key() { cat "$here/config" "$here/kernel.patch" | cksum; }
initrd_key() { cat "$here/init" "$here/uml.sh" "$here"/packets/*.[ch] | cksum; }

get_source() { # TO
  local uri apt
  uri=$(debian_archive)
  mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
  echo "deb $uri $suite main" > "$folder/apt/sources.list"
  apt=(apt-get -o "Dir::Etc::sourcelist=$folder/apt/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt" -o "Dir::Cache::archives=$folder/apt/archives"
    -o Acquire::Languages=none -o APT::Sandbox::User=)
  again "${apt[@]}" -o APT::Update::Error-Mode=any update
  rm -rf "$1"
  mkdir -p "$1/source"
  (cd "$1" && "${apt[@]}" download "$package")
  dpkg-deb --fsys-tarfile "$1"/"$package"_*.deb | tar -xO "./usr/src/$package.tar.xz" | tar -xJ -C "$1/source" \
    --strip-components=1
}

make_kernel() {
  local work=$folder/work
  get_source "$work"
  (cd "$work/source" && patch -p1) < "$here/kernel.patch"
  mkdir -p "$work/build"
  local make=(make -C "$work/source" ARCH=um SUBARCH=x86_64 "O=$work/build")
  "${make[@]}" "KCONFIG_ALLCONFIG=$here/config" allnoconfig
  local line
  while read -r line; do
    grep -qx "$line" "$work/build/.config" || {
      echo "the kernel does not take the setting $line" >&2
      return 1
    }
  done < <(grep '^CONFIG_' "$here/config")
  nice "${make[@]}" "-j$(nproc)" linux
  strip -o "$folder/linux.part" "$work/build/linux"
  kernel_key > "$folder/linux.key"
  mv "$folder/linux.part" "$folder/linux"
  rm -rf "$work" "$folder/apt"
}

# copy_program PATH TREE: a program and the libraries it takes
copy_program() {
  local file
  for file in "$1" $(ldd "$1" | grep -o '/[^ ]*' || true); do
    mkdir -p "$2$(dirname "$file")"
    cp -L "$file" "$2$file"
  done
}

# Our own program for the guest.
make_packets() { # TO
  "${CC:-gcc}" -std=gnu11 -Os -static -s -Wall -Wextra -Werror "$here"/packets/*.c -o "$1"
}

make_initrd() {
  local tree=$folder/tree program name
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,dev,etc,host,proc,sys,tmp,usr/bin,usr/sbin,lib64}
  ln -s bin "$tree/sbin"
  cp "$(command -v busybox)" "$tree/bin/busybox"
  for name in $("$tree/bin/busybox" --list); do [ "$name" = busybox ] || ln -s busybox "$tree/bin/$name"; done
  for program in "${programs[@]}"; do copy_program "$program" "$tree"; done
  rm -f "$tree"/bin/{ip,ping,sh}
  ln -s /usr/bin/dash "$tree/bin/sh" # busybox' own shell prefers its applets to programs
  install -m 755 "$here/init" "$tree/init"
  make_packets "$tree/bin/packets"
  echo 'root:x:0:0:root:/:/bin/sh' > "$tree/etc/passwd"
  (cd "$tree" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) > "$folder/initrd.part"
  initrd_key > "$folder/initrd.key"
  mv "$folder/initrd.part" "$folder/initrd"
  rm -rf "$tree"
}

step() { # TEXT COMMAND: one line; on failure what the command said
  local log=$folder/log start=$SECONDS
  echo "$me: $1" >&2
  "${BASH_SOURCE[0]}" "$2" > "$log" 2>&1 || { # a process of its own: where || follows, set -e does nothing
    tail -n 20 "$log" >&2
    echo "$me: failed, see $log" >&2
    exit 1
  }
  echo "$me: done in $((SECONDS - start)) s" >&2
}

install_all() {
  mkdir -p "$folder"
  exec 9> "$folder/lock"
  flock 9
  [ -x "$folder/linux" ] && [ "$(cat "$folder/linux.key" 2> /dev/null)" = "$(kernel_key)" ] ||
    step "making the guest's kernel from Debian's $package (about 5 minutes, once)" make-kernel
  [ -f "$folder/initrd" ] && [ "$(cat "$folder/initrd.key" 2> /dev/null)" = "$(initrd_key)" ] ||
    step "making the guest's initial file system" make-initrd
}

case ${1:-} in
  install) install_all ;;
  path) echo "$folder" ;;
  make-kernel) make_kernel ;;
  make-initrd) make_initrd ;;
  *)
    sed -n '2,/^set/{/^#/p}' "$0" >&2
    exit 2
    ;;
esac
