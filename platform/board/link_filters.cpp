#include "e1000tlm/board/link_filters.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "e1000tlm/board/impair_keys.h"
#include "e1000tlm/board/network.h"
#include "e1000tlm/board/supervisor.h"

namespace e1000tlm::platform {
namespace {

constexpr const char* kDirection = "dir";

void check_keys(const link::PartnerSpec& spec, const std::vector<std::string>& known,
                const std::string& needed) {
  std::string list;
  for (const std::string& key : known) list += (list.empty() ? "" : ", ") + key;
  for (const auto& [key, value] : spec.options) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw std::invalid_argument("unknown key '" + key + "'; known are " + list);
  }
  if (!needed.empty() && spec.find(needed).value_or("").empty()) {
    throw std::invalid_argument("needs " + needed + "=...");
  }
}

link::Ways ways_of(const link::PartnerSpec& spec) {
  return parse_ways(spec.find(kDirection).value_or("both"));
}

link::ImpairConfig impairment_of(const link::PartnerSpec& spec, std::uint64_t seed) {
  std::map<std::string, std::string> keys = spec.options;
  keys.erase(kDirection);
  link::ImpairConfig base;
  base.seed = seed;
  return parse_impair(keys, base);
}

}  // namespace

link::PartnerSpec parse_filter_spec(const std::string& text) {
  link::PartnerSpec spec;
  try {
    spec = link::PartnerSpec::parse(text);
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument("'" + text + "': expected KIND:key=value,key=value");
  }
  if (spec.kind == "impair") {
    impairment_of(spec, 0);
  } else if (spec.kind == "dump") {
    check_keys(spec, {"file", kDirection}, "file");
  } else if (spec.kind == "mirror" || spec.kind == "redirect") {
    check_keys(spec, {"to", kDirection}, "to");
  } else {
    throw std::invalid_argument("unknown kind of filter '" + spec.kind +
                                "'; known are dump, impair, mirror, redirect");
  }
  ways_of(spec);
  return spec;
}

LinkFilters::LinkFilters(const sc_core::sc_module_name& name, link::CableEndIf& inner,
                         const std::vector<FilterConfig>& filters,
                         const link::PartnerRegistry& registry, std::uint64_t seed)
    : sc_module(name), box_("box", inner) {
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const FilterConfig& filter = filters[i];
    try {
      add(std::to_string(i), parse_filter_spec(filter.text), inner.index(), registry,
          seed + 1000 * i);
    } catch (const std::exception& error) {
      throw std::invalid_argument("--filter " + filter.link + ":" + filter.text + ": " +
                                  error.what());
    }
  }
}

LinkFilters::~LinkFilters() = default;

void LinkFilters::add(const std::string& name, const link::PartnerSpec& spec, unsigned inner_end,
                      const link::PartnerRegistry& registry, std::uint64_t seed) {
  const link::Ways ways = ways_of(spec);
  if (spec.kind == "dump") return add_dump(spec, ways, 1 - inner_end);
  if (spec.kind != "impair") return add_branch(name, spec, ways, registry, seed);
  impairments_.push_back(&box_.add(std::make_unique<link::ImpairFilter>(
      ("impair" + name).c_str(), ways, impairment_of(spec, seed))));
}

/// `adapter_end`: of the cable to the adapter.
void LinkFilters::add_dump(const link::PartnerSpec& spec, link::Ways ways, unsigned adapter_end) {
  const std::string path = spec.require("file");
  auto& probe = box_.add(std::make_unique<link::ProbeFilter>(ways, adapter_end));
  const std::string name = this->name();
  dumps_.push_back(std::make_unique<link::WireCapture>(
      std::make_unique<link::PcapngWriter>(
          path, link::PcapngWriter::Interface{name, "a filter of the link", 1'000'000'000}),
      probe.passing, adapter_end));
}

void LinkFilters::add_branch(const std::string& name, const link::PartnerSpec& spec,
                             link::Ways ways, const link::PartnerRegistry& registry,
                             std::uint64_t seed) {
  const std::string text = spec.require("to");
  const auto what = spec.kind == "mirror" ? link::Divert::kMirror : link::Divert::kRedirect;
  auto& filter =
      box_.add(std::make_unique<link::DivertFilter>((spec.kind + name).c_str(), ways, what));
  link::PartnerContext context;
  context.name = "branch" + name;
  context.seed = seed;
  context.stop = Supervisor::stop_was_requested;
  branches_.push_back(
      {text, registry.make(context, filter.outer(), link::PartnerSpec::parse(text))});
}

bool LinkFilters::idle() const {
  return box_.idle() && std::all_of(branches_.begin(), branches_.end(),
                                    [](const Branch& b) { return b.partner->exhausted(); });
}

bool LinkFilters::live() const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [](const Branch& b) { return b.partner->live(); });
}

bool LinkFilters::disturbs() const {
  return std::any_of(impairments_.begin(), impairments_.end(), [](const auto* impairment) {
    const auto touched = [&](link::Way way) {
      const link::ImpairStatistics& s = impairment->statistics(way);
      const link::ImpairConfig& c = impairment->config();
      return s.duplicated + s.set_aside > 0 || (s.corrupted > 0 && c.mend_fcs) ||
             (s.delayed > 0 && c.overtake);
    };
    return touched(link::Way::kIn) || touched(link::Way::kOut);
  });
}

std::map<std::string, std::uint64_t> LinkFilters::losses() const {
  std::map<std::string, std::uint64_t> all = box_.losses();
  for (const Branch& branch : branches_) {
    for (const auto& [reason, frames] : branch.partner->statistics().drops) {
      if (frames != 0) all["branch_" + reason] += frames;
    }
  }
  return all;
}

void LinkFilters::finish(std::vector<std::string>& failures) {
  const auto attempt = [&](const auto& action) {
    try {
      action();
    } catch (const std::exception& error) {
      failures.emplace_back(error.what());
    }
  };
  for (const auto& dump : dumps_) attempt([&] { dump->finish(); });
  for (const Branch& branch : branches_) {
    attempt([&] { branch.partner->finish(); });
    const std::string fault = branch.partner->fault();
    if (!fault.empty()) failures.push_back(branch.text + ": " + fault);
  }
}

}  // namespace e1000tlm::platform
