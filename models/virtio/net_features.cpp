#include "e1000tlm/virtio/net_features.h"

#include <algorithm>
#include <cctype>

namespace e1000tlm::virtio::net {
namespace {

std::string name_of(std::uint64_t bit) {
  for (const FeatureName& feature : kFeatureNames) {
    if (feature.bit == bit) return std::string(feature.name);
  }
  unsigned index = 0;
  while ((bit >> index & 1) == 0) ++index;
  return "bit " + std::to_string(index);
}

std::string joined(std::uint64_t features, std::string_view between) {
  std::string text;
  for (; features != 0; features &= features - 1) {
    if (!text.empty()) text += between;
    text += name_of(features & (~features + 1));
  }
  return text;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::toupper(x) == std::toupper(y);
  });
}

}  // namespace

std::string feature_list(std::uint64_t features) { return joined(features, ", "); }

std::uint64_t feature_named(std::string_view name) {
  for (const FeatureName& feature : kFeatureNames) {
    if (same_letters(feature.name, name)) return feature.bit;
  }
  return 0;
}

std::string to_string(const FeatureRule& rule) {
  return name_of(rule.feature) + " needs " + joined(rule.needs, " or ");
}

}  // namespace e1000tlm::virtio::net
