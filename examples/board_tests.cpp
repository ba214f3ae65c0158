/// Boards under a test framework, several in one program. IEEE 1666 has one elaboration and one
/// simulation per process: after sc_stop() the kernel cannot be started again, and modules cannot
/// be made once it has run. So each run gets a process of its own, which GoogleTest's EXPECT_EXIT
/// forks. (ctest's gtest_discover_tests, which starts the program once per test, does as well.)

#include <cstdlib>
#include <iostream>

#include <systemc>

#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"

using namespace e1000tlm;  // NOLINT(google-build-using-namespace): an example

namespace {

/// In a child process: runs a board and exits with 0 if all frames came back.
[[noreturn]] void run_and_exit(const char* bus, std::uint64_t frames) {
  platform::BoardConfig config;
  config.pci = bus;
  config.links = {"loopback"};
  config.app = platform::AppChoice::kGenerate;
  config.frames = frames;
  platform::Board board("board", config);
  board.run();
  board.finish();
  const platform::RunSummary summary = board.summary();
  for (const std::string& failure : summary.failures) std::cerr << failure << "\n";
  std::cerr << summary.nics[0].driver_in.frames << " frames on " << summary.pci.name << "\n";
  std::_Exit(summary.failures.empty() ? 0 : 1);
}

TEST(Boards, OneRun) {
  EXPECT_EXIT(run_and_exit("32/33", 200), ::testing::ExitedWithCode(0), "200 frames on 32/33");
}

TEST(Boards, AnotherRunInTheSameProgram) {
  EXPECT_EXIT(run_and_exit("64/66", 300), ::testing::ExitedWithCode(0), "300 frames on 64/66");
}

}  // namespace

int sc_main(int argc, char** argv) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
