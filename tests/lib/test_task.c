/* SPDX-License-Identifier: ISC */
#include "tap.h"
TEST(x) { CHECK(tap_shared != NULL); }
