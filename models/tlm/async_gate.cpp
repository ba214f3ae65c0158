#include "models/tlm/async_gate.h"
