#!/bin/sh
# SPDX-License-Identifier: ISC
# The traps for a replacement of the port, by their numbers.
exec "$(dirname "$0")/../port/run" cp_traps
