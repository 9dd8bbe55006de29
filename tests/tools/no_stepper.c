/* SPDX-License-Identifier: ISC */
#include <stdio.h>

int main(void)
{
	puts("stepper: knows x86-64 only");
	return 77;
}
