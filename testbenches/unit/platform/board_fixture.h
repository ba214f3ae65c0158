#pragma once
/// Runs whole boards for tests.

#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"

namespace e1000tlm::platform::test {

/// To the end, whatever it comes to.
inline RunSummary run_to_end(const BoardConfig& config) {
  Board board("board", config);
  board.run();
  board.finish();
  return board.summary();
}

/// To the end; what the run itself calls a failure fails the test.
inline RunSummary run(const BoardConfig& config) {
  RunSummary summary = run_to_end(config);
  for (const std::string& failure : summary.failures) ADD_FAILURE() << failure;
  return summary;
}

}  // namespace e1000tlm::platform::test
