#pragma once

namespace kdev::guest {

/// The process's one T, made when it is first asked for and never destroyed: threads may still scan when the
/// process ends.
template <class T>
const T& lasting() {
  static const T* one = new T;
  return *one;
}

}  // namespace kdev::guest
