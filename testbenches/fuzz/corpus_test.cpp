/// Fuzz targets without a fuzzer: their seed files, and each of them damaged in many ways, the same
/// ways every time.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include <gtest/gtest.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Data = std::vector<std::uint8_t>;

std::vector<Data> corpus() {
  std::vector<Data> files;
  for (const auto& entry : std::filesystem::directory_iterator(E1000TLM_CORPUS)) {
    std::ifstream in(entry.path(), std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return files;
}

void run(const Data& data) { EXPECT_EQ(LLVMFuzzerTestOneInput(data.data(), data.size()), 0); }

TEST(Corpus, Seeds) {
  const std::vector<Data> files = corpus();
  EXPECT_GE(files.size(), 6U);
  for (const Data& data : files) run(data);
}

TEST(Corpus, SeedsThatEndEarly) {
  for (const Data& data : corpus()) {
    for (std::size_t size = 0; size < data.size(); ++size) {
      run(Data(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size)));
    }
  }
}

TEST(Corpus, SeedsWithDamage) {
  constexpr int kRounds = 3000;
  constexpr std::uint8_t kInteresting[] = {0, 1, 0x7F, 0x80, 0xFF};
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same every time
  for (const Data& data : corpus()) {
    for (int round = 0; round < kRounds; ++round) {
      Data damaged = data;
      for (unsigned i = 0; i <= random() % 4; ++i) {
        std::uint8_t& byte = damaged[random() % damaged.size()];
        byte = random() % 2 == 0 ? kInteresting[random() % std::size(kInteresting)]
                                 : static_cast<std::uint8_t>(random());
      }
      run(damaged);
    }
  }
}

}  // namespace
