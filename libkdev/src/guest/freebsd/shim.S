/* What firmware's multiboot loader (specification 0.6.96) starts in place of a FreeBSD/amd64 kernel: it fills in the
 * memory map, switches to long mode and enters the kernel as FreeBSD's own loader does (stand/i386/libi386/
 * elf64_freebsd.c, sys/amd64/amd64/locore.S). Everything else is in memory already, put there by direct_image.cpp,
 * which also fills in the parameters. It runs where it is loaded, at BASE; in libkdev it is only data. */
#define BASE 0x100000
#define AT(label) (label - kdev_freebsd_shim + BASE)
/* Page tables follow in memory, not in the file. */
#define PT4 (BASE + 0x1000)
#define PT3 (BASE + 0x2000)
#define PT2 (BASE + 0x3000)

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_LOADED 0x2badb002
#define MULTIBOOT_FLAGS 3 /* modules on page borders; a memory map is wanted */
#define MULTIBOOT_HAS_MMAP (1 << 6)
#define PRESENT_WRITABLE 3
#define LARGE_PAGE 0x80
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define CR4_PAE 0x20
#define CR0_PG 0x80000000

  .section .rodata
  .balign 16
  .globl kdev_freebsd_shim, kdev_freebsd_shim_start, kdev_freebsd_shim_end
  .hidden kdev_freebsd_shim, kdev_freebsd_shim_start, kdev_freebsd_shim_end
kdev_freebsd_shim:
  .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
  .long 0
/* struct ShimParameters of direct_image.cpp */
entry: .quad 0
smap: .long 0          /* where struct bios_smap entries go */
smap_room: .long 0     /* how many there is room for */
  .skip 64             /* the kernel pushes a little before it has a stack of its own */
handoff: .long 0, 0, 0, 0  /* a return address, modulep, kernend */

gdt: .quad 0, 0x0020980000000000, 0x0000920000000000
gdt_end:
gdt_pointer: .word gdt_end - gdt - 1
  .long AT(gdt)

  .balign 16
  .code32
kdev_freebsd_shim_start:
  cli
  cld
  movl $AT(handoff), %esp
  cmpl $MULTIBOOT_LOADED, %eax
  jne stop
  testl $MULTIBOOT_HAS_MMAP, (%ebx)
  jz stop

  /* multiboot_info: mmap_length at 44, mmap_addr at 48; an entry is its size (this word not counted), then what a
   * struct bios_smap holds: base, length, type. */
  movl 48(%ebx), %edx
  movl 44(%ebx), %ebx
  addl %edx, %ebx
  movl AT(smap), %edi
  movl AT(smap_room), %ebp
next_entry:
  cmpl %ebx, %edx
  jae memory_map_done
  testl %ebp, %ebp
  jz memory_map_done
  leal 4(%edx), %esi
  movl $5, %ecx
  rep movsl
  movl (%edx), %eax
  leal 4(%edx,%eax), %edx
  decl %ebp
  jmp next_entry
memory_map_done:

  /* Every GiB of virtual memory shows the first GiB: the kernel's own addresses as well as ours. */
  movl $PT4, %edi
  movl $(PT3 + PRESENT_WRITABLE), %eax
  call fill_same
  movl $(PT2 + PRESENT_WRITABLE), %eax
  call fill_same
  movl $(LARGE_PAGE + PRESENT_WRITABLE), %eax
  movl $512, %ecx
large_page:
  movl %eax, (%edi)
  movl $0, 4(%edi)
  addl $0x200000, %eax
  addl $8, %edi
  loop large_page

  movl %cr4, %eax
  orl $CR4_PAE, %eax
  movl %eax, %cr4
  movl $PT4, %eax
  movl %eax, %cr3
  movl $MSR_EFER, %ecx
  rdmsr
  orl $EFER_LME, %eax
  wrmsr
  movl %cr0, %eax
  orl $CR0_PG, %eax
  movl %eax, %cr0
  lgdt AT(gdt_pointer)
  ljmp $8, $AT(long_mode)

stop:
  hlt
  jmp stop

/* 512 times eax, from edi on */
fill_same:
  movl $512, %ecx
1:
  movl %eax, (%edi)
  movl $0, 4(%edi)
  addl $8, %edi
  loop 1b
  ret

  .code64
long_mode:
  movl $16, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl $AT(handoff), %esp
  movl $AT(entry), %eax
  jmp *(%rax)
kdev_freebsd_shim_end:
  .section .note.GNU-stack, "", @progbits
