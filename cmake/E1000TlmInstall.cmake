# Install rules: headers, libraries, CMake package with components, pkg-config files.
