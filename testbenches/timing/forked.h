#pragma once
/// Runs a simulation in a child process: a SystemC kernel elaborates once a process.

#include <functional>

#include <nlohmann/json.hpp>

namespace e1000tlm::timing {

/// What `simulate` returned in the child. Throws std::runtime_error if it threw (with its message)
/// or died.
nlohmann::json in_child(const std::function<nlohmann::json()>& simulate);

}  // namespace e1000tlm::timing
