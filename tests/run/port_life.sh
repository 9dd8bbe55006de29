#!/bin/sh
# SPDX-License-Identifier: ISC
# Pipelines of the port, its children and what is said about them.
exec "$(dirname "$0")/../port/run" cp_life
