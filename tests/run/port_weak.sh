#!/bin/sh
# SPDX-License-Identifier: ISC
# What the port is better at than its model.
exec "$(dirname "$0")/../port/run" cp_weak
