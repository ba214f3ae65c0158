#include "e1000tlm/link/host/user_partner.h"

#include <gtest/gtest.h>

#include "testbenches/unit/link/host/host_fixture.h"

namespace e1000tlm::link {
namespace {

TEST(UserPartner, DoesNotGetWhatAPulledPlugCutsOff) {
  Cable cable("cable", {ns(50)});
  UserPartner partner({"partner"}, cable.end(1), PartnerSpec::parse("user"));
  NicEnd nic("nic", cable.end(0));
  nic.begin();
  nic.send(numbered_frame(1, 100));
  const Time arrives = nic.begin_to_send(numbered_frame(2, 1514));
  sc_core::sc_start(to_sc(arrives - us(1) - sc_now()));
  cable.plug(false);
  EXPECT_TRUE(partner.exhausted()) << "nothing is to arrive any more";
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(partner.statistics().frames_from_nic, 1U);
  EXPECT_EQ(partner.statistics().bytes_from_nic, 100U);
  EXPECT_EQ(cable.statistics(0).frames, 1U);
  EXPECT_EQ(cable.statistics(0).lost_no_link, 1U);
}

}  // namespace
}  // namespace e1000tlm::link
