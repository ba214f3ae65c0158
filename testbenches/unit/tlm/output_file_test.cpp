#include "e1000tlm/tlm/output_file.h"

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace e1000tlm {
namespace {

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() { std::ofstream(path_) << "before"; }
  ~OutputFileTest() override { std::remove(path_.c_str()); }

  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  const std::string path_ =
      ::testing::TempDir() + "output_file_test." + std::to_string(getpid()) + ".txt";
};

template <class Action>
std::string refusal(Action action) {
  try {
    action();
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST_F(OutputFileTest, IsWhatWasWrittenOnceItIsClosed) {
  OutputFile file("text", path_);
  const std::string block(100'000, 'x');
  for (int i = 0; i < 10; ++i) file.write(block);
  file.write("end");
  file.close();
  file.close();
  EXPECT_EQ(content().size(), 1'000'003U);
  EXPECT_EQ(content().substr(1'000'000), "end");
}

TEST_F(OutputFileTest, LargeAndSmallWritesKeepTheirOrder) {
  OutputFile file("text", path_);
  std::string all;
  char letter = 'a';
  for (const std::size_t bytes : {200'000, 3, 200'000, 131'072, 131'071, 0, 300'000, 1}) {
    const std::string block(bytes, letter++);
    file.write(block);
    all += block;
  }
  file.close();
  EXPECT_TRUE(content() == all);
}

TEST_F(OutputFileTest, KeepsItsFormerContentUntilItBegins) {
  {
    OutputFile file("text", path_);
    file.write("never closed");
  }
  EXPECT_EQ(content(), "before");
  OutputFile file("text", path_);
  file.begin();
  EXPECT_EQ(content(), "");
}

TEST_F(OutputFileTest, IsForOneWriterOnly) {
  OutputFile first("text", path_);
  first.write("first");
  const auto expected = "text '" + path_ + "': is in use by another run";
  EXPECT_EQ(refusal([&] { OutputFile second("text", path_); }).find(expected), 0U);
  EXPECT_EQ(refusal([&] { FileLock reader("text", path_, FileLock::Use::kRead); }).find(expected),
            0U);
  EXPECT_EQ(refusal([&] { FileLock writer("text", path_, FileLock::Use::kWrite); }).find(expected),
            0U);
  first.close();
  EXPECT_EQ(refusal([&] { OutputFile second("text", path_); }), "");
  EXPECT_EQ(content(), "first");
}

TEST_F(OutputFileTest, ReadersShareAFileAndKeepWritersOut) {
  FileLock one("text", path_, FileLock::Use::kRead);
  FileLock other;
  EXPECT_EQ(refusal([&] { other = FileLock("text", path_, FileLock::Use::kRead); }), "");
  one = FileLock();
  EXPECT_NE(refusal([&] { OutputFile file("text", path_); }), "");
  EXPECT_NE(refusal([&] { FileLock lock("text", path_, FileLock::Use::kWrite); }), "");
  other = FileLock();
  EXPECT_EQ(refusal([&] { OutputFile file("text", path_); }), "");
}

TEST_F(OutputFileTest, WhatIsNoRegularFileIsNotLocked) {
  OutputFile one("text", "/dev/null");
  EXPECT_EQ(refusal([&] { OutputFile other("text", "/dev/null"); }), "");
  EXPECT_EQ(refusal([&] { FileLock lock("text", "/no/such/file", FileLock::Use::kRead); }), "");
  std::remove(path_.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(refusal([&] { FileLock lock("text", path_, FileLock::Use::kRead); }), "");
}

TEST_F(OutputFileTest, AWriterOfAPipeIsNotLetGoByItsLock) {
  std::remove(path_.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const FileLock reading("text", path_, FileLock::Use::kRead);
  const FileLock writing("text", path_, FileLock::Use::kWrite);
  // Without a reader a pipe cannot be opened like this.
  EXPECT_EQ(open(path_.c_str(), O_WRONLY | O_NONBLOCK), -1);
}

TEST_F(OutputFileTest, ErrorsNameTheFileAndTheReasonAndStay) {
  EXPECT_EQ(refusal([] { OutputFile file("text", "/no/such/file"); }),
            "text '/no/such/file': cannot be opened for writing: No such file or directory");
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  OutputFile file("text", "/dev/full");
  file.write("words");
  const std::string full = "text '/dev/full': cannot be written: No space left on device";
  EXPECT_EQ(refusal([&] { file.close(); }), full);
  EXPECT_EQ(refusal([&] { file.write("more"); }), full);
  EXPECT_EQ(refusal([&] { file.close(); }), full);
  const std::string words = "words";
  const ConstBytes bytes(reinterpret_cast<const std::uint8_t*>(words.data()), words.size());
  EXPECT_EQ(refusal([&] { overwrite_file("text", "/dev/full", bytes); }), full);
}

TEST_F(OutputFileTest, OverwritingLeavesNothingOfALongerFile) {
  const std::string words = "new";
  overwrite_file("text", path_,
                 ConstBytes(reinterpret_cast<const std::uint8_t*>(words.data()), words.size()));
  EXPECT_EQ(content(), "new");
}

}  // namespace
}  // namespace e1000tlm
