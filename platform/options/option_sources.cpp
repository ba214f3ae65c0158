#include "e1000tlm/options/option_sources.h"

#include <fstream>
#include <stdexcept>
#include <string>

#include "e1000tlm/options/option_error.h"

namespace e1000tlm::platform {

namespace po = boost::program_options;

po::variables_map read_sources(int argc, const char* const* argv,
                               const po::options_description& all,
                               const po::options_description& in_file) {
  po::variables_map values;
  try {
    po::store(
        po::command_line_parser(argc, argv)
            .options(all)
            .positional({})
            .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
            .run(),
        values);
  } catch (const po::too_many_positional_options_error&) {
    throw std::invalid_argument("every argument begins with --, see --help");
  } catch (const po::error& error) {
    throw std::invalid_argument(error.what());
  }
  if (values.count("config") == 0) return values;
  const std::string path = values["config"].as<std::string>();
  std::ifstream file(path);
  file.peek();
  if (!file && !file.eof()) fail("config", "cannot read " + path);  // missing, or a directory
  file.clear();
  try {
    // Lists that stand on the command line already win as a whole.
    po::variables_map from_file;
    po::store(po::parse_config_file(file, in_file), from_file);
    for (const auto& [name, value] : from_file) {
      const auto given = values.find(name);
      if (given == values.end() || given->second.defaulted()) {
        values.erase(name);
        values.insert({name, value});
      }
    }
  } catch (const po::error& error) {
    fail("config", path + ": " + error.what());
  }
  return values;
}

}  // namespace e1000tlm::platform
