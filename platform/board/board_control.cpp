#include "e1000tlm/board/board_control.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "e1000tlm/board/e1000_card.h"
#include "e1000tlm/board/impair_keys.h"
#include "e1000tlm/board/supervisor.h"

namespace e1000tlm::platform {
namespace {

using Json = nlohmann::ordered_json;
using plugs::ControlCode;
using plugs::ControlError;
using plugs::ControlRequest;

std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class Range, class Text>
std::string listed(const Range& range, Text text) {
  std::string all;
  for (const auto& item : range) all += (all.empty() ? "" : ", ") + text(item);
  return all;
}

[[noreturn]] void refuse(const std::string& what) {
  throw ControlError(ControlCode::kParams, what);
}

Json impairment(const link::ImpairFilter& filter) {
  Json json = {{"dir", ways_text(filter.ways())}};
  for (const link::Way way : link::kBothWays) {
    const link::ImpairStatistics& s = filter.statistics(way);
    Json one = {{"frames", s.frames},         {"corrupted", s.corrupted},
                {"duplicated", s.duplicated}, {"set_aside", s.set_aside},
                {"delayed", s.delayed},       {"lost", Json::object()}};
    for (std::size_t i = 0; i < link::kImpairLossNames.size(); ++i) {
      if (s.lost[i] != 0) one["lost"][std::string(link::kImpairLossNames[i])] = s.lost[i];
    }
    json[way == link::Way::kIn ? "in" : "out"] = std::move(one);
  }
  return json;
}

}  // namespace

BoardControl::BoardControl(const sc_core::sc_module_name& name, const std::string& address,
                           const std::vector<NicSlot*>& nics, const Network& network,
                           std::function<RunSummary()> summary)
    : sc_module(name),
      nics_(nics),
      network_(network),
      summary_(std::move(summary)),
      methods_{{"methods", {&BoardControl::methods, {}}},
               {"info", {&BoardControl::info, {"what"}}},
               {"stats", {&BoardControl::stats, {}}},
               {"plug", {&BoardControl::plug, {"link"}}},
               {"unplug", {&BoardControl::unplug, {"link"}}},
               {"set_link", {&BoardControl::set_link, {"link", "up"}}},
               {"impair", {&BoardControl::impair, {}}},
               {"read", {&BoardControl::read_register, {"nic", "register"}}},
               {"registers", {&BoardControl::registers, {"nic"}}},
               {"eeprom", {&BoardControl::eeprom, {"nic"}}},
               {"phy", {&BoardControl::phy, {"nic"}}},
               {"capture_start", {&BoardControl::capture_start, {"link", "file"}}},
               {"capture_stop", {&BoardControl::capture_stop, {"link"}}},
               {"stop", {&BoardControl::stop, {}}}},
      door_("door", *this, address) {
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    NicSlot& slot = *nics_[i];
    lines_.push_back(
        {std::to_string(i), &slot.cable(), slot.filters(), slot.link_text(), &slot.partner()});
  }
  for (const auto& outlet : network_.outlets()) {
    lines_.push_back(
        {outlet->place(), &outlet->cable(), outlet->filters(), outlet->text(), &outlet->partner()});
  }
}

BoardControl::~BoardControl() = default;

bool BoardControl::stop_wanted() const { return Supervisor::stop_was_requested() != 0; }

std::string BoardControl::call(const ControlRequest& request) {
  const auto found = methods_.find(request.method);
  if (found == methods_.end()) {
    throw ControlError(ControlCode::kMethod,
                       "unknown method '" + request.method +
                           "'; known are pause, resume, step, time, " +
                           listed(methods_, [](const auto& entry) { return entry.first; }));
  }
  const std::vector<std::string>& known = found->second.params;
  for (const auto& [key, value] : request.params) {
    if (request.method == "impair") break;  // says so itself
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    refuse(request.method + ": unknown parameter '" + key + "'; known are " +
           listed(known, [](const std::string& name) { return name; }));
  }
  return (this->*found->second.run)(request);
}

const BoardControl::Line& BoardControl::line(const ControlRequest& request) const {
  const std::string& place = request.require("link");
  const auto found =
      std::find_if(lines_.begin(), lines_.end(), [&](const Line& l) { return l.place == place; });
  if (found != lines_.end()) return *found;
  refuse("there is no link " + place + "; there are " +
         listed(lines_, [](const Line& l) { return l.place; }));
}

