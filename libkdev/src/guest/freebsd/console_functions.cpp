// Which functions are never the guilty one. Names are those of many kernel versions.
#include "guest/freebsd/console_formats.hpp"

namespace kdev::guest {

FunctionRules freebsd_function_rules() {
  FunctionRules rules;
  rules.helpers = {
      // Reporting.
      R"(db_trace_\w+|kdb_(?:backtrace\w*|enter|reenter\w*|trap|break\w*)|v?panic|kassert_panic|stack_save\w*|stack_print\w*|kern_reboot|doadump|__stack_chk_fail|vfs_badlock|assert_v\w+|(?:vn|VNASSERT)_printf)",
      // Traps.
      R"(trap(?:_fatal|_pfault|_check|_diag)?|calltrap|alltraps\w*|Xdblfault|dblfault_handler|nmi_\w+|mchk_calltrap|Xpage\w*|data_abort|do_el[01]h?_sync|handle_el[01]h?\w*|ipi_nmi_handler|unhandled_exception)",
      // Sanitizers.
      R"(__asan_\w+|kasan_\w+|__msan_\w+|kmsan_\w+|__ubsan_\w+|Handle\w+Mismatch\w*|HandleShift\w*|HandleOverflow|Report)",
      // Locks and their debugging.
      R"(witness_\w+|_*mtx_\w+|_*rw_\w+|_*rm_\w+|_*sx_\w+|_*s?lock_(?:un)?lock\w*|lockmgr\w*|__lockmgr\w*|_lockmgr\w*|lock_(?:delay|init|destroy)|_*thread_lock\w*|spinlock_\w+|_vn_lock|vop_stdlock|VOP_LOCK1_APV|ffs_lock|turnstile_\w+|propagate_priority|sleepq_\w+|epoch_\w+|_epoch_\w+)",
      // Memory and its debugging.
      R"(uma_\w+|zone_\w+|keg_\w+|trash_\w+|mtrash_\w+|bucket_\w+|cache_(?:alloc|free)\w*|item_(?:ctor|dtor)|slab_\w+|mb_(?:ctor|dtor)_\w+|(?:kern_)?malloc\w*|free(?:_domain)?|zfree|realloc\w*|contig(?:malloc|free)\w*|redzone_\w+|memguard_\w+)",
      R"(_*refcount_\w+|_?blockcount_\w+|counter_u64_\w+|sbuf_\w+|k?v?s?n?printf|_?vprintf)",
      // Entry code.
      R"(X?fast_syscall\w*|Xint0x80_syscall|amd64_syscall|ia32_syscall|syscall(?:enter|ret)?|svc_handler|fork_(?:exit|trampoline)|ithread_(?:loop|execute_handlers)|intr_event_\w+|intr_execute_handlers|lapic_handle_\w+|Xapic_isr\d*|Xtimerint\w*)",
  };
  rules.dispatchers = {
      R"(amd64_syscall|ia32_syscall|syscall|svc_handler|do_el0_sync|fork_exit|ithread_loop|taskqueue_run\w*|softclock_call_cc|softclock\w*)",
  };
  rules.idle = {R"(sched_switch|mi_switch)"};
  rules.renames = {
      {R"((.+?)\.(?:isra|constprop|part|cold|llvm)\b.*)", R"(\1)", false},
  };
  return rules;
}

}  // namespace kdev::guest
