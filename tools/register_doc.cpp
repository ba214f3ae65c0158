/// Writes doc/registers.md from the register map:
///   e1000-registers > doc/registers.md
///   e1000-registers --check doc/registers.md     status 1 if the file says something else

#include <cstdio>
#include <sstream>
#include <string>

#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/registers/register_map.h"
#include "e1000tlm/e1000/registers/statistics.h"

#include "document.h"

namespace {

using e1000tlm::RegisterRow;
namespace nic = e1000tlm::e1000;

std::string hex(std::uint32_t value, int digits) {
  char text[16];
  std::snprintf(text, sizeof text, "%0*Xh", digits, value);
  return text;
}

std::string parts(std::uint8_t mask) {
  if (mask == nic::on::kAll) return "all";
  std::string text;
  for (const nic::PartInfo& part : nic::kParts) {
    if ((mask & part.mask) == 0) continue;
    if (!text.empty()) text += ", ";
    text += part.name;
  }
  return text;
}

std::string resets(std::uint8_t domains) {
  std::string text = "power";
  if ((domains & nic::domain::kBus) != 0) text += ", RST#";
  if ((domains & nic::domain::kSoftware) != 0) text += ", CTRL.RST";
  return text;
}

std::string reset_value(const RegisterRow& row) {
  if (row.reset_mask == 0xFFFFFFFF) return hex(row.reset, 8);
  return hex(row.reset & row.reset_mask, 8) + " in bits " + hex(row.reset_mask, 8);
}

std::string offset(const RegisterRow& row) {
  if (row.count == 1) return hex(row.offset, 5);
  return hex(row.offset, 5) + " + " + std::to_string(row.stride) + "n, n < " +
         std::to_string(row.count);
}

std::string document() {
  std::ostringstream out;
  out << "# Registers\n\n"
         "Made from the register map by `build/bin/e1000-registers`; a test keeps it true. Bits "
         "outside "
         "the read mask\nread 0, bits outside the write mask do not store. Values that the EEPROM "
         "loads after a reset are not shown.\nWhere a reset value is given \"in bits\", resets "
         "leave the other bits as they are (0 at power-up).\n\n"
         "| offset | name | access | reset value | read mask | write mask | reset by | parts | "
         "manual "
         "|\n|---|---|---|---|---|---|---|---|---|\n";
  for (const RegisterRow& row : nic::register_map()) {
    out << "| " << offset(row) << " | " << row.name << " | " << to_string(row.access) << " | "
        << reset_value(row) << " | " << hex(row.read_mask, 8) << " | " << hex(row.write_mask, 8)
        << " | " << resets(row.domains) << " | " << parts(row.parts) << " | " << row.section
        << " |\n";
  }
  out << "\n## 82542-compatible addresses\n\n| offset | dwords | same as |\n|---|---|---|\n";
  for (const e1000tlm::RegisterAlias& alias : nic::register_aliases()) {
    out << "| " << hex(alias.offset, 5) << " | " << alias.count << " | " << hex(alias.target, 5)
        << " |\n";
  }
  out << "\n## Statistics\n\nAll clear on read and stop at their maximum; the high half of a pair "
         "clears both.\n\n| offset | name |\n|---|---|\n";
  for (const auto& [counter, name] : nic::kCounterNames) {
    out << "| " << hex(nic::offset_of(counter), 5) << " | " << name << " |\n";
  }
  for (const auto& [counter, name] : nic::kOctetCounterNames) {
    out << "| " << hex(nic::offset_of(counter), 5) << ", " << hex(nic::offset_of(counter) + 4, 5)
        << " | " << name << "L, " << name << "H |\n";
  }
  return out.str();
}

}  // namespace

int main(int argc, char** argv) { return document_main(argc, argv, "e1000-registers", document()); }