NicSlot& BoardControl::nic(const ControlRequest& request) const {
  const std::string text = request.find("nic").value_or("0");
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    if (text == std::to_string(i)) return *nics_[i];
  }
  refuse("there is no nic " + text + "; there are 0 to " + std::to_string(nics_.size() - 1));
}

E1000Card& BoardControl::e1000(const ControlRequest& request, const std::string& what) const {
  NicSlot& slot = nic(request);
  if (E1000Card* card = e1000_card(slot)) return *card;
  refuse("nic " + request.find("nic").value_or("0") + " is a " + slot.card().model() +
         ", which has no " + what);
}

// --- what there is ------------------------------------------------------------------------------

std::string BoardControl::methods(const ControlRequest&) {
  Json json = {{"pause", Json::array()},
               {"resume", Json::array()},
               {"step", {"time"}},
               {"time", Json::array()}};
  for (const auto& [name, entry] : methods_) json[name] = entry.params;
  json["impair"] = {"link", "index", "KEY"};
  return one_line(json);
}

std::string BoardControl::info(const ControlRequest& request) {
  const std::string& what = request.require("what");
  if (what == "links") return links_info();
  if (what == "nics") return nics_info();
  if (what == "switches") return switches_info();
  refuse("info: '" + what + "': expected links, nics or switches");
}

std::string BoardControl::links_info() const {
  Json json = Json::array();
  for (const Line& line : lines_) {
    const link::CableEndIf& end = line.cable->end(0);
    Json one = {{"link", line.place},
                {"to", line.text},
                {"up", end.link_up()},
                {"mbit_per_s", end.link_up() ? link::bits_per_second(end.speed()) / 1'000'000 : 0},
                {"live", line.partner->live()},
                {"impair", Json::array()},
                {"capture", Json()}};
    if (line.filters != nullptr) {
      for (const auto* filter : line.filters->impairments()) {
        one["impair"].push_back(impairment(*filter));
      }
    }
    const auto recording = recordings_.find(line.place);
    if (recording != recordings_.end() && recording->second->capture) {
      one["capture"] = recording->second->path;
    }
    json.push_back(std::move(one));
  }
  return one_line(json);
}

std::string BoardControl::nics_info() const {
  Json json = Json::array();
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    const Card& card = nics_[i]->card();
    const CardLink link = card.link();
    json.push_back({{"nic", i},
                    {"part", card.model()},
                    {"mac", e1000::to_string(card.mac())},
                    {"link", nics_[i]->link_text()},
                    {"link_up", link.up},
                    {"mbit_per_s", link.mbit_per_second},
                    {"full_duplex", link.full_duplex},
                    {"interrupts", card.interrupts()}});
  }
  return one_line(json);
}

std::string BoardControl::switches_info() const {
  Json json = Json::array();
  for (const auto& [name, hub] : network_.hubs()) {
    const link::Switch& unit = *hub.unit;
    json.push_back({{"name", name},
                    {"kind", unit.config().repeats ? "hub" : "switch"},
                    {"ports", hub.names},
                    {"stations", unit.table().stations(sc_now())},
                    {"forwarded", unit.statistics().forwarded},
                    {"flooded", unit.statistics().flooded}});
  }
  return one_line(json);
}

std::string BoardControl::stats(const ControlRequest&) {
  return one_line(Json::parse(to_json(summary_())));
}

// --- links --------------------------------------------------------------------------------------

std::string BoardControl::plug_cable(const ControlRequest& request, bool in) {
  const Line& chosen = line(request);
  chosen.cable->plug(in);
  return one_line({{"link", chosen.place}, {"plugged", in}});
}

std::string BoardControl::plug(const ControlRequest& request) { return plug_cable(request, true); }

std::string BoardControl::unplug(const ControlRequest& request) {
  return plug_cable(request, false);
}

std::string BoardControl::set_link(const ControlRequest& request) {
  const std::string& up = request.require("up");
  if (up != "on" && up != "off") refuse("set_link: up=" + up + ": expected on or off");
  return plug_cable(request, up == "on");
}

