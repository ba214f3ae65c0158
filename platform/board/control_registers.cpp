#include "e1000tlm/board/control_registers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <tlm>

#include "e1000tlm/e1000/registers/register_map.h"
#include "e1000tlm/e1000/registers/statistics.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::platform {
namespace {

constexpr std::size_t kRegistersBar = 0;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::uint32_t debug_value(pci::Function& function, std::uint32_t offset) {
  std::array<std::uint8_t, 4> bytes{};
  ::tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(offset);
  payload.set_data_ptr(bytes.data());
  payload.set_data_length(bytes.size());
  payload.set_streaming_width(bytes.size());
  function.bar[kRegistersBar]->transport_dbg(payload);
  return load_le32(bytes.data());
}

bool has(const RegisterRow& row, e1000::Part part) {
  return (row.parts & e1000::part_info(part).mask) != 0;
}

/// Counters, which are one array in the register map.
std::vector<std::pair<std::string, std::uint32_t>> counters() {
  std::vector<std::pair<std::string, std::uint32_t>> all;
  for (const e1000::CounterName& c : e1000::kCounterNames) {
    all.emplace_back(c.name, e1000::offset_of(c.counter));
  }
  for (const e1000::OctetCounterName& c : e1000::kOctetCounterNames) {
    all.emplace_back(std::string(c.name) + "L", e1000::offset_of(c.counter));
    all.emplace_back(std::string(c.name) + "H", e1000::offset_of(c.counter) + 4);
  }
  return all;
}

/// Cuts off what stands between brackets; empty: there are none.
std::string cut_index(std::string& name) {
  const std::size_t open = name.find('[');
  if (open == std::string::npos || name.back() != ']') return {};
  const std::string index = name.substr(open + 1, name.size() - open - 2);
  name.resize(open);
  return index;
}

}  // namespace

std::vector<std::string> register_names(e1000::Part part) {
  std::vector<std::string> names;
  for (const RegisterRow& row : e1000::register_map()) {
    if (!has(row, part)) continue;
    std::string name(row.name);
    if (row.count > 1) name += "[0.." + std::to_string(row.count - 1) + "]";
    names.push_back(std::move(name));
  }
  for (const auto& counter : counters()) names.push_back(counter.first);
  return names;
}

std::vector<std::pair<std::string, std::uint32_t>> debug_read(pci::Function& function,
                                                              e1000::Part part,
                                                              const std::string& name) {
  std::string plain = upper(name);
  const std::string index = cut_index(plain);
  for (const RegisterRow& row : e1000::register_map()) {
    if (!has(row, part) || upper(std::string(row.name)) != plain) continue;
    const std::string canonical(row.name);
    std::vector<std::pair<std::string, std::uint32_t>> values;
    for (std::uint32_t i = 0; i < row.count; ++i) {
      if (!index.empty() && index != std::to_string(i)) continue;
      const std::string suffix = row.count > 1 ? "[" + std::to_string(i) + "]" : "";
      values.emplace_back(canonical + suffix, debug_value(function, row.offset + i * row.stride));
    }
    if (values.empty()) {
      throw std::invalid_argument("'" + name + "': " + canonical + " has " +
                                  std::to_string(row.count) + " elements, counted from 0");
    }
    return values;
  }
  for (const auto& [counter, offset] : counters()) {
    if (index.empty() && counter == plain) return {{counter, debug_value(function, offset)}};
  }
  throw std::invalid_argument("'" + name + "': the " + std::string(e1000::part_info(part).name) +
                              " has no register of this name; the method registers lists them");
}

}  // namespace e1000tlm::platform
