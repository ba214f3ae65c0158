#pragma once
/// The option --nic: an adapter, by its model's keys.

#include <string>

#include "e1000tlm/board/board_config.h"

namespace e1000tlm::platform {

/// "model=virtio-net,queues=4". Throws std::invalid_argument naming the key and what is wrong with
/// it; also for a key that does not go with the model.
NicConfig parse_nic(const std::string& text);

/// What there is to say about the option, from the same table of keys: for help texts.
std::string nic_help();

/// The keys that go with a model, as a table in Markdown: for documents.
std::string nic_table(NicModel model);

}  // namespace e1000tlm::platform
