/// main() of SystemC tests: GoogleTest inside sc_main; any SC_WARNING, SC_ERROR or SC_FATAL that a
/// test did not announce fails it.

#include <cstdlib>
#include <vector>

#include <systemc>

#include <gtest/gtest.h>

#include "testbenches/support/sc_test.h"

namespace e1000tlm::test {
namespace {

std::vector<std::string>& expected_reports() {
  static std::vector<std::string> reports;
  return reports;
}

void on_report(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
  if (report.get_severity() >= sc_core::SC_WARNING) {
    auto& expected = expected_reports();
    for (auto it = expected.begin(); it != expected.end(); ++it) {
      if (std::string(report.get_msg_type()).find(*it) != std::string::npos) {
        expected.erase(it);
        return;
      }
    }
    ADD_FAILURE() << "unexpected SystemC report: " << report.what();
  }
  sc_core::sc_report_handler::default_handler(report, actions);
}

class ReportListener : public ::testing::EmptyTestEventListener {
  void OnTestEnd(const ::testing::TestInfo&) override {  // NOLINT(readability-identifier-naming)
    for (const std::string& type : expected_reports()) {
      ADD_FAILURE() << "expected SystemC report did not come: " << type;
    }
    expected_reports().clear();
  }
};

}  // namespace

void expect_report(const std::string& type) { expected_reports().push_back(type); }

}  // namespace e1000tlm::test

int sc_main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  sc_core::sc_report_handler::set_handler(e1000tlm::test::on_report);
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  listeners.Append(new e1000tlm::test::ReportListener);  // owned by GoogleTest
  return RUN_ALL_TESTS();
}

int main(int argc, char** argv) {
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
