/* SPDX-License-Identifier: ISC */
/* The bytes of the file CONTROL (cc -c -DCONTROL='"..."'), between two symbols. */
	.section .rodata
	.globl control_begin, control_end
	.balign 16
control_begin:
	.incbin CONTROL
control_end:
	.section .note.GNU-stack, "", %progbits
