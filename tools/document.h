#pragma once
/// The command line of programs that write a document from a table.

#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "e1000tlm/tlm/output_file.h"

/// No argument: prints the document. --check FILE: status 1 if the file says something else. Status
/// 1 as well if the document cannot be written whole.
inline int document_main(int argc, char** argv, const std::string& program,
                         const std::string& text) {
  if (argc == 1) {
    try {
      std::cout << text << std::flush;
      e1000tlm::flush_standard_output();
      return 0;
    } catch (const std::runtime_error& error) {
      std::cerr << program << ": " << error.what() << "\n";
      return 1;
    }
  }
  if (argc != 3 || std::string(argv[1]) != "--check") {
    std::cerr << "usage: " << program << " [--check FILE]\n";
    return 2;
  }
  std::ifstream file(argv[2]);
  std::stringstream content;
  content << file.rdbuf();
  if (content.str() == text) return 0;
  std::cerr << argv[2] << " does not match the table; run " << program << " > " << argv[2] << "\n";
  return 1;
}
