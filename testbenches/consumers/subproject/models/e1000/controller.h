#pragma once
// The consumer's own header, with a path like one of ours in its tree.
inline constexpr char kWhose[] = "models of the consumer";
