#pragma once
/// Where options stand: on the command line, and in the file that --config names. No SystemC.

#include <boost/program_options.hpp>

namespace e1000tlm::platform {

/// What both say; the command line wins. `all`: what it may say, `in_file`: what the file may say.
/// Throws std::invalid_argument naming the option, or the file.
boost::program_options::variables_map read_sources(
    int argc, const char* const* argv, const boost::program_options::options_description& all,
    const boost::program_options::options_description& in_file);

}  // namespace e1000tlm::platform
