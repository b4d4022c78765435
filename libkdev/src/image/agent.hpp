#pragma once
#include <string_view>

namespace kdev {

/// An agent that is read whole to be recognised is at most this big.
inline constexpr std::size_t kMaxAgentSize = 4u << 20;
/// True for the bytes of a kdev-agent of any version: an ELF file that holds the name of the agent's port.
bool looks_like_agent(std::string_view program);

}  // namespace kdev
