// Which functions are never the guilty one. Names are those of many kernel versions.
#include "guest/linux/console_formats.hpp"

namespace kdev::guest {

FunctionRules linux_function_rules() {
  FunctionRules rules;
  rules.helpers =
      {
          // Reporting.
          R"((?:__)?dump_(?:stack|backtrace|mapping)\w*|show_(?:stack|trace|regs)\w*|print_(?:address|report|bad|trailer|.*_bug)\w*)",
          R"(v?panic|nmi_panic|__warn\w*|warn_slowpath\w*|report_bug|fixup_bug|handle_bug|bug_handler|\w*brk_handler|call_break_hook)",
          R"(die\w*|__die\w*|oops_\w+|no_context|bad_area\w*|__bad_area(?:_access_error)?|spurious_kernel_fault)",
          R"((?:asm_)?exc_\w+|do_(?:error_)?trap\w*|do_invalid_op|invalid_op|error_entry|error_code|\w*page_fault\w*|do_kern_addr_fault|\w*general_protection|\w*double_fault|do_mem_abort|el1\w*|do_debug_exception|__do_kernel_fault|do_(?:translation|alignment|sea|DataAbort|PrefetchAbort)\w*)",
          // Sanitizers.
          R"(\w*kasan\w*|__asan_\w+|__hwasan\w*|hwasan\w*|check_memory_region\w*|end_report|check_region_inline|memory_is_\w+|bytes_is_nonzero)",
          R"(\w*kmsan\w*|__msan_\w+|\w*kcsan\w*|__tsan_\w+|\w*kfence\w*|__sanitizer_cov\w*|\w*kmemleak\w*)",
          R"((?:__)?ubsan\w*|handle_overflow|val_to_string|stack_trace_\w+|save_stack\w*|arch_stack_walk|set_track\w*|stack_depot\w*)",
          // Locks and their debugging.
          R"(lock_(?:acquire|release|acquired|downgrade|is_held)\w*|__lock_\w+|(?:print|check)_(?:circular|prev|deadlock|usage|irq|unlock|noncircular|lock|freed|preemption)\w*|validate_chain|mark_\w*lock\w*|valid_state|register_lock_class|assign_lock_key|(?:__)?lockdep_\w+|look_up_lock_class|trace_(?:hard|soft)irqs\w*|reacquire_held_locks|static_obj|debug_check_no_\w+|rcu_lockdep\w*|find_held_lock|match_held_lock)",
          R"((?:__)?_?(?:raw_)?(?:spin|read|write|rwlock)_(?:un|try)?lock\w*|do_raw_\w+|spin_(?:bug|dump)|rwlock_bug|\w*queued_\w*lock\w*|debug_(?:spin|read|write|mutex)\w*)",
          R"((?:__)?(?:rt_)?mutex_(?:un|try)?lock\w*|(?:__)?(?:down|up)_(?:read|write)\w*|down|up|rwsem_\w+|\w*seqlock\w*|(?:__)?rcu_read_\w+|\w*percpu_(?:down|up)\w*|(?:rt_)?local_lock\w*|rt_spin_\w+|rt_(?:read|write)_\w+|osq_\w+|(?:__)?local_bh_(?:en|dis)able\w*|preempt_count_(?:add|sub)|hlist_bl_\w+|bit_spin_\w+|ww_mutex\w*|lock_sock\w*|lock_mount_hash)",
          R"(_*might_(?:sleep|resched|fault)\w*|__schedule_bug|__schedule|schedule|preempt_schedule\w*|schedule_timeout\w*|schedule_debug|_*cond_resched|__this_cpu_preempt_check|debug_smp_processor_id)",
          // Memory and strings.
          R"(_*mem(?:cpy|set|move|cmp|chr|scan|dup|zero)\w*|_*str(?:n|l|s)?(?:cpy|cat|cmp|len|str|chr|casecmp|dup|scpy|pbrk|sep|spn)\w*|read_word_at_a_time|\w*copy_(?:to|from|in)_(?:user|iter)\w*|_copy_\w+|copy_user\w*|__?arch_copy\w*|rep_movs\w*|\w*check_object_size|_*check_(?:heap|stack|page)\w*(?:object|span)|usercopy_\w+|report_usercopy|clear_user\w*|__clear_user|copyin|copyout|copy_page_(?:to|from)_iter\w*|copy_(?:to|from)_kernel_nofault\w*|(?:__)?(?:get|put)_user\w*|csum_and_copy\w*|memcpy_(?:to|from)_\w+|virt_to_\w+|csum_partial\w*)",
          R"(\w*k[vz]?malloc\w*|krealloc\w*|k[vz]?free\w*|kcalloc\w*|kv?zalloc\w*|_{0,3}kmem_cache_\w+|(?:__)?slab_\w+|slab_\w*|___?slab\w*|new_slab|allocate_slab|\w*vmalloc\w*|\w*vfree\w*|free_large_kmalloc|do_slab_free|cache_(?:alloc|grow|free|flusharray|from_obj)\w*|___cache_free|qlist_\w+|quarantine_\w+|\w*mempool_(?:alloc|free)\w*|\w*alloc_pages?\w*|(?:__)?get_free_pages?|get_zeroed_page\w*|kvrealloc\w*|vrealloc\w*|devm_k\w+|__alloc_frozen_pages\w*)",
          R"(debug_(?:print_object|object\w*|check_no_obj\w*)|__debug_(?:check|object)\w*|refcount_\w+|__refcount_\w+|kref_\w+|kobject_\w+|create_dir|(?:__)?list_(?:add|del)\w*|__list_\w+|hlist_\w+|rb_(?:erase|insert|next|prev|first)\w*|(?:raw_|arch_|_*)?atomic(?:64|_long)?_\w+|instrument_\w+|(?:arch_)?(?:__)?(?:test|set|clear|change)_(?:and_\w+_)?bit\w*|find_(?:next|first|last)\w*_bit\w*|xas_\w+|\w*cmpxchg\w*)",
          // Objects whose users are guilty.
          R"((?:__)?skb_(?:pull|push|put|trim|panic|over_panic|under_panic)\w*|(?:__)?pskb_(?:pull|trim)\w*|___pskb_trim|mod_timer|add_timer\w*|del_timer\w*|timer_delete\w*|try_to_del_timer\w*|lock_timer_base|detach_if_pending|__mod_timer|work_is_static_object|timer_is_static_object|__queue_work|queue_work_on|__init_work|(?:__)?init_timer\w*|do_init_timer|__init_waitqueue_head|sk_(?:stop|reset)_timer\w*|(?:__)?hrtimer_(?:start|cancel|try_to_cancel|init|setup|active|reprogram)\w*|(?:__)?(?:queue|mod|schedule)_(?:delayed_)?work\w*|__queue_delayed_work|(?:__)?call_rcu\w*|kv?free_(?:call_)?rcu\w*)",
          R"((?:__)?rhashtable_\w+|rht_\w+|ida_\w+|idr_\w+|radix_tree_\w+|(?:__)?cleanup_srcu_struct|(?:__)?srcu_\w+|rcu_is_watching|debug_lockdep_rcu_enabled|rcu_read_\w+|(?:__)?xa_(?:load|store|erase|alloc|insert|find|destroy|cmpxchg)\w*|(?:__)+rb_\w+|lockref_\w+|_*bitmap_\w+|bsearch|(?:list_)?sort(?:_r)?|llist_\w+|plist_\w+|timerqueue_(?:add|iterate)\w*|ref_tracker_\w+|kmap_\w+|folio_(?:un)?lock|_compound_head|page_ref_\w+|put_page\w*|get_page)",
          // Library code and subsystem cores that only do what their callers ask.
          R"(string(?:_nocheck)?|(?:error|symbol|resource|hex|bitmap|bitmap_list|mac_address|ip[46]\w*|uuid|escaped|time|date|flags|device_node\w*|fwnode\w*|special_hex|fourcc)_(?:string|number)\w*|ptr_to_id|widen_string|dentry_name|bdev_name|put_dec\w*|(?:_?kstrto|simple_strto)\w+|_parse_integer\w*|v?sscanf|netdev_(?:err|warn|info|notice|dbg)|__dynamic_\w*dbg|vsnprintf|vscnprintf|snprintf|sprintf|scnprintf|vsprintf|\w*printk\w*|_dev_\w+|va_format|hex_string|hex_dump_to_buffer|print_hex_dump\w*|pointer|number|format_decode|kvasprintf\w*|kasprintf|_*crc\w*|_?_?aes_\w+|_*sha\d\w*|_*blake2\w*|md[45]_\w+|gf128mul_\w+|ghash_\w+|_*poly(?:1305|val)\w*|chacha\w*|des\d?_\w+|arc4_\w+|cast[56]_\w+|serpent_\w+|twofish_\w+|camellia_\w+|sm[34]_\w+|aria_\w+|aesti_\w+|crypto_\w+|sha\w*_(?:update|final|transform)\w*|chksum\w*|strscpy\w*|fortify_panic|__fortify\w*|__phys_addr\w*|__virt_addr\w*|phys_addr_\w+|__x86_indirect\w*|__x86_return\w*|__read_once\w*|__seqprop\w*|_find_\w+bit\w*|(?:__rustc::)?rust_\w+|(?:core|alloc|std|compiler_builtins)::.*|<.* as (?:core|alloc)::.*)",
          R"(kthread_(?:stop|park|flush)\w*|(?:__)?flush_work|__cancel_work\w*|cancel_\w*work\w*|drain_workqueue|destroy_workqueue|(?:__)?wake_up\w*|__wake_\w+|complete|complete_all|complete_with_flags|swake_up\w*|wait_for_\w+|do_wait_for_common|__wait_for_common|_*try_to_del_timer\w*|kill_fasync|release_sock|insert_work|mutex_\w+|(?:__)?timer_\w*(?:sync|shutdown)\w*|(?:put|get)_device|(?:un)?lock_page|raw_spin_rq_\w+|i2c_(?:add|del)_adapter|(?:un)?register_netdev\w*|fast_dput|dput|(?:xts|ctr|cbc|ecb|gcm|cipher|skcipher|aead|drbg|jent|rng)_\w+|kthread_should_stop|static_call_\w+|text_poke\w*|on_each_cpu\w*)",
          R"(device_(?:(?:create|remove)_file|add|del|register|unregister|destroy|create)\w*|device_initial_probe|bus_\w+|sysfs_\w+|kernfs_(?:remove|find|create|add|new|get|put|drain|activate)\w*|__kernfs_\w+|__kobject_\w+|kset_\w+|internal_create_\w+|device_pm_\w+|dpm_\w+|usb_(?:control_msg|bulk_msg|interrupt_msg|start_wait_urb|kill_\w*urb\w*|kill_anchored_urbs|submit_urb|free_urb|hcd_\w+)|iput|crc_\w+|__free_pages\w*|free_pages\w*|free_unref\w*|page_frag_\w+)",
          R"(\w*console_(?:lock|unlock|trylock)|rollback_registered\w*|unregister_netdevice\w*|netdev_run_todo|free_percpu|alloc_percpu\w*|pcpu_\w+|__alloc_percpu\w*|walk_stackframe|kernel_text_address|__kernel_text_address|is_module_text_address|in_gate_area\w*)",
          R"(should_fail\w*|__should_fail\w*|(?:__)?(?:const_)?[nu]?delay|delay_\w+|fail_dump|fault_create\w*|get_taint|print_tainted|kstrdup\w*|kmemdup\w*|vmemdup\w*|memdup\w*|create_object|do_tag_check_fault|hlock_class|__lockdep\w*|task_blocks_on_rt_mutex|__sched_text_start|__switch_to|context_switch|finish_task_switch|io_schedule\w*|bit_wait\w*|__wait_on_bit\w*|out_of_line_wait\w*|__add_wait\w*)",
          // Entry code.
          R"(ret_from_(?:fork\w*|kernel_thread|intr|sys\w*)|entry_\w+|\w*_entry_\w*hwframe\w*|do_syscall_\w+|x64_sys_call|common_interrupt|asm_\w+|\w*apic_timer_interrupt\w*|irq_exit\w*|kernel_init_freeable)",
      };
  rules.dispatchers = {
      R"(do_(?:fast_)?syscall_\w+|x64_sys_call|ia32_sys_call|entry_SY\w+|do_el0_svc|el0_svc\w*|invoke_syscall|ret_fast_syscall|tracesys\w*|sysenter_\w+|system_call\w*)",
      R"(process_one_work|worker_thread|kthread|ret_from_fork\w*|start_secondary|cpu_startup_entry|smpboot_thread_fn|run_ksoftirqd|rest_init|start_kernel|do_one_initcall)",
      R"((?:__)?do_softirq\w*|handle_softirqs|call_timer_fn|(?:__)?run_timer\w*|expire_timers|__hrtimer_run_queues|rcu_(?:do_batch|core\w*|process_callbacks)|(?:__)?tasklet_(?:hi_)?action\w*|bh_worker|workqueue_softirq\w*|__run_hrtimer|irq_work_run\w*|irq_work_single|(?:__)?flush_smp_call_function_queue|generic_smp_call_function_\w+|(?:__)?handle_irq_event\w*|kthread_worker_fn|io_wqe?_worker|io_worker_handle_work|net_rx_action|task_work_run)",
      R"((?:__)?netif_receive_skb\w*|process_backlog|napi_(?:poll|gro_\w+|complete_done|busy_loop)|__napi_poll)",
      R"((?:__)?vfs_(?:read|write|ioctl|writev|readv|iter_\w+|fsync\w*|get_tree)|do_vfs_ioctl|(?:ksys|SyS|compat_SyS|__\w+_sys|__\w+_compat_sys|sys)_ioctl|do_iter_\w+|do_loop_readv_writev\w*|new_sync_(?:read|write)|call_(?:read|write)_iter|do_dentry_open|(?:__)?fput|____fput|do_mmap\w*|mmap_region|call_mmap|__do_fault)",
      R"((?:__)?sock_sendmsg\w*|sock_common_setsockopt|sock_setsockopt|(?:rtnetlink|genl|netlink|nfnetlink)_rcv\w*|\w+_compat_ioctl|netlink_dump|genl_\w*dump\w*|genl_family_rcv\w*)",
  };
  rules.watchers = {
      R"(update_process_times|tick_\w+|(?:rcu_)?check_cpu_stall|print_(?:other_)?cpu_stall|rcu_(?:check_callbacks|sched_clock_irq|dump_cpu_stacks|pending)|sched_show_task|dump_cpu_task|watchdog_(?:timer_fn|overflow_callback)|nmi_\w*backtrace\w*|nmi_handle)",
  };
  rules.timers = {R"(\w*apic_timer_interrupt\w*|tick_\w+|arch_timer_handler\w*|timer_interrupt)"};
  rules.waiters = {
      R"(smp_call_function\w*)",
  };
  rules.interrupts = {
      R"(\w*apic_timer_interrupt\w*|asm_sysvec_\w+|sysvec_\w+|common_interrupt|asm_common_interrupt|ret_from_intr|retint_\w+|reschedule_interrupt|call_function_\w*interrupt|el1_irq|el1h_64_irq\w*|gic_handle_irq|__irq_svc|nmi|end_repeat_nmi|asm_exc_nmi)",
  };
  rules.idle = {
      R"(__schedule|schedule|preempt_schedule\w*|rcu_gp_\w*kthread|rcu_exp_wait_wake|rcu_exp_sel_wait_wake|synchronize_rcu_expedited\w*)",
  };
  rules.mixed = {
      R"(should_fail|should_fail_ex|should_failslab|__should_failslab)",  // FAULT_INJECTION prints whole
                                                                          // stacks
  };
  rules.renames = {
      {R"((.+?)\.(?:isra|constprop|part|cold|llvm|lto_priv)\b.*)", R"(\1)", false},
      {R"(sys_(\w+))", R"(\1)", true},  // as 32-bit kernels and old ones have them
      {R"(__(?:x64|ia32|x32|arm64|riscv|se|s390x?|do)_(?:compat_)?(?:sys|se_sys)_(\w+))", R"(sys_\1)", true},
      {R"((?:SyS|SYSC|C_SYSC|compat_SyS|ksys)_(\w+))", R"(\1)", true},
      {R"((?:__)?synchronize_(?:rcu|srcu|sched|rcu_expedited|rcu_bh)(?:_expedited)?)", "synchronize_rcu",
       true},
      {R"(smp_call_function_\w+)", "smp_call_function", true},
  };
  return rules;
}

}  // namespace kdev::guest
