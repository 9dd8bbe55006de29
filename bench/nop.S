/* SPDX-License-Identifier: ISC */
/* The shortest program there is: exit_group(0). */
	.globl _start
_start:
#if defined(__x86_64__)
	movl $231, %eax
	xorl %edi, %edi
	syscall
#elif defined(__aarch64__)
	mov x8, #94
	mov x0, #0
	svc #0
#elif defined(__riscv)
	li a7, 94
	li a0, 0
	ecall
#else
#error "write exit_group(0) for this machine"
#endif
	.section .note.GNU-stack, "", %progbits
