#pragma once
/// Programs that host back-ends start: scripts and helpers. No SystemC.

#include <string>
#include <vector>

#include <sys/types.h>

#include "e1000tlm/link/host/host_fd.h"

namespace e1000tlm::link {

/// Starts a program by its path (or by PATH, without a slash) with these arguments, the first being
/// its name. It inherits standard streams and `keep` (if not -1) alone. Returns its process ID;
/// throws std::runtime_error naming the program.
pid_t start_program(const std::vector<std::string>& arguments, int keep = -1);
/// Waits for its end. Empty: it returned 0; else what became of it ("ended with status 1").
std::string wait_for_program(pid_t process);

/// Runs an interface script as QEMU does: `script` with the interface's name. Empty: fine; else
/// what is wrong with it, naming the script.
std::string run_interface_script(const std::string& script, const std::string& interface);

/// The descriptor that comes with a byte over a UNIX stream socket; waits for it. Empty: the other
/// side has closed, or has sent none or several, of which none stays open.
UniqueFd receive_descriptor(int socket);

/// A tap device on a bridge, made by a helper that has the permission for it (QEMU's
/// qemu-bridge-helper and those that speak as it does): it is started with --use-vnet, --fd=N,
/// --br=BRIDGE, and sends the device's descriptor over the socket N. A command with blanks goes to
/// the shell, which adds the options. Throws std::runtime_error naming helper and bridge.
UniqueFd run_bridge_helper(const std::string& helper, const std::string& bridge);

}  // namespace e1000tlm::link