std::string BoardControl::impair(const ControlRequest& request) {
  const Line& chosen = line(request);
  std::map<std::string, std::string> keys = request.params;
  keys.erase("link");
  const std::string index = request.find("index").value_or("0");
  keys.erase("index");
  if (chosen.filters == nullptr || chosen.filters->impairments().empty()) {
    refuse("link " + chosen.place + " has no impair filter; start the run with --filter " +
           chosen.place + ":impair");
  }
  const auto& filters = chosen.filters->impairments();
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (index != std::to_string(i)) continue;
    try {
      filters[i]->change(parse_impair(keys, filters[i]->config()));
    } catch (const std::invalid_argument& error) {
      refuse(std::string("impair: ") + error.what());
    }
    return one_line(impairment(*filters[i]));
  }
  refuse("impair: index=" + index + ": link " + chosen.place + " has " +
         std::to_string(filters.size()) + " impair filters, counted from 0");
}

std::string BoardControl::capture_start(const ControlRequest& request) {
  const Line& chosen = line(request);
  auto& slot = recordings_[chosen.place];
  if (slot && slot->capture) {
    refuse("link " + chosen.place + " is being recorded to " + slot->path +
           "; stop that with capture_stop");
  }
  const std::string& path = request.require("file");
  // A pipe without a reader would keep the simulation waiting.
  std::error_code error;
  if (path == "-" ||
      (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error))) {
    refuse("capture_start: file=" + path + ": expected a regular file, or a new one");
  }
  auto writer = std::make_unique<link::PcapngWriter>(
      path, link::PcapngWriter::Interface{"link " + chosen.place, chosen.text});
  if (!slot) {
    slot = std::make_unique<Recording>();
    Recording* const recording = slot.get();
    chosen.cable->wire.attach([recording](const link::WireEvent& event) {
      if (recording->capture) recording->events.emit(event);
    });
  }
  slot->events = {};
  slot->path = path;
  slot->capture = std::make_unique<link::WireCapture>(std::move(writer), slot->events, 0);
  return one_line({{"link", chosen.place}, {"file", path}});
}

std::string BoardControl::capture_stop(const ControlRequest& request) {
  const Line& chosen = line(request);
  const auto found = recordings_.find(chosen.place);
  if (found == recordings_.end() || !found->second || !found->second->capture) {
    refuse("link " + chosen.place + " is not being recorded; capture_start begins that");
  }
  const std::unique_ptr<link::WireCapture> capture = std::move(found->second->capture);
  capture->finish();
  return one_line(
      {{"link", chosen.place}, {"file", found->second->path}, {"frames", capture->frames()}});
}

// --- adapters -----------------------------------------------------------------------------------

std::string BoardControl::read_register(const ControlRequest& request) {
  Card& card = nic(request).card();
  try {
    Json json = Json::object();
    for (const auto& [name, value] : card.debug_read(request.require("register"))) {
      json[name] = value;
    }
    return one_line(json);
  } catch (const std::invalid_argument& error) {
    refuse(std::string("read: ") + error.what());
  }
}

std::string BoardControl::registers(const ControlRequest& request) {
  return one_line(nic(request).card().register_names());
}

std::string BoardControl::eeprom(const ControlRequest& request) {
  const e1000::EepromImage& image = e1000(request, "EEPROM").controller().eeprom();
  Json words = Json::array();
  for (unsigned i = 0; i < image.words(); ++i) words.push_back(image.word(i));
  return one_line({{"words", std::move(words)}, {"checksum_ok", image.checksum_ok()}});
}

std::string BoardControl::phy(const ControlRequest& request) {
  constexpr unsigned kRegisters = 32;
  phy::M88E1011& phy = e1000(request, "PHY").phy();
  Json json = Json::array();
  for (unsigned i = 0; i < kRegisters; ++i) {
    const auto value = phy.mdio_peek(phy.config().address, i);
    json.push_back(value ? Json(*value) : Json());
  }
  return one_line({{"registers", std::move(json)}});
}

// --- the run ------------------------------------------------------------------------------------

std::string BoardControl::stop(const ControlRequest&) {
  stopped_ = true;
  sc_core::sc_stop();
  return R"({"stopped":true})";
}

void BoardControl::finish(std::vector<std::string>& failures) {
  for (const auto& [place, recording] : recordings_) {
    if (!recording || !recording->capture) continue;
    try {
      recording->capture->finish();
    } catch (const std::exception& error) {
      failures.push_back("link " + place + ": " + error.what());
    }
  }
}

}  // namespace e1000tlm::platform
