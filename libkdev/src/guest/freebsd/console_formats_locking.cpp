// Formats of WITNESS in kern/subr_witness.c and of propagate_priority() in kern/subr_turnstile.c.
#include "guest/freebsd/console_formats.hpp"

namespace kdev::guest {
namespace {

// Code that sleeps or takes locks for others.
constexpr std::string_view sleepers =
    R"(sched_switch|mi_switch|sleepq\w*|_?sleep|_?msleep\w*|pause\w*|_cv_\w+|turnstile_\w+|propagate_priority)";

}  // namespace

std::vector<CrashFormat> freebsd_locking_formats() {
  return {
      {.kind = "lock-order",
       .start = R"(lock order reversal:)",
       .survives = true,
       .titles =
           {// " 1st %p %s (%s, %s) @ %s:%d": the lock's name and its type's, which orders are kept by. Where
            // three are listed, the first is of the third's type: held already, in the right order.
            {.pattern = R"(^ ?2nd \S+ (?:[^(\n]+ )?\(([^,\n)]+)[^\n]*\n ?3rd \S+ (?:[^(\n]+ )?\(([^,\n)]+))",
             .title = "lock order reversal: {1} {2}",
             .type = "LOCKDEP",
             .alternatives = {"lock order reversal in {function}"},
             .function = {"trace"},
             .skip = sleepers},
            {.pattern = R"(^ ?1st \S+ (?:[^(\n]+ )?\(([^,\n)]+)[^\n]*\n ?2nd \S+ (?:[^(\n]+ )?\(([^,\n)]+))",
             .title = "lock order reversal: {1} {2}",
             .type = "LOCKDEP",
             .alternatives = {"lock order reversal in {function}"},
             .function = {"trace"},
             .skip = sleepers},
            {.pattern = {},
             .title = "lock order reversal in {function}",
             .type = "LOCKDEP",
             .function = {"trace"},
             .corrupted = true}}},
      {.kind = "lock-order",
       .start = R"(acquiring duplicate lock of same type: )",
       .survives = true,
       .titles = {{.pattern = R"re(^acquiring duplicate lock of same type: "(.*)")re",
                   .title = "acquiring duplicate lock of same type: {1}",
                   .type = "LOCKDEP",
                   .alternatives = {"acquiring duplicate lock of same type in {function}"},
                   .function = {"trace"}}}},
      // witness_warn(). The fault it warns of is worth more than the warning; a sleep goes on.
      {.kind = "trap",
       .start = R"(Kernel page fault with the following (?:non-sleepable )?locks held:)",
       .titles = {{.pattern = R"(^Fatal trap (\d+): (.+?) while in \w+ mode)",
                   .title = "Fatal trap {1}: {2} in {function}",
                   .function = {"pc", "trace"},
                   .skip = R"(witness_\w+)"},
                  {.pattern = {},
                   .title = "Kernel page fault with locks held in {function}",
                   .type = "LOCKDEP",
                   .function = {"trace"}}}},
      {.kind = "lock-held",
       .start = R"(.{1,200} with the following (?:non-sleepable )?locks held:)",
       .titles =
           {{.pattern =
                 R"(^(.{1,100}?)(?: (?:on|of) .*|[:,] .*)? with the following (non-sleepable )?locks held:)",
             .title = "{1} with {2:raw}locks held in {function}",
             .type = "LOCKDEP",
             .function = {"trace"},
             .skip = sleepers}}},
      {.kind = "lock-held",
       .start = R"(Sleeping thread \(.{1,100}\) owns a non-sleepable lock)",
       .titles = {{.pattern = {},
                   .title = "Sleeping thread owns a non-sleepable lock in {function}",
                   .type = "LOCKDEP",
                   .function = {"trace"},
                   .skip = sleepers}}},
  };
}

}  // namespace kdev::guest
