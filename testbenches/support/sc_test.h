#pragma once
/// What every SystemC test shares: see sc_test_main.cpp for the rest.

#include <string>

namespace e1000tlm::test {

/// The next SystemC report whose message type contains `type` is expected and does not fail the
/// test; a test that ends without it fails.
void expect_report(const std::string& type);

}  // namespace e1000tlm::test
