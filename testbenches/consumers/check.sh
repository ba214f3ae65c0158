#!/usr/bin/env bash
# Builds projects outside of the tree on e1000-tlm, the ways that strangers do, with strict warnings:
#   package     cmake --install, then find_package: all examples, and every installed header
#   pkg-config  the same prefix with make
#   shared      the same with shared libraries
#   subproject  add_subdirectory: the models alone, SystemC as an ALIAS target as FetchContent gives it
#   standards   a C++14 project is told what is wrong
# usage: check.sh [NAME...]; works in a temporary folder, removed at the end (KEEP=1: kept).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/e1000tlm-consumers.XXXXXX")
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
export SC_COPYRIGHT_MESSAGE=DISABLE
command -v ccache > /dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=/ CCACHE_NOHASHDIR=1
# A consumer's -I<prefix> is no system path to the compiler, so that our headers' warnings count.
no_system=(-DCMAKE_NO_SYSTEM_FROM_IMPORTED=ON)

fail() {
  echo "consumers: $*" >&2
  exit 1
}

quietly() { # NAME COMMAND...: shows the output only when it fails
  local log="$work/$1.log"
  shift
  "$@" > "$log" 2>&1 || {
    cat "$log" >&2
    fail "failed: $*"
  }
}

configure_and_build() { # NAME SOURCE ARGUMENTS...
  local name=$1 from=$2
  shift 2
  quietly "$name-configure" cmake -G Ninja -S "$from" -B "$work/$name" "$@"
  quietly "$name-build" cmake --build "$work/$name"
}

install_static() {
  [ -d "$work/prefix" ] && return
  # Where and as our own build would, so that the compiler cache knows everything.
  quietly install-configure env -u CMAKE_CXX_COMPILER_LAUNCHER cmake -G Ninja -S "$source" \
    -B "$source/build-consumers" -DCMAKE_BUILD_TYPE=Release -DE1000TLM_STRICT=ON
  quietly install-build cmake --build "$source/build-consumers"
  quietly install cmake --install "$source/build-consumers" --prefix "$work/prefix"
}

expect_exchange() { # PROGRAM: one frame goes out and comes back
  "$1" | grep -q 'frame received: 60 bytes' || fail "$1 did not receive its frame"
}

package() {
  install_static
  cp -r "$source/examples" "$work/examples"
  configure_and_build examples "$work/examples" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_CXX_FLAGS="$strict" "${no_system[@]}" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
  quietly examples-test ctest --test-dir "$work/examples" --output-on-failure
  expect_exchange "$work/examples/bind-controller"
  # Nothing of ours but the include root: no flag, no definition, no path into the tree.
  ! grep -E -- "-D(E1000|SC_)|$source|-std=c\+\+(11|14)" "$work/examples/compile_commands.json" |
    grep -v '"directory"' || fail "our flags reach the consumer"
  "$work/prefix/bin/e1000-sim" --version > /dev/null
  # Every header, in both orders, in one translation unit each.
  local order
  for order in sort "sort -r"; do
    (cd "$work/prefix/include" && find e1000tlm -name '*.h' | $order | sed 's/.*/#include "&"/') > "$work/all.cpp"
    # shellcheck disable=SC2086
    quietly headers g++ -std=c++17 $strict -I "$work/prefix/include" -fsyntax-only "$work/all.cpp"
  done
  echo "consumers: package: $(grep -c include "$work/all.cpp") headers, $(ctest --test-dir "$work/examples" -N | grep -c 'Test *#') examples"
}

pkg_config() {
  install_static
  local libdir
  libdir=$(dirname "$(find "$work/prefix" -name e1000tlm.pc)")
  cp -r "$here/pkg_config" "$work/make"
  cp "$source"/examples/{bind_controller.cpp,processor.h,board_in_slices.cpp} "$work/make"
  PKG_CONFIG_PATH=$libdir quietly make make -C "$work/make" STRICT="$strict"
  expect_exchange "$work/make/bind_controller"
  "$work/make/board_in_slices" > /dev/null || fail "board_in_slices failed"
  echo "consumers: pkg-config"
}

shared() {
  configure_and_build build-shared "$source" -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DE1000TLM_BUILD_PROGRAMS=OFF -DCMAKE_INSTALL_PREFIX="$work/prefix-shared"
  quietly install-shared cmake --install "$work/build-shared"
  cp -r "$source/examples" "$work/examples-shared-source"
  configure_and_build examples-shared "$work/examples-shared-source" \
    -DCMAKE_PREFIX_PATH="$work/prefix-shared" -DCMAKE_CXX_FLAGS="$strict" "${no_system[@]}"
  quietly examples-shared-test ctest --test-dir "$work/examples-shared" --output-on-failure
  echo "consumers: shared libraries"
}

subproject() {
  cp -r "$here/subproject" "$work/sub-source"
  cp "$source"/examples/{bind_controller.cpp,processor.h} "$work/sub-source"
  configure_and_build sub "$work/sub-source" -DE1000TLM_SOURCE="$source" -DSTRICT="$strict" \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
  expect_exchange "$work/sub/consumer"
  grep -q 'models of the consumer' < <("$work/sub/consumer" --own-models) || fail "a folder models/ of the consumer's own collides"
  [ ! -e "$work/sub/bin" ] || fail "the sub-project writes programs where the consumer did not ask for them"
  # The models alone: no libpcap, no JSON, no program options, no board, no tests, no -Werror of ours.
  ! grep -E 'pcap|program_options|nlohmann' "$work/sub/build.ninja" || fail "the models drag in what they do not use"
  ! grep -E 'platform/|testbenches/|host_partner|tap_partner' "$work/sub/compile_commands.json" || fail "more than the models is built"
  echo "consumers: add_subdirectory"
}

standards() {
  cp -r "$here/subproject" "$work/cxx14-source"
  cp "$source"/examples/{bind_controller.cpp,processor.h} "$work/cxx14-source"
  if cmake -G Ninja -S "$work/cxx14-source" -B "$work/cxx14" -DE1000TLM_SOURCE="$source" \
    -DCMAKE_CXX_STANDARD=14 > "$work/cxx14.log" 2>&1; then
    fail "a C++14 project was configured"
  fi
  tr -s ' \n' ' ' < "$work/cxx14.log" | grep -q 'written in C++17, but CMAKE_CXX_STANDARD is 14' ||
    { cat "$work/cxx14.log" >&2; fail "no message about C++14 (add_subdirectory)"; }
  install_static
  if cmake -G Ninja -S "$source/examples" -B "$work/cxx14-package" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DE1000TLM_EXAMPLES_STANDARD=14 > "$work/cxx14.log" 2>&1; then
    fail "a C++14 project found the package"
  fi
  tr -s ' \n' ' ' < "$work/cxx14.log" | grep -q 'e1000tlm needs C++17 or newer, but CMAKE_CXX_STANDARD is 14' ||
    { cat "$work/cxx14.log" >&2; fail "no message about C++14 (find_package)"; }
  if g++ -std=c++14 -fsyntax-only -I "$work/prefix/include" "$source/examples/bind_controller.cpp" 2> "$work/cxx14.log"; then
    fail "a header compiles as C++14"
  fi
  grep -q 'e1000-tlm needs C++17' "$work/cxx14.log" || fail "no message about C++14 (headers)"
  echo "consumers: standards"
}

for name in "${@:-package pkg_config shared subproject standards}"; do
  for check in $name; do "$check"; done
done
