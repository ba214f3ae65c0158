/// Whatever --link is given: kind and keys of which each value can be found again, and networks,
/// addresses and forwarded ports of user-mode networks, or an error that says what is wrong.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "e1000tlm/link/host/user_config.h"
#include "e1000tlm/link/partner_spec.h"

namespace {

using namespace e1000tlm;

/// What refuses with std::invalid_argument and a reason has done its work.
template <class Use>
void try_to(Use use) {
  try {
    use();
  } catch (const std::invalid_argument& error) {
    if (std::string_view(error.what()).empty()) std::abort();
  }
}

/// The text that means it.
std::string text_of(const link::PartnerSpec& spec) {
  std::string text = spec.kind + ":";
  for (const auto& option : spec.options) {
    for (const std::string& value : spec.all(option.first)) {
      std::string pair = option.first + "=" + value;
      for (std::size_t at = 0; (at = pair.find(',', at)) != std::string::npos; at += 2) {
        pair.insert(at, ",");
      }
      text += (text.back() == ':' && text.size() == spec.kind.size() + 1 ? "" : ",") + pair;
    }
  }
  return text;
}

void check_values(const link::PartnerSpec& spec) {
  link::UserConfig network;
  try_to([&] { link::abilities_from(spec); });
  for (const auto& option : spec.options) {
    const std::string& key = option.first;
    for (const std::string& value : spec.all(key)) {
      try_to([&] { network.set_network(link::parse_ipv4_network(value)); });
      try_to([&] { network.set_ipv6_prefix(link::parse_ipv6(value), 64); });
      try_to([&] { network.host = link::parse_ipv4(value); });
      try_to([&] { network.host_forwards.push_back(link::parse_host_forward(value)); });
      try_to([&] { network.guest_forwards.push_back(link::parse_guest_forward(value)); });
    }
    try_to([&] {
      if (spec.number(key, 0, 5, 1U << 16) > 1U << 16) std::abort();
    });
    try_to([&] {
      if (spec.choice(key, {"on", "off"}, 0) > 1) std::abort();
    });
  }
  try_to([&] { network.check(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_to([&] {
    const link::PartnerSpec spec = link::PartnerSpec::parse(text);
    check_values(spec);
    const link::PartnerSpec again = link::PartnerSpec::parse(text_of(spec));
    if (again.options != spec.options || again.repeated != spec.repeated) std::abort();
  });
  return 0;
}
