#include <kdev/error.hpp>

namespace kdev {
namespace {

std::string compose(const ErrorInfo& info) {
  std::string text = info.attempted.empty() ? info.reason : info.attempted + ": " + info.reason;
  if (!info.log.empty()) text += "\n  log: " + info.log.string();
  if (!info.hint.empty()) text += "\n  try: " + info.hint;
  return text;
}

}  // namespace

Error::Error(ErrorInfo info) : std::runtime_error(compose(info)), info_(std::move(info)) {}

}  // namespace kdev
