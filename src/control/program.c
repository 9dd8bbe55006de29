/* SPDX-License-Identifier: ISC */
/* carrel-control as a program of its own. */
#include <carrel.h>

int main(int argc, char **argv)
{
	return carrel_control_main(argc, argv);
}
