// What a crash says beyond its stacks.
#include <kdev/crash_facts.hpp>

#include "bind.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_crash_facts(py::module_& m) {
  Value<FaultMember>(m, "FaultMember", "A member of a structure that an access may have meant.")
      .field("expression", &FaultMember::expression, "'foo->bar.baz'; empty: only the type is known.")
      .field("variable", &FaultMember::variable, "The pointer that it begins with.")
      .field("type", &FaultMember::type, "What that points to: 'struct foo'.")
      .field("member", &FaultMember::member, "Path in it; empty: it has none there.")
      .field("offset", &FaultMember::offset, "Bytes into the type.")
      .finish({"expression", "type", "offset"});
  Value<FaultInfo> fault(m, "FaultInfo", "A memory access, or a jump, that faulted.");
  fault.field("address", &FaultInfo::address, "That could not be accessed; None: unknown.")
      .field("access", &FaultInfo::access, "'read', 'write', 'execute'; empty: unknown.")
      .field("pc", &FaultInfo::pc, "Of the instruction, as the report has it; 0: unknown.")
      .field("instruction", &FaultInfo::instruction, "Of a jump, the call.")
      .field("base_register", &FaultInfo::base_register, "Of its memory operand, as reports print it.")
      .field("base_value", &FaultInfo::base_value)
      .field("displacement", &FaultInfo::displacement, "Bytes, the index register's part in it.")
      .field("certain", &FaultInfo::certain,
             "The debug information says so; else members are those that fit.")
      .field("members", &FaultInfo::members, "The best first; at most one when it is certain.")
      .field("poison", &FaultInfo::poison, "What the address, or the pointer, is a mark of.")
      .field("explanation", &FaultInfo::explanation, "One sentence of all that.");
  fault.py().def("__str__", [](const FaultInfo& f) { return f.explanation; });
  fault.finish({"address", "access", "explanation"});
  Value<PoisonedRegister>(m, "PoisonedRegister", "A register that holds a mark.")
      .field("name", &PoisonedRegister::name)
      .field("value", &PoisonedRegister::value)
      .field("meaning", &PoisonedRegister::meaning)
      .finish();
  Value<SlabObject>(m, "SlabObject",
                    "An allocator's object that was accessed out of bounds or after it was freed.")
      .field("address", &SlabObject::address, "Of its first byte; 0: not printed.")
      .field("size", &SlabObject::size, "Bytes; 0: not printed.")
      .field("cache", &SlabObject::cache)
      .field("offset", &SlabObject::offset, "Bytes from its first byte to the access; None: not printed.")
      .field("access", &SlabObject::access, "The accessed address; 0: not printed.")
      .field("access_size", &SlabObject::access_size, "Bytes; 0: not printed.")
      .field("state", &SlabObject::state, "'freed', 'allocated'; empty: not printed.")
      .field("allocated_by", &SlabObject::allocated_by, "Function; empty: not printed.")
      .field("allocated_pid", &SlabObject::allocated_pid, "-1: not printed.")
      .field("freed_by", &SlabObject::freed_by)
      .field("freed_pid", &SlabObject::freed_pid)
      .field("last_user", &SlabObject::last_user, "What the memory was last used for, as FreeBSD says it.")
      .finish({"cache", "size", "offset", "state"});
}

}  // namespace kdev::python
