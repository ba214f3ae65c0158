#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "models/e1000/controller.h"

namespace {

/// `--own-models` says whose models/e1000/controller.h was found.
const bool kAsked = [] {
  std::FILE* line = std::fopen("/proc/self/cmdline", "rb");
  char text[4096] = {};
  const std::size_t size = line != nullptr ? std::fread(text, 1, sizeof text - 1, line) : 0;
  if (line != nullptr) std::fclose(line);
  for (std::size_t at = 0; at < size; at += std::strlen(text + at) + 1) {
    if (std::strcmp(text + at, "--own-models") != 0) continue;
    std::puts(kWhose);
    std::exit(0);
  }
  return false;
}();

}  // namespace
