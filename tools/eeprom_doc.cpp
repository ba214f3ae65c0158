/// Writes doc/eeprom.md from the EEPROM map:
///   e1000-eeprom > doc/eeprom.md
///   e1000-eeprom --check doc/eeprom.md     status 1 if the file says something else

#include <cstdio>
#include <sstream>
#include <string>

#include "e1000tlm/e1000/peripherals/eeprom_map.h"

#include "document.h"

namespace {

namespace nic = e1000tlm::e1000;
using nic::EepromField;
using nic::EepromUse;

std::string hex(unsigned value) {
  char text[8];
  std::snprintf(text, sizeof text, "%02Xh", value);
  return text;
}

std::string words(const EepromField& field) {
  if (field.words == 1) return hex(field.word);
  return hex(field.word) + " to " + hex(field.word + field.words - 1U);
}

std::string bits(const EepromField& field) {
  if (field.high == field.low) return std::to_string(field.high);
  return std::to_string(field.high) + ":" + std::to_string(field.low);
}

/// Names of registers and bits are set as code.
std::string as_code(const std::string& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const auto capital = [&](std::size_t at) { return text[at] >= 'A' && text[at] <= 'Z'; };
    if (capital(i - 1) && capital(i)) return "`" + text + "`";
  }
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

std::string effect(const EepromField& field) {
  const std::string target = as_code(std::string(field.target));
  switch (field.use) {
    case EepromUse::kRegister: return target;
    case EepromUse::kRegisterSets: return target + " = 1, if it is 1";
    case EepromUse::kRegisterOnes: return target + " = 1";
    case EepromUse::kLed: return target + "; the default where the word is FFFFh";
    case EepromUse::kSoftware: return target == "-" ? "software" : "software: " + target;
    case EepromUse::kNotModelled: return "not modelled";
    default: return target;
  }
}

std::string loaded(const EepromField& field) {
  if (field.use == EepromUse::kSoftware || field.use == EepromUse::kNotModelled) return "-";
  const bool software = (field.resets & nic::domain::kSoftware) != 0;
  if (!field.is_register() && field.use != EepromUse::kSignature) return "power";
  return software ? "every reset" : "power, RST#, D3 to D0";
}

std::string document() {
  std::ostringstream out;
  out << "# EEPROM\n\n"
         "Made from the EEPROM map by `build/bin/e1000-eeprom`; a test keeps it true. The table "
         "says "
         "what a field of the EEPROM\nis for and where hardware puts it.\n\n"
         "- \"Every reset\" is power-up, RST#, D3 to D0, `CTRL.RST` and `CTRL_EXT.EE_RST`. The "
         "82544 "
         "does "
         "not load after `CTRL.RST`:\n  software sets `EE_RST`.\n"
         "- \"Power\" is the start of the simulation: a running function keeps its configuration "
         "space's layout.\n"
         "- Without the signature 01b (word 0Ah bits 15:14) hardware takes the Ethernet address "
         "only, and keeps its defaults.\n"
         "- Hardware never looks at the checksum; drivers do.\n"
         "- Bits that are not listed are reserved, or for parts that are not modelled (PHY and "
         "port B "
         "words 10h to 1Eh).\n\n"
         "| word | bits | field | goes to | loaded by | parts | manual |\n"
         "|---|---|---|---|---|---|---|\n";
  for (const EepromField& field : nic::eeprom_map()) {
    out << "| " << words(field) << " | " << bits(field) << " | " << as_code(std::string(field.name))
        << " | " << effect(field) << " | " << loaded(field) << " | " << parts(field.parts) << " | "
        << field.section << " |\n";
  }
  out << "\nNot from the manual, but from drivers, and in agreement with the contents of the few "
         "cards that were "
         "found, are:\nwhich bit is `IPS0` and which `IPS1`, `ASDE`, word 0Fh bits 7:3 of the "
         "82545, and that "
         "word 23h has the bits of\n`MANC`.\n";
  return out.str();
}

}  // namespace

int main(int argc, char** argv) { return document_main(argc, argv, "e1000-eeprom", document()); }
