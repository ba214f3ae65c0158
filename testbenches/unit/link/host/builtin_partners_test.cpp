#include "e1000tlm/link/host/builtin_partners.h"

#include <set>
#include <stdexcept>

#include <gmock/gmock.h>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/host/kind_references.h"

namespace e1000tlm::link {
namespace {

TEST(BuiltinPartners, TheReferenceKnowsEveryKeyOfEveryKind) {
  const PartnerRegistry registry = builtin_partners();
  for (const auto& [name, kind] : registry.kinds()) {
    std::set<std::string> keys;
    for (const KindReference::Key& key : kind.reference.keys) {
      EXPECT_TRUE(keys.insert(key.name).second) << name << ": " << key.name << " twice";
      EXPECT_FALSE(key.meaning.empty() || key.fallback.empty()) << name << ": " << key.name;
    }
    EXPECT_EQ(keys, std::set<std::string>(kind.options.begin(), kind.options.end())) << name;
    for (const std::string& text : {kind.reference.qemu, kind.reference.root, kind.reference.timing,
                                    kind.reference.back_pressure, kind.reference.drops}) {
      EXPECT_FALSE(text.empty()) << name;
    }
    EXPECT_THAT(kind_help(name, kind), ::testing::HasSubstr(kind.summary));
  }
}

TEST(BuiltinPartners, AKindThatIsMissingSaysWhatItTakes) {
  PartnerRegistry registry;
  registry.add_missing("user", "install something");
  Cable cable("cable");
  try {
    registry.make({"partner"}, cable.end(1), PartnerSpec::parse("user"));
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "link partner user: install something");
  }
}

TEST(BuiltinPartners, ListsMayBeGivenSeveralTimes) {
  const PartnerSpec spec = PartnerSpec::parse("user:hostfwd=a,net=n,hostfwd=b,hostfwd=c");
  EXPECT_THAT(spec.all("hostfwd"), ::testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(spec.all("net"), ::testing::ElementsAre("n"));
  EXPECT_TRUE(spec.all("dns").empty());
  EXPECT_THROW(PartnerSpec::parse("user:net=a,net=b"), std::invalid_argument);
}

}  // namespace
}  // namespace e1000tlm::link
