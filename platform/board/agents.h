#pragma once
/// The agents that a configuration asks for.

#include <functional>
#include <memory>
#include <vector>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/board/machine.h"
#include "e1000tlm/plugs/agent.h"

namespace e1000tlm::platform {

class Network;

/// One for each machine, or for all; attached. With the native driver `app` says what it runs.
/// `live`: frames may come from the live world now. Throws std::invalid_argument naming the option.
std::vector<std::unique_ptr<plugs::Agent>> make_agents(
    const BoardConfig& config, const std::vector<std::unique_ptr<Machine>>& machines,
    const Network& network, std::function<bool()> live);

}  // namespace e1000tlm::platform
