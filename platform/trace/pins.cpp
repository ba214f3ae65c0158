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
  const auto watch = [](const sc_core::sc_event& event, const char* name, auto tell) {
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&event);
    options.dont_initialize();
    sc_core::sc_spawn(tell, name, &options);
  };
  watch(card_.link_event(), "link_changed",
        [this] { sink_(Pin::kLink, sc_now(), card_.link().up); });
  watch(pme_.value_changed_event(), "pme_changed",
        [this] { sink_(Pin::kPme, sc_now(), pme_.read()); });
  for (const auto& [pin, level] : levels_) {
    watch(level->value_changed_event(), "level_changed",
          [this, pin = pin, level = level] { sink_(pin, sc_now(), level->read()); });
  }
}

void PinWatch::watch(Pin pin, const sc_core::sc_signal<bool>& level) {
  levels_.emplace_back(pin, &level);
}

}  // namespace e1000tlm::trace
