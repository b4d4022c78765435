// What others need who read a dump with Core's help: its notes, its kernel's file, symbols by address.
#include <fmt/format.h>

#include <algorithm>

#include "common/json.hpp"
#include "crash/core/core_state.hpp"

namespace kdev {

std::vector<CoreMessage> Core::messages() const {
  const std::lock_guard lock(state_->mutex);
  auto list = state_->rules->message_list(*state_->memory, state_->kernel_view());
  for (auto& message : list) message.text = json::utf8(message.text);
  return list;
}

std::uint64_t Core::physical_end() const {
  return state_->memory->physical_end();
}

std::vector<CoreNote> Core::elf_notes() const {
  return state_->memory->notes();
}

std::string Core::vmcoreinfo() const {
  const std::lock_guard lock(state_->mutex);
  return json::utf8(state_->rules->vmcoreinfo(*state_->memory, state_->kernel_view()));
}

Path Core::kernel_file() const {
  return state_->image ? state_->image->kernel().file().path() : Path();
}

std::uint64_t Core::slide() const {
  const std::lock_guard lock(state_->mutex);
  state_->kernel_view();
  return state_->place ? state_->place->slide : 0;
}

Path Core::source_tree() const {
  return state_->image ? state_->image->source_tree() : Path();
}

std::optional<SymbolMatch> Core::lookup(std::uint64_t address) const {
  const std::lock_guard lock(state_->mutex);
  // Below lie offsets, as those of per-CPU variables: numbers that are no addresses.
  if (!state_->image || !state_->rules->is_kernel_address(address)) return std::nullopt;
  state_->list_modules();
  const auto* symbol = state_->image->symbol_at(address);
  if (!symbol) return std::nullopt;
  const auto place = state_->image->at(address);
  const auto offset = address - place.slide - symbol->address;
  return SymbolMatch{.name = place.module.empty() ? std::string(symbol->name)
                                                  : fmt::format("{} [{}]", symbol->name, place.module),
                     .address = address - offset,
                     .offset = offset,
                     .type = symbol->type};
}

}  // namespace kdev
