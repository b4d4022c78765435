#pragma once

namespace kdev {

/// Several lambdas as one visitor, for std::visit.
template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

}  // namespace kdev
