#include "e1000tlm/trace/pins.h"

#include <utility>

#include "e1000tlm/board/e1000_card.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::trace {

PinWatch::PinWatch(const sc_core::sc_module_name& name, platform::NicSlot& slot, Sink sink)
    : sc_module(name), card_(slot.card()), sink_(std::move(sink)), pme_("pme") {
  if (platform::E1000Card* card = platform::e1000_card(slot)) {
    card->leds().changes().attach([this](const platform::LedEvent& e) {
      sink_(static_cast<Pin>(static_cast<unsigned>(Pin::kLed0) + e.led), e.at, e.lit);
    });
  }
  card_.function().pme.bind(pme_);
}

void PinWatch::end_of_elaboration() {
  const auto watch = [this](const sc_core::sc_event& event, void (PinWatch::*method)(),
                            const char* name) {
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&event);
    options.dont_initialize();
    sc_core::sc_spawn([this, method] { (this->*method)(); }, name, &options);
  };
  watch(card_.link_event(), &PinWatch::link_changed, "link_changed");
  watch(pme_.value_changed_event(), &PinWatch::pme_changed, "pme_changed");
}

void PinWatch::link_changed() { sink_(Pin::kLink, sc_now(), card_.link().up); }
void PinWatch::pme_changed() { sink_(Pin::kPme, sc_now(), pme_.read()); }

}  // namespace e1000tlm::trace
