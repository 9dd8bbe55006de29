#!/bin/sh
# SPDX-License-Identifier: ISC
# The port's bytes, its calls, how arguments are decoded, constants; driven by the Erlang VM.
exec "$(dirname "$0")/../port/run" cp_vectors cp_calls cp_decode cp_constants
