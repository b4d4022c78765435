#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace kdev::crash {

/// A symbol of Rust's v0 mangling (RFC 2603), without its crates' hashes: "_RNvC3foo3bar" is "foo::bar".
/// Nothing when it is none. Not libiberty's or LLVM's, whose time and text 20 bytes of a hostile log make
/// endless (references that double, binders of 62^8 lifetimes): this one takes bounded time and gives at most
/// 1 KB, whatever the symbol refers to.
std::optional<std::string> demangled_rust(std::string_view symbol);

}  // namespace kdev::crash
